import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BackendConfig, Config, ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { TlsMaterial } from '../messages/to-worker.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';
import { type CertificateMaterial, checkCertificate, type TlsServerMaterial } from '../net/tls-server.ts';

/** A file, and the option that named it. */
interface NamedFile {
  readonly file: string;
  readonly option: string;
}

/**
 * Reads what TLS needs, towards clients and towards upstreams. Throws an Error of one line that names the option and the file
 * when a file cannot be read, is not what it should be, or when a key is not that of its certificate.
 */
export function readTlsMaterial({ server, backends }: Config, ticketKeys: Uint8Array): TlsMaterial {
  return {
    server: server.httpsAddr.length === 0 ? null : readServer(server, ticketKeys),
    upstreams: backends.flatMap(readBackend),
  };
}

/** Every file that `readTlsMaterial` reads. */
export function tlsFiles({ server, backends }: Config): readonly string[] {
  const listed = server.tls.flatMap(({ certFile, keyFile }) => [certFile, keyFile]);
  const clientCa = server.clientCertificates === null ? [] : [server.clientCertificates.caFile];
  const ofUpstreams = backends.flatMap(({ upstreams }) => upstreams).flatMap(filesOfUpstream);
  return [...new Set([...(server.httpsAddr.length === 0 ? [] : [...listed, ...clientCa]), ...ofUpstreams])];
}

function filesOfUpstream({ tls, tlsCa, tlsCertificate }: UpstreamConfig): readonly string[] {
  if (!tls) return [];
  const pair = tlsCertificate === null ? [] : [tlsCertificate.certFile, tlsCertificate.keyFile];
  return tlsCa === null ? pair : [tlsCa, ...pair];
}

function readServer({ tls, clientCertificates }: ServerConfig, ticketKeys: Uint8Array): TlsServerMaterial {
  return {
    certificates: tls.map(
      ({ hosts, certFile, keyFile, option }): CertificateMaterial => ({
        hosts,
        ...readPair({ file: certFile, option: option.cert }, { file: keyFile, option: option.key }),
      }),
    ),
    ticketKeys,
    clientCertificates:
      clientCertificates === null
        ? null
        : {
            ca: readAuthorities({ file: clientCertificates.caFile, option: 'server.client_ca' }),
            required: clientCertificates.required,
          },
  };
}

function readBackend({ name, upstreams }: BackendConfig): readonly (TlsClientMaterial | null)[] {
  return upstreams.map((upstream, index) =>
    upstream.tls ? readUpstream(upstream, `load_balancing.backends.${name}.upstreams[${index}]`) : null,
  );
}

function readUpstream(
  { sniHostname, tlsVerify, tlsCa, tlsCertificate }: UpstreamConfig,
  at: string,
): TlsClientMaterial {
  return {
    serverName: sniHostname,
    verify: tlsVerify,
    ca: tlsCa === null ? null : readAuthorities({ file: tlsCa, option: `${at}.tls_ca` }),
    certificate:
      tlsCertificate === null
        ? null
        : readPair(
            { file: tlsCertificate.certFile, option: `${at}.tls_cert` },
            { file: tlsCertificate.keyFile, option: `${at}.tls_key` },
          ),
  };
}

function readPair(certFile: NamedFile, keyFile: NamedFile): { readonly cert: string; readonly key: string } {
  const cert = readPem(certFile);
  const key = readPem(keyFile);
  const leaf = parsed(certFile, 'a PEM certificate', () => new X509Certificate(cert));
  const privateKey = parsed(keyFile, 'an unencrypted PEM private key', (): KeyObject => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(
      `Cannot use ${keyFile.option} ${keyFile.file}: want the private key of the certificate in ${certFile.file}`,
    );
  }
  try {
    checkCertificate({ cert, key });
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    throw new Error(`Cannot use ${certFile.option} ${certFile.file}: OpenSSL refuses it (${code})`);
  }
  return { cert, key };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** OpenSSL takes a file without any certificate for a list of none, and then nobody would be trusted, or everybody asked. */
function readAuthorities(source: NamedFile): string {
  const text = readPem(source);
  const certificates = text.match(CERTIFICATE) ?? [''];
  parsed(source, 'PEM certificates of authorities', () => certificates.map((pem) => new X509Certificate(pem)));
  return text;
}

function readPem({ file, option }: NamedFile): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`Cannot read ${option} ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The text of a key must not get into the message. */
function parsed<T>({ file, option }: NamedFile, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`Cannot use ${option} ${file}: want ${wanted}`);
  }
}

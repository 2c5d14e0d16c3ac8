import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { BackendConfig, CertificateConfig, Config, ServerConfig, UpstreamConfig } from '../config/config.ts';
import type { Path } from '../config/config-node.ts';
import type { OptionFault } from '../config/parse-config.ts';
import type { TlsMaterial } from '../messages/to-worker.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';
import { type CertificateMaterial, checkCertificate, type TlsServerMaterial } from '../net/tls-server.ts';

/** Where TLS is configured. */
export type TlsConfig = Pick<Config, 'server' | 'backends'>;

/** A file, and the option that named it. */
interface NamedFile {
  readonly file: string;
  readonly option: string;
}

/** A file that cannot be used; the message is one line that names it and its option. */
class TlsFileError extends Error {
  readonly option: string;

  constructor(option: string, message: string) {
    super(message);
    this.option = option;
  }
}

/**
 * Reads what TLS needs, towards clients and towards upstreams. Throws an Error of one line that names the option and the file
 * when a file cannot be read, is not what it should be, or when a key is not that of its certificate.
 */
export function readTlsMaterial({ server, backends }: TlsConfig, ticketKeys: Uint8Array): TlsMaterial {
  return {
    server: server.httpsAddr.length === 0 ? null : readServer(server, ticketKeys),
    upstreams: backends.flatMap(readBackend),
  };
}

/** All that `readTlsMaterial` would throw, one for each certificate, key or list of authorities that cannot be used. */
export function findTlsFaults({ server, backends }: TlsConfig): readonly OptionFault[] {
  const listening = server.httpsAddr.length > 0;
  return [
    ...(listening ? server.tls : []).flatMap((certificate) => faultsOf([], () => readCertificate(certificate))),
    ...faultsOf([], () => (listening ? readClientCertificates(server) : null)),
    ...backends.flatMap(({ name, upstreams }) =>
      upstreams.flatMap((upstream, index) => {
        const path = ['load_balancing', 'backends', name, 'upstreams', index];
        return upstream.tls ? [...upstreamReads(upstream, '')].flatMap((read) => faultsOf(path, read)) : [];
      }),
    ),
  ];
}

/** `base`: the way to the mapping that the option's own path starts from. */
function faultsOf(base: Path, read: () => unknown): readonly OptionFault[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof TlsFileError)) throw error;
    const steps = error.option.split(/[.[\]]+/).filter((step) => step !== '');
    const path = [...base, ...steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step))];
    return [{ code: 'unusable-tls-file', severity: 'error', path, message: error.message }];
  }
}

/** Every file that `readTlsMaterial` reads. */
export function tlsFiles({ server, backends }: TlsConfig): readonly string[] {
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

function readServer(server: ServerConfig, ticketKeys: Uint8Array): TlsServerMaterial {
  return {
    certificates: server.tls.map(readCertificate),
    ticketKeys,
    clientCertificates: readClientCertificates(server),
  };
}

function readCertificate({ hosts, certFile, keyFile, option }: CertificateConfig): CertificateMaterial {
  return { hosts, ...readPair({ file: certFile, option: option.cert }, { file: keyFile, option: option.key }) };
}

function readClientCertificates({ clientCertificates }: ServerConfig): TlsServerMaterial['clientCertificates'] {
  if (clientCertificates === null) return null;
  const { caFile, required } = clientCertificates;
  return { ca: readAuthorities({ file: caFile, option: 'server.client_ca' }), required };
}

function readBackend({ name, upstreams }: BackendConfig): readonly (TlsClientMaterial | null)[] {
  return upstreams.map((upstream, index) =>
    upstream.tls ? readUpstream(upstream, `load_balancing.backends.${name}.upstreams[${index}]`) : null,
  );
}

function readUpstream(upstream: UpstreamConfig, at: string): TlsClientMaterial {
  const { sniHostname, tlsVerify } = upstream;
  const [readCa, readOwn] = upstreamReads(upstream, `${at}.`);
  return { serverName: sniHostname, verify: tlsVerify, ca: readCa(), certificate: readOwn() };
}

/** How to read the authorities and the certificate of an upstream; `at` stands before the names of the options. */
function upstreamReads({ tlsCa, tlsCertificate }: UpstreamConfig, at: string) {
  const readCa = () => (tlsCa === null ? null : readAuthorities({ file: tlsCa, option: `${at}tls_ca` }));
  const readOwn = () => {
    if (tlsCertificate === null) return null;
    const { certFile, keyFile } = tlsCertificate;
    return readPair({ file: certFile, option: `${at}tls_cert` }, { file: keyFile, option: `${at}tls_key` });
  };
  return [readCa, readOwn] as const;
}

function readPair(certFile: NamedFile, keyFile: NamedFile): { readonly cert: string; readonly key: string } {
  const cert = readPem(certFile);
  const key = readPem(keyFile);
  const leaf = parsed(certFile, 'a PEM certificate', () => new X509Certificate(cert));
  const privateKey = parsed(keyFile, 'an unencrypted PEM private key', (): KeyObject => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new TlsFileError(
      keyFile.option,
      `Cannot use ${keyFile.option} ${keyFile.file}: want the private key of the certificate in ${certFile.file}`,
    );
  }
  try {
    checkCertificate({ cert, key });
  } catch (error) {
    const { code = 'no reason given' } = error as NodeJS.ErrnoException;
    throw new TlsFileError(
      certFile.option,
      `Cannot use ${certFile.option} ${certFile.file}: OpenSSL refuses it (${code})`,
    );
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
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new TlsFileError(option, `Cannot read ${option} ${file}: ${code}`);
  }
}

/** The text of a key must not get into the message. */
function parsed<T>({ file, option }: NamedFile, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new TlsFileError(option, `Cannot use ${option} ${file}: want ${wanted}`);
  }
}

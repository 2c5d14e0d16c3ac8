import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerConfig } from '../config/config.ts';
import type { CertificateMaterial, TlsMaterial } from '../net/tls-server.ts';

/** Of OpenSSL: 16 bytes for the key's name, 16 for AES, 16 for HMAC. */
const TICKET_KEY_BYTES = 48;

/**
 * Reads what the listeners for HTTPS need. Throws an Error of one line that names the option and the file when a file cannot
 * be read, is not what it should be, or when a key is not that of its certificate.
 */
export function readTlsMaterial(server: ServerConfig): TlsMaterial {
  return { certificates: server.tls.map(readCertificate), ticketKeys: randomBytes(TICKET_KEY_BYTES) };
}

function readCertificate({ option, hosts, certFile, keyFile }: ServerConfig['tls'][number]): CertificateMaterial {
  const cert = readPem(certFile, option.cert);
  const key = readPem(keyFile, option.key);
  const leaf = parsed(certFile, option.cert, 'a PEM certificate', () => new X509Certificate(cert));
  const privateKey = parsed(
    keyFile,
    option.key,
    'an unencrypted PEM private key',
    (): KeyObject => createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new Error(`Cannot use ${option.key} ${keyFile}: want the private key of the certificate in ${certFile}`);
  }
  return { hosts, cert, key };
}

function readPem(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`Cannot read ${option} ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The text of a key must not get into the message. */
function parsed<T>(file: string, option: string, wanted: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`Cannot use ${option} ${file}: want ${wanted}`);
  }
}

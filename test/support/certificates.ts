import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Self-signed certificates for tests, good for a hundred years. Made by
 *
 *   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=localhost \
 *     -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout localhost.key -out localhost.crt
 */
export interface TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** `localhost` and 127.0.0.1, `api.example.com`, `*.tenants.example.com`. */
export function testCertificate(name: 'localhost' | 'api' | 'tenants'): TestCertificate {
  const certFile = join(import.meta.dirname, 'certificates', `${name}.crt`);
  const keyFile = join(import.meta.dirname, 'certificates', `${name}.key`);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

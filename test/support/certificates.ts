import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Certificates for tests, good for a hundred years. Those of servers sign themselves and were made by
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
type OfServer = 'localhost' | 'api' | 'tenants';

/**
 * Signed by `testAuthority`, save that of mallory, whose authority nobody has. `alice` is `CN=Älice,O=Acme\, Inc.,C=SE`; the
 * last day of `expired` was in 2020.
 */
type OfClient = 'alice' | 'mallory' | 'expired';

/** Signed by `testAuthority`: a server named `api.internal`, and 127.0.0.2. */
type OfUpstream = 'upstream';

export function testCertificate(name: OfServer | OfClient | OfUpstream): TestCertificate {
  const certFile = pathOf(`${name}.crt`);
  const keyFile = pathOf(`${name}.key`);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** The certificate of the authority that signed those of clients and upstreams; nobody has its key any more. */
export function testAuthority(): { readonly caFile: string; readonly ca: string } {
  const caFile = pathOf('authority.crt');
  return { caFile, ca: readFileSync(caFile, 'utf8') };
}

const pathOf = (name: string): string => join(import.meta.dirname, 'certificates', name);

import { join } from 'node:path';

const directory = join(import.meta.dirname, '..', 'test', 'support', 'certificates');

/** For `localhost`, ECDSA P-256: what every gateway shows in the cases over TLS. */
export const certificate = {
  certFile: join(directory, 'localhost.crt'),
  keyFile: join(directory, 'localhost.key'),
} as const;

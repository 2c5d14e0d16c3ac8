import type { ProxyHeader } from './header.ts';
import { decodeVersion1, VERSION_1_PREFIX } from './version-1.ts';
import { decodeVersion2, VERSION_2_SIGNATURE } from './version-2.ts';

/*
 * The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt): a proxy that passes bytes
 * on says in front of them whose they are.
 */

/** No header is longer, so nobody has to keep more than this of one that is not complete. */
export const MAX_PROXY_HEADER_BYTES = 4096;

/**
 * Decodes the header that `bytes` begin with, of either version. Null as long as it is not complete. A beginning that
 * is not that of a header is refused at once: a receiver must not guess whether there is one (section 2).
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function decodeProxyHeader(bytes: Buffer): ProxyHeader | null {
  if (begins(bytes, VERSION_2_SIGNATURE)) return decodeVersion2(bytes, MAX_PROXY_HEADER_BYTES);
  if (begins(bytes, VERSION_1_PREFIX)) return decodeVersion1(bytes);
  throw new SyntaxError('a PROXY header of version 1 or 2 before anything else');
}

/** As far as they go, the bytes are those of `expected`. */
function begins(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length);
  return bytes.compare(expected, 0, length, 0, length) === 0;
}

import type { X509Certificate } from 'node:crypto';

/**
 * The subject of a certificate as one line of ASCII in the form of RFC 4514, the most specific part first:
 * `CN=alice,O=Example,C=SE`. The owner of the certificate may have chosen parts of it.
 */
export function formatSubject({ subject }: X509Certificate): string {
  // OpenSSL writes a part a line, and escapes the characters of RFC 4514 2.4, line ends and controls among them.
  return subject
    .split('\n')
    .toReversed()
    .join(',')
    .replace(/[^\x20-\x7e]/gu, hexPairs);
}

/** RFC 4514 2.4: a character may be written as the bytes of its UTF-8, `\C3\A9`. */
function hexPairs(character: string): string {
  return Buffer.from(character)
    .toString('hex')
    .replace(/../g, (pair) => `\\${pair.toUpperCase()}`);
}

import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAuthority } from '../../src/http/authority.ts';

const ACCEPTED = [
  { text: 'example.com', host: 'example.com', port: null, why: 'nothing to do' },
  { text: 'Example.COM', host: 'example.com', port: null, why: 'hosts are case-insensitive' },
  { text: 'example.com.', host: 'example.com', port: null, why: 'the trailing dot names the same host' },
  { text: 'EXAMPLE.com.:8080', host: 'example.com', port: 8080, why: 'all of it at once' },
  { text: 'example.com:', host: 'example.com', port: null, why: 'RFC 3986 3.2.3 allows an empty port' },
  { text: 'example.com:0', host: 'example.com', port: 0, why: 'the grammar allows it' },
  { text: 'example.com:65535', host: 'example.com', port: 65_535, why: 'the highest port' },
  { text: 'example.com:00080', host: 'example.com', port: 80, why: 'zeros in front are digits' },
  { text: 'localhost', host: 'localhost', port: null, why: 'one label' },
  { text: '192.0.2.7:81', host: '192.0.2.7', port: 81, why: 'IPv4' },
  { text: 'my_service~1.internal', host: 'my_service~1.internal', port: null, why: 'unreserved characters' },
  { text: "a!$&'()*+,;=b", host: "a!$&'()*+,;=b", port: null, why: 'sub-delims are allowed in a reg-name' },
  { text: '[2001:DB8::1]:443', host: '[2001:db8::1]', port: 443, why: 'IPv6 keeps its brackets' },
  { text: '[::ffff:192.0.2.7]', host: '[::ffff:192.0.2.7]', port: null, why: 'IPv6 that ends in IPv4' },
  { text: `${'a'.repeat(253)}.`, host: 'a'.repeat(253), port: null, why: 'as long as a DNS name can be' },
];

const REFUSED = [
  { text: '', why: 'an empty host' },
  { text: ':80', why: 'an empty host before a port' },
  { text: '.', why: 'an empty label' },
  { text: '.example.com', why: 'an empty first label' },
  { text: 'example..com', why: 'an empty label within' },
  { text: 'example.com..', why: 'two trailing dots' },
  { text: 'user@example.com', why: 'userinfo' },
  { text: 'user:secret@example.com', why: 'userinfo with a colon' },
  { text: 'example.com:65536', why: 'above the highest port' },
  { text: 'example.com:000080', why: 'more digits than a port has' },
  { text: 'example.com:+80', why: 'a sign is not a DIGIT' },
  { text: 'example.com:8 0', why: 'a space is not a DIGIT' },
  { text: 'example.com:http', why: 'a name is not a port' },
  { text: 'example.com:80:80', why: 'two ports' },
  { text: 'exam%70le.com', why: 'percent-encoding' },
  { text: 'example.com/', why: 'a path' },
  { text: 'example.com?', why: 'a query' },
  { text: 'example.com\\', why: 'a backslash' },
  { text: 'exa mple.com', why: 'a space' },
  { text: ' example.com', why: 'a space in front' },
  { text: 'example.com\t', why: 'a tab behind' },
  { text: 'example.com\0', why: 'a NUL' },
  { text: 'm\u00fcnchen.de', why: 'latin1 that is not ASCII' },
  { text: '\u4f8b.com', why: 'a character above latin1' },
  { text: '::1', why: 'IPv6 without brackets' },
  { text: '[::1', why: 'an open bracket' },
  { text: '[]', why: 'empty brackets' },
  { text: '[::1]80', why: 'no colon before the port' },
  { text: '[::1]:x', why: 'no port after the colon' },
  { text: '[192.0.2.7]', why: 'IPv4 in brackets' },
  { text: '[fe80::1%eth0]', why: 'a zone' },
  { text: '[v1.fe]', why: 'IPvFuture' },
  { text: '[1::2::3]', why: 'two runs of zeros' },
  { text: '[1:2:3:4:5:6:7]', why: 'too few groups' },
  { text: '[1:2:3:4:5:6:7:8:9]', why: 'too many groups' },
  { text: '[1:2:3:4::5:6:7:8]', why: 'a run of zeros in place of nothing' },
  { text: '[::1.2.3.04]', why: 'a zero in front of an IPv4 octet' },
  { text: '[1.2.3.4::]', why: 'IPv4 that is not at the end' },
  { text: 'a'.repeat(255), why: 'longer than a DNS name' },
];

for (const { text, host, port, why } of ACCEPTED) {
  test(`the authority ${JSON.stringify(text.slice(0, 40))} is read: ${why}`, () => {
    assert.deepEqual(parseAuthority(text), { host, port });
  });
}

for (const { text, why } of REFUSED) {
  test(`the authority ${JSON.stringify(text.slice(0, 40))} is refused: ${why}`, () => {
    assert.throws(() => parseAuthority(text), { name: 'PhotonError', code: 'bad_host' });
  });
}

function isAccepted(text: string): boolean {
  try {
    parseAuthority(text);
    return true;
  } catch {
    return false;
  }
}

test('an address in brackets is accepted exactly if the system takes it for IPv6', () => {
  const piece = fc.constantFrom(
    ':',
    '::',
    '0',
    '1',
    'ff',
    'DB8',
    '12345',
    'g',
    '1.2.3.4',
    '1.2.3.256',
    '01.2.3.4',
    '.',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV6(),
        fc.array(piece, { maxLength: 17 }).map((pieces) => pieces.join('')),
      ),
      (address) => {
        assert.equal(isAccepted(`[${address}]`), isIPv6(address), address);
      },
    ),
    { numRuns: 5000 },
  );
});

test('a host that was read reads as itself', () => {
  const character = fc.constantFrom(...'aZ0-._~:[]@%1');
  fc.assert(
    fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
      const text = characters.join('');
      if (!isAccepted(text)) return;
      const { host } = parseAuthority(text);
      assert.deepEqual(parseAuthority(host), { host, port: null });
    }),
    { numRuns: 5000 },
  );
});

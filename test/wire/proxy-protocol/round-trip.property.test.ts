import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeProxyHeader } from '../../../src/wire/proxy-protocol/decode-header.ts';
import { encodeProxyHeader, type ProxyVersion } from '../../../src/wire/proxy-protocol/encode-header.ts';
import { type Endpoints, formatIp } from '../../../src/wire/proxy-protocol/header.ts';
import { COMMAND, FAMILY, IPV4_ENDS, IPV6_ENDS, tlv, version2 } from './headers.ts';

const VERSIONS: readonly ProxyVersion[] = ['v1', 'v2'];

const ip = (size: 4 | 16) => fc.uint8Array({ minLength: size, maxLength: size }).map(formatIp);
const address = fc.oneof(ip(4), ip(16), fc.constantFrom('::', '::1', '0.0.0.0', '1::', '64:ff9b::1'));
const port = fc.oneof(fc.constantFrom(0, 1, 255, 256, 65_535), fc.nat(65_535));
const endpoints: fc.Arbitrary<Endpoints> = fc.record(
  { sourceAddress: address, sourcePort: port, destinationAddress: address, destinationPort: port },
  { noNullPrototype: true },
);

const encoded = (version: ProxyVersion, ends: Endpoints): Buffer =>
  Buffer.from(encodeProxyHeader(version, ends), 'latin1');

test('what is encoded is decoded as it was, in both versions, with families that differ too', () => {
  fc.assert(
    fc.property(fc.constantFrom(...VERSIONS), endpoints, fc.uint8Array({ maxLength: 20 }), (version, ends, behind) => {
      const header = encoded(version, ends);
      const decoded = decodeProxyHeader(Buffer.concat([header, behind]));
      assert.deepEqual(decoded, { length: header.length, endpoints: ends });
    }),
  );
});

test('no part of a header is taken for one, nor refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...VERSIONS), endpoints, fc.nat(), (version, ends, cut) => {
      const header = encoded(version, ends);
      assert.equal(decodeProxyHeader(header.subarray(0, cut % header.length)), null);
    }),
  );
});

test('a line of version 1 has at most 107 bytes, and nothing in it that a line must not have', () => {
  fc.assert(
    fc.property(endpoints, (ends) => {
      const line = encodeProxyHeader('v1', ends);
      assert.match(line, /^PROXY TCP[46] [0-9a-f.:]+ [0-9a-f.:]+ \d+ \d+\r\n$/);
      assert.ok(line.length <= 107);
    }),
  );
});

for (const { ends, why } of [
  { ends: { sourceAddress: 'unix:', destinationAddress: 'unix:' }, why: 'Unix sockets' },
  { ends: { sourceAddress: '192.0.2.7', destinationAddress: '' }, why: 'a connection that is gone' },
]) {
  test(`ends that are no addresses are told as unknown: ${why}`, () => {
    const all = { ...ends, sourcePort: 0, destinationPort: 0 };
    assert.equal(encodeProxyHeader('v1', all), 'PROXY UNKNOWN\r\n');
    assert.deepEqual(encoded('v2', all), version2(COMMAND.PROXY, FAMILY.UNSPEC, Buffer.alloc(0)));
  });
}

test('the zone of a link-local address stays at home', () => {
  const ends = { sourceAddress: 'fe80::1%eth0', sourcePort: 1, destinationAddress: 'fe80::2%eth0', destinationPort: 2 };
  assert.equal(encodeProxyHeader('v1', ends), 'PROXY TCP6 fe80::1 fe80::2 1 2\r\n');
  assert.equal(encodeProxyHeader('v2', ends).length, 16 + 36);
});

test('the encoder writes what the specification draws', () => {
  const ipv4 = {
    sourceAddress: '192.0.2.7',
    sourcePort: 4711,
    destinationAddress: '198.51.100.1',
    destinationPort: 443,
  };
  assert.equal(encodeProxyHeader('v1', ipv4), 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n');
  assert.deepEqual(encoded('v2', ipv4), version2(COMMAND.PROXY, FAMILY.TCP4, IPV4_ENDS));
  const ipv6 = { ...ipv4, sourceAddress: '2001:db8::7', destinationAddress: '2001:db8::1' };
  assert.equal(encodeProxyHeader('v1', ipv6), 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n');
  assert.deepEqual(encoded('v2', ipv6), version2(COMMAND.PROXY, FAMILY.TCP6, IPV6_ENDS));
});

test('whatever bytes come, the decoder answers or refuses, and claims no more bytes than there are', () => {
  const beginnings = [
    '',
    'PROXY ',
    'PROXY TCP4 ',
    'PROXY UNKNOWN',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0',
  ];
  const bytes = fc
    .tuple(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 300 }))
    .map(([beginning, rest]) => Buffer.concat([Buffer.from(beginning, 'latin1'), rest]));
  fc.assert(
    fc.property(bytes, (all) => {
      try {
        const header = decodeProxyHeader(all);
        assert.ok(header === null || (header.length >= 15 && header.length <= all.length));
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }),
  );
});

test('TLVs of any kind but a checksum change nothing', () => {
  const tlvs = fc.array(
    fc
      .tuple(
        fc.nat(255).filter((type) => type !== 3),
        fc.uint8Array({ maxLength: 60 }),
      )
      .map(([type, value]) => tlv(type, Buffer.from(value))),
    { maxLength: 10 },
  );
  fc.assert(
    fc.property(tlvs, (all) => {
      const header = version2(COMMAND.PROXY, FAMILY.TCP4, Buffer.concat([IPV4_ENDS, ...all]));
      assert.equal(decodeProxyHeader(header)?.endpoints?.sourceAddress, '192.0.2.7');
    }),
  );
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32c } from '../../../src/wire/proxy-protocol/crc32c.ts';
import { decodeProxyHeader, MAX_PROXY_HEADER_BYTES } from '../../../src/wire/proxy-protocol/decode-header.ts';
import type { Endpoints } from '../../../src/wire/proxy-protocol/header.ts';
import { COMMAND, FAMILY, IPV4_ENDS, IPV6_ENDS, SIGNATURE, tlv, version2, withChecksum } from './headers.ts';

const bytesOf = (header: string | Buffer): Buffer =>
  typeof header === 'string' ? Buffer.from(header, 'latin1') : header;

function ends(source: string, sourcePort: number, destination: string, destinationPort: number): Endpoints {
  return { sourceAddress: source, sourcePort, destinationAddress: destination, destinationPort };
}

/** What was made of the bytes when they had come one by one: the header, or that it was refused, and after how many. */
function decodeBytewise(bytes: Buffer): { readonly at: number; readonly result: unknown } {
  for (let at = 0; at <= bytes.length; at++) {
    try {
      const header = decodeProxyHeader(bytes.subarray(0, at));
      if (header !== null) return { at, result: header };
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error));
      return { at, result: 'refused' };
    }
  }
  return { at: bytes.length, result: 'incomplete' };
}

const IPV4 = ends('192.0.2.7', 4711, '198.51.100.1', 443);
const IPV6 = ends('2001:db8::7', 4711, '2001:db8::1', 443);

const LONGEST_LINE = `PROXY UNKNOWN ${'f'.repeat(39)} ${'f'.repeat(39)} 65535 65535`;

const VALID: readonly {
  readonly header: string | Buffer;
  readonly endpoints: Endpoints | null;
  readonly why: string;
}[] = [
  { header: 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n', endpoints: IPV4, why: 'TCP over IPv4' },
  {
    header: 'PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n',
    endpoints: ends('0.0.0.0', 0, '255.255.255.255', 65_535),
    why: 'the least and the greatest of everything',
  },
  { header: 'PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n', endpoints: IPV6, why: 'TCP over IPv6' },
  {
    header: 'PROXY TCP6 2001:0DB8:0:0:0:0:0:7 2001:db8:0::1 4711 443\r\n',
    endpoints: IPV6,
    why: 'IPv6 that is not written in its usual form comes out in it',
  },
  {
    header: 'PROXY TCP6 ::ffff:192.0.2.7 ::FFFF:c633:6401 4711 443\r\n',
    endpoints: IPV4,
    why: 'IPv4-mapped addresses are IPv4, as those of sockets are',
  },
  { header: 'PROXY UNKNOWN\r\n', endpoints: null, why: 'nothing known' },
  { header: 'PROXY UNKNOWN ffff::1 whatever 1 2 3\r\n', endpoints: null, why: 'what follows UNKNOWN is ignored' },
  { header: `${LONGEST_LINE}\r\n`, endpoints: null, why: 'the longest line' },
  { header: version2(COMMAND.PROXY, FAMILY.TCP4, IPV4_ENDS), endpoints: IPV4, why: 'TCP over IPv4, binary' },
  { header: version2(COMMAND.PROXY, FAMILY.TCP6, IPV6_ENDS), endpoints: IPV6, why: 'TCP over IPv6, binary' },
  {
    header: version2(COMMAND.PROXY, FAMILY.UNIX, Buffer.alloc(216, 'x')),
    endpoints: ends('unix:', 0, 'unix:', 0),
    why: 'a Unix stream',
  },
  { header: version2(COMMAND.PROXY, FAMILY.UNSPEC, Buffer.alloc(0)), endpoints: null, why: 'nothing known, binary' },
  {
    header: version2(COMMAND.LOCAL, FAMILY.UNSPEC, Buffer.alloc(0)),
    endpoints: null,
    why: "the proxy's own connection",
  },
  {
    header: version2(COMMAND.LOCAL, FAMILY.TCP4, IPV4_ENDS),
    endpoints: null,
    why: 'with LOCAL the addresses are discarded',
  },
  { header: version2(COMMAND.LOCAL, 0xff, Buffer.from('??')), endpoints: null, why: 'and so is everything else' },
  {
    header: version2(
      COMMAND.PROXY,
      FAMILY.TCP4,
      Buffer.concat([IPV4_ENDS, tlv(4, Buffer.alloc(0)), tlv(0xea, Buffer.from('vpce'))]),
    ),
    endpoints: IPV4,
    why: 'TLVs are skipped',
  },
  {
    header: version2(COMMAND.PROXY, FAMILY.TCP4, Buffer.concat([IPV4_ENDS, tlv(4, Buffer.alloc(4096 - 16 - 12 - 3))])),
    endpoints: IPV4,
    why: 'the largest header',
  },
  { header: withChecksum(FAMILY.TCP4, IPV4_ENDS), endpoints: IPV4, why: 'a checksum that is right' },
  { header: withChecksum(FAMILY.TCP6, IPV6_ENDS), endpoints: IPV6, why: 'a checksum that is right, over IPv6' },
];

describe('a PROXY header is understood, wherever it is cut', () => {
  for (const { header, endpoints, why } of VALID) {
    test(why, () => {
      const bytes = bytesOf(header);
      const result = { length: bytes.length, endpoints };
      assert.deepEqual(decodeBytewise(bytes), { at: bytes.length, result });
      for (const behind of ['GET / HTTP/1.1\r\n', '\r\n', '\n', '\0', 'PROXY UNKNOWN\r\n']) {
        assert.deepEqual(decodeProxyHeader(Buffer.concat([bytes, bytesOf(behind)])), result, 'with bytes behind it');
      }
    });
  }
});

const V1_LINE = (ends: string): string => `PROXY TCP4 ${ends}\r\n`;
const V1_LINE6 = (ends: string): string => `PROXY TCP6 ${ends}\r\n`;

const INVALID: readonly { readonly header: string | Buffer; readonly why: string }[] = [
  { header: 'GET / HTTP/1.1\r\n', why: 'a request without a header' },
  { header: Buffer.from([0x16, 3, 1]), why: 'TLS without a header' },
  { header: 'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n', why: 'letter case' },
  { header: ' PROXY UNKNOWN\r\n', why: 'a space in front' },
  { header: '\r\nPROXY UNKNOWN\r\n', why: 'an empty line in front' },
  { header: 'PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n', why: 'two spaces' },
  { header: 'PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n', why: 'a tab' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 1 2 '), why: 'a space at the end' },
  { header: V1_LINE('1.2.3.4 1.2.3.4  1 2'), why: 'two spaces before a port' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 1'), why: 'a port too few' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 1 2 3'), why: 'a word too many' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 1 65536'), why: 'a port beyond 65535' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 99999 1'), why: 'a source port beyond 65535' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 +1 2'), why: 'a sign' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 -1 2'), why: 'a port below 0' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 01 2'), why: 'a port with a leading zero' },
  { header: V1_LINE('1.2.3.4 1.2.3.4 0x1 2'), why: 'a port that is not decimal' },
  { header: V1_LINE('01.2.3.4 1.2.3.4 1 2'), why: 'an address with a leading zero' },
  { header: V1_LINE('1.2.3.256 1.2.3.4 1 2'), why: 'an address with a part beyond 255' },
  { header: V1_LINE('1.2.3 1.2.3.4 1 2'), why: 'an address of three parts' },
  { header: V1_LINE('16909060 1.2.3.4 1 2'), why: 'an address as one number' },
  { header: V1_LINE('::1 ::1 1 2'), why: 'IPv6 after TCP4' },
  { header: V1_LINE6('1.2.3.4 1.2.3.4 1 2'), why: 'IPv4 after TCP6' },
  { header: V1_LINE6('::1 1.2.3.4 1 2'), why: 'families that differ' },
  { header: V1_LINE6('::1.2.3.4 ::1 1 2'), why: 'the dotted form of what is not mapped IPv4' },
  { header: V1_LINE6('::ffff:01.2.3.4 ::1 1 2'), why: 'mapped IPv4 with a leading zero' },
  { header: V1_LINE6('fe80::1%eth0 ::1 1 2'), why: 'a zone' },
  { header: V1_LINE6('[::1] ::1 1 2'), why: 'brackets' },
  { header: V1_LINE6('1::2::3 ::1 1 2'), why: 'two gaps' },
  { header: 'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n', why: 'datagrams' },
  { header: 'PROXY \r\n', why: 'no family' },
  { header: 'PROXY UNKNOWNS\r\n', why: 'a word that only begins with UNKNOWN' },
  { header: 'PROXY UNKNOWN\n', why: 'LF without CR' },
  { header: 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n', why: 'LF without CR after addresses' },
  { header: 'PROXY UNKNOWN \rX\n', why: 'CR without LF' },
  { header: `${LONGEST_LINE}x\r\n`, why: 'a line of 108 bytes' },
  { header: `PROXY UNKNOWN ${'x'.repeat(200)}`, why: 'a line without end' },
  { header: Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from('X')]), why: 'a signature that ends otherwise' },
  { header: version2(0x11, FAMILY.TCP4, IPV4_ENDS), why: 'version 1 in binary' },
  { header: version2(0x31, FAMILY.TCP4, IPV4_ENDS), why: 'version 3' },
  { header: version2(0x22, FAMILY.TCP4, IPV4_ENDS), why: 'an unknown command' },
  { header: version2(COMMAND.PROXY, FAMILY.UDP4, IPV4_ENDS), why: 'datagrams, binary' },
  { header: version2(COMMAND.PROXY, 0x10, IPV4_ENDS), why: 'IPv4 without a transport' },
  { header: version2(COMMAND.PROXY, 0x01, IPV4_ENDS), why: 'a transport without a family' },
  { header: version2(COMMAND.PROXY, 0x41, IPV4_ENDS), why: 'an unknown family' },
  { header: version2(COMMAND.PROXY, FAMILY.TCP4, IPV4_ENDS.subarray(1)), why: 'a length too short for IPv4' },
  { header: version2(COMMAND.PROXY, FAMILY.TCP6, IPV4_ENDS), why: 'a length too short for IPv6' },
  { header: version2(COMMAND.PROXY, FAMILY.UNIX, IPV6_ENDS), why: 'a length too short for Unix paths' },
  { header: version2(COMMAND.PROXY, FAMILY.TCP4, IPV4_ENDS, 4081), why: 'a length beyond what is taken' },
  { header: version2(COMMAND.LOCAL, FAMILY.UNSPEC, Buffer.alloc(0), 65_535), why: 'the same with LOCAL' },
  {
    header: version2(COMMAND.PROXY, FAMILY.TCP4, Buffer.concat([IPV4_ENDS, Buffer.from([4, 0])])),
    why: 'a TLV cut off in its head',
  },
  {
    header: version2(COMMAND.PROXY, FAMILY.TCP4, Buffer.concat([IPV4_ENDS, Buffer.from([4, 0, 2, 0])])),
    why: 'a TLV cut off in its value',
  },
  { header: withChecksum(FAMILY.TCP4, IPV4_ENDS, 1), why: 'a checksum that is wrong' },
  {
    header: version2(COMMAND.PROXY, FAMILY.TCP4, Buffer.concat([IPV4_ENDS, tlv(3, Buffer.alloc(3))])),
    why: 'a checksum of three bytes',
  },
];

describe('what is no PROXY header is refused, wherever it is cut', () => {
  for (const { header, why } of INVALID) {
    test(why, () => {
      const bytes = bytesOf(header);
      assert.equal(decodeBytewise(bytes).result, 'refused');
      assert.throws(() => decodeProxyHeader(bytes), SyntaxError);
    });
  }

  test('with the first byte that another protocol begins with', () => {
    for (const beginning of ['GET /', '\x16\x03\x01', 'SSH-2.0', '\0', 'x']) {
      assert.deepEqual(decodeBytewise(bytesOf(beginning)), { at: 1, result: 'refused' });
    }
  });
});

test('no more than a whole header has ever to be kept: a line without end and a length too large are refused before', () => {
  const line = decodeBytewise(bytesOf(`PROXY TCP4 ${'1'.repeat(5000)}`));
  assert.deepEqual(line, { at: 107, result: 'refused' });
  const binary = decodeBytewise(version2(COMMAND.PROXY, FAMILY.TCP4, Buffer.alloc(5000)));
  assert.deepEqual(binary, { at: 16, result: 'refused' });
  assert.equal(MAX_PROXY_HEADER_BYTES, 4096);
});

for (const { text, sum } of [
  { text: '123456789', sum: 0xe3069283 },
  { text: '', sum: 0 },
  { text: '\0'.repeat(32), sum: 0x8a9136aa },
]) {
  test(`the CRC-32C of ${JSON.stringify(text.slice(0, 9))} is the published one`, () => {
    assert.equal(crc32c(bytesOf(text)), sum);
  });
}

import { crc32c } from '../../../src/wire/proxy-protocol/crc32c.ts';

/* Headers put together by hand, apart from the encoder: PROXY protocol, sections 2.1 and 2.2. */

export const SIGNATURE: Buffer = Buffer.from([13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]);

export const COMMAND = { LOCAL: 0x20, PROXY: 0x21 } as const;
export const FAMILY = { UNSPEC: 0x00, TCP4: 0x11, UDP4: 0x12, TCP6: 0x21, UNIX: 0x31 } as const;

/** A header of version 2 whose length is that of `rest`, or what `length` claims. */
export function version2(command: number, family: number, rest: Buffer, length: number = rest.length): Buffer {
  const fixed = Buffer.concat([SIGNATURE, Buffer.from([command, family, length >>> 8, length & 0xff])]);
  return Buffer.concat([fixed, rest]);
}

/** 192.0.2.7, port 4711, to 198.51.100.1, port 443. */
export const IPV4_ENDS: Buffer = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x67, 0x01, 0xbb]);

/** 2001:db8::7, port 4711, to 2001:db8::1, port 443. */
export const IPV6_ENDS: Buffer = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from([0x12, 0x67, 0x01, 0xbb]),
]);

export function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >>> 8, value.length & 0xff]), value]);
}

/** The header with a checksum as its last TLV, `off` away from the right one. */
export function withChecksum(family: number, ends: Buffer, off = 0): Buffer {
  const header = version2(COMMAND.PROXY, family, Buffer.concat([ends, tlv(3, Buffer.alloc(4))]));
  header.writeUInt32BE((crc32c(header) + off) >>> 0, header.length - 4);
  return header;
}

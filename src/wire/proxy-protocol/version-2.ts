import ipaddr from 'ipaddr.js';
import { crc32c } from './crc32c.ts';
import { type Endpoints, formatIp, type ProxyHeader, parseIp, UNIX_ADDRESS } from './header.ts';

/**
 *    0            12        13              14        16              16 + addresses         16 + length
 *    | signature  | version | family        | length  | source and    | TLVs: type, length   |
 *    |            | command | and transport |         | destination   | (2 bytes), value     |
 *
 * Numbers are in network byte order (section 2.2).
 */
export const VERSION_2_SIGNATURE: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_BYTES = 16;

const LOCAL = 0x20;
const PROXY = 0x21;

/** Family and transport. Datagrams are nothing that could have come over a connection. */
const UNSPEC = 0x00;
const TCP_IPV4 = 0x11;
const TCP_IPV6 = 0x21;
const UNIX_STREAM = 0x31;

/** Bytes of both addresses, and of both ports where there are some. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = {
  [UNSPEC]: 0,
  [TCP_IPV4]: 12,
  [TCP_IPV6]: 36,
  [UNIX_STREAM]: 216,
};

const TLV_CRC32C = 0x03;
const TLV_HEAD_BYTES = 3;

/**
 * Decodes a binary header of at most `maxBytes`. Null as long as it is not complete. TLVs are skipped, but for a checksum, which
 * has to be right.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function decodeVersion2(bytes: Buffer, maxBytes: number): ProxyHeader | null {
  const command = bytes[12];
  const family = bytes[13];
  if (command === undefined) return null;
  if (command !== LOCAL && command !== PROXY) throw new SyntaxError('version 2 and LOCAL or PROXY in a PROXY header');
  if (family === undefined) return null;
  const addressBytes = command === LOCAL ? 0 : ADDRESS_BYTES[family];
  if (addressBytes === undefined) throw new SyntaxError('TCP over IPv4 or IPv6, a Unix stream or UNSPEC');
  if (bytes.length < FIXED_BYTES) return null;
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > maxBytes) throw new SyntaxError(`a PROXY header of at most ${maxBytes} bytes`);
  if (length < FIXED_BYTES + addressBytes) throw new SyntaxError('room for both addresses in a PROXY header');
  if (bytes.length < length) return null;
  // LOCAL: whatever follows, family included, has to be discarded.
  if (command === LOCAL) return { length, endpoints: null };
  const header = bytes.subarray(0, length);
  checkTlvs(header, FIXED_BYTES + addressBytes);
  return { length, endpoints: endpointsOf(header, family) };
}

function endpointsOf(header: Buffer, family: number): Endpoints | null {
  if (family === TCP_IPV4) return ipEndpoints(header, 4);
  if (family === TCP_IPV6) return ipEndpoints(header, 16);
  if (family === UNSPEC) return null;
  // The paths say nothing that we could use: those of clients are mostly empty.
  return { sourceAddress: UNIX_ADDRESS, sourcePort: 0, destinationAddress: UNIX_ADDRESS, destinationPort: 0 };
}

function ipEndpoints(header: Buffer, size: 4 | 16): Endpoints {
  const destination = FIXED_BYTES + size;
  const ports = destination + size;
  return {
    sourceAddress: formatIp(header.subarray(FIXED_BYTES, destination)),
    sourcePort: header.readUInt16BE(ports),
    destinationAddress: formatIp(header.subarray(destination, ports)),
    destinationPort: header.readUInt16BE(ports + 2),
  };
}

function checkTlvs(header: Buffer, from: number): void {
  let at = from;
  while (at < header.length) {
    const value = at + TLV_HEAD_BYTES;
    const end = value > header.length ? value : value + header.readUInt16BE(at + 1);
    if (end > header.length) throw new SyntaxError('TLVs that end where the PROXY header does');
    if (header[at] === TLV_CRC32C) checkSum(header, value, end);
    at = end;
  }
}

/** The checksum is that of the whole header, with zeros in its own place (section 2.2.3). */
function checkSum(header: Buffer, from: number, end: number): void {
  const zeroed = Buffer.from(header);
  zeroed.fill(0, from, end);
  if (end - from !== 4 || crc32c(zeroed) !== header.readUInt32BE(from)) {
    throw new SyntaxError('the CRC32c of the PROXY header, which has been changed on its way');
  }
}

/** Writes a binary header, as latin1 text: one byte a character. The ends are of one family, whatever they were before. */
export function encodeVersion2(endpoints: Endpoints): string {
  const source = parseIp(endpoints.sourceAddress);
  const destination = parseIp(endpoints.destinationAddress);
  if (source === null || destination === null) return encode(PROXY, UNSPEC, Buffer.alloc(0));
  const isIpv4 = source.kind() === 'ipv4' && destination.kind() === 'ipv4';
  const addresses = [source, destination].map((address) => (isIpv4 ? address : asIpv6(address)).toByteArray());
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(endpoints.sourcePort, 0);
  ports.writeUInt16BE(endpoints.destinationPort, 2);
  return encode(PROXY, isIpv4 ? TCP_IPV4 : TCP_IPV6, Buffer.concat([Buffer.from(addresses.flat()), ports]));
}

function asIpv6(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv6 {
  return address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address;
}

function encode(command: number, family: number, addresses: Buffer): string {
  const fixed = Buffer.alloc(FIXED_BYTES);
  VERSION_2_SIGNATURE.copy(fixed);
  fixed[12] = command;
  fixed[13] = family;
  fixed.writeUInt16BE(addresses.length, 14);
  return fixed.toString('latin1') + addresses.toString('latin1');
}

/** What tells of no ends: the connection's own count. */
export const LOCAL_VERSION_2: string = encode(LOCAL, UNSPEC, Buffer.alloc(0));

import ipaddr from 'ipaddr.js';
import { type Endpoints, formatIp, type ProxyHeader, parseIp } from './header.ts';

export const VERSION_1_PREFIX: Buffer = Buffer.from('PROXY ', 'latin1');

/** With CR and LF (section 2.1): the longest line of all is one of UNKNOWN with addresses. */
const MAX_LINE_BYTES = 107;
const CR = 0x0d;
const LF = 0x0a;

/** One space between two words, and nothing else (section 2.1). */
const LINE = /^PROXY (TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/;
/** What follows UNKNOWN, addresses included, has to be ignored. */
const UNKNOWN_LINE = /^PROXY UNKNOWN(?: [^\r\n]*)?$/;

/**
 * Decodes a header of version 1: one line of text. Null as long as it is not complete.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function decodeVersion1(bytes: Buffer): ProxyHeader | null {
  const end = lineEnd(bytes);
  if (end === -1) return null;
  const line = bytes.toString('latin1', 0, end);
  const length = end + 2;
  if (UNKNOWN_LINE.test(line)) return { length, endpoints: null };
  const [, family, source, destination, sourcePort, destinationPort] = LINE.exec(line) ?? [];
  if (family === undefined) throw new SyntaxError('"PROXY TCP4 SOURCE DESTINATION PORT PORT" (or TCP6, or UNKNOWN)');
  const read = family === 'TCP4' ? readIpv4 : readIpv6;
  return {
    length,
    endpoints: {
      sourceAddress: read(source ?? ''),
      sourcePort: readPort(sourcePort ?? ''),
      destinationAddress: read(destination ?? ''),
      destinationPort: readPort(destinationPort ?? ''),
    },
  };
}

/** Where the line ends, before its CR LF; -1 when that is still to come. The first CR or LF has to be it. */
function lineEnd(bytes: Buffer): number {
  const limit = Math.min(bytes.length, MAX_LINE_BYTES);
  for (let at = VERSION_1_PREFIX.length; at < limit; at++) {
    const byte = bytes[at];
    if (byte === LF) throw new SyntaxError('CR before the LF of a PROXY header');
    if (byte !== CR) continue;
    if (at + 1 < limit) {
      if (bytes[at + 1] === LF) return at;
      throw new SyntaxError('LF after the CR of a PROXY header');
    }
    break;
  }
  if (limit === MAX_LINE_BYTES) throw new SyntaxError(`CR LF within the ${MAX_LINE_BYTES} bytes of a PROXY header`);
  return -1;
}

function readIpv4(text: string): string {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) throw new SyntaxError('two IPv4 addresses after TCP4');
  return text;
}

/** The dotted form is taken for mapped IPv4 only: elsewhere it means different things to different readers. */
function readIpv6(text: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(text)?.[1];
  if (mapped !== undefined) return readIpv4(mapped);
  if (text.includes('.') || !ipaddr.IPv6.isValid(text)) throw new SyntaxError('two IPv6 addresses after TCP6');
  return formatIp(Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray()));
}

function readPort(text: string): number {
  const port = Number(text);
  if (port > 65_535) throw new SyntaxError('two ports from 0 to 65535');
  return port;
}

/** What tells of no ends: the connection's own count. */
export const UNKNOWN_VERSION_1 = 'PROXY UNKNOWN\r\n';

/** Writes a header of version 1. The ends are of one family, whatever they were before. */
export function encodeVersion1(endpoints: Endpoints): string {
  const { sourcePort, destinationPort } = endpoints;
  const source = parseIp(endpoints.sourceAddress);
  const destination = parseIp(endpoints.destinationAddress);
  if (source === null || destination === null) return UNKNOWN_VERSION_1;
  const bothIpv4 = source.kind() === 'ipv4' && destination.kind() === 'ipv4';
  const addresses = bothIpv4 ? `TCP4 ${source} ${destination}` : `TCP6 ${asIpv6(source)} ${asIpv6(destination)}`;
  return `PROXY ${addresses} ${sourcePort} ${destinationPort}\r\n`;
}

function asIpv6(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return address instanceof ipaddr.IPv4 ? `::ffff:${address}` : address.toString();
}

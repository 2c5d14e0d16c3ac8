import ipaddr from 'ipaddr.js';
import { isIpAddress } from '../base/address.ts';

/** Addresses whose network is remembered; when there are more, all are forgotten. */
const MAX_KNOWN = 4096;

/** Says which addresses are one client: an IPv4 address is, mapped into IPv6 or not; of an IPv6 address it is the network. */
export class ClientNetworks {
  readonly #prefixBits: number;
  readonly #known = new Map<string, string>();

  /** `prefixBits`: how many bits of an IPv6 address name the client. One subscriber often has a whole /64 (RFC 6177). */
  constructor(prefixBits: number) {
    this.#prefixBits = prefixBits;
  }

  /** A text that is the same for all addresses of one client. What is no address (`unix:`) stands for itself. */
  of(address: string): string {
    if (!address.includes(':') || !isIpAddress(address)) return address;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    const network = networkOf(address, this.#prefixBits);
    this.#known.set(address, network);
    return network;
  }
}

function networkOf(text: string, prefixBits: number): string {
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv4') return address.toString();
  const masked = address.toByteArray().map((byte, at) => byte & maskOfByte(prefixBits - at * 8));
  return Buffer.from(masked).toString('latin1');
}

/** The mask of a byte of which the first `bits` count; any number. */
function maskOfByte(bits: number): number {
  return (0xff00 >> Math.min(8, Math.max(0, bits))) & 0xff;
}

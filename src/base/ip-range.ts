import ipaddr from 'ipaddr.js';
import { isIpAddress } from './address.ts';

/** A set of IP addresses, given as addresses and CIDR ranges of both families. */
export class IpRanges {
  readonly #ranges: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

  /** `texts`: addresses or CIDR ranges. Throws an Error for anything else. */
  constructor(texts: readonly string[]) {
    this.#ranges = texts.map(parseRange);
  }

  /** True when `text` is an address in the set; IPv4-mapped IPv6 counts as IPv4, anything but an address as outside. */
  includes(text: string): boolean {
    if (this.#ranges.length === 0 || !isIpAddress(text)) return false;
    const address = ipaddr.process(text);
    return this.#ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  }
}

function parseRange(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes('/')) return unmapped(ipaddr.parseCIDR(text));
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Addresses in `::ffff:0:0/96` are looked at as IPv4, so a range within it has to be one of IPv4. */
function unmapped(range: readonly [ipaddr.IPv4 | ipaddr.IPv6, number]): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const [network, bits] = range;
  if (bits < 96 || !(network instanceof ipaddr.IPv6) || !network.isIPv4MappedAddress()) return range;
  return [network.toIPv4Address(), bits - 96];
}

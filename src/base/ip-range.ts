import ipaddr from 'ipaddr.js';

/** A set of IP addresses, given as addresses and CIDR ranges of both families. */
export class IpRanges {
  readonly #ranges: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

  /** `texts`: addresses or CIDR ranges. Throws an Error for anything else. */
  constructor(texts: readonly string[]) {
    this.#ranges = texts.map(parseRange);
  }

  /** True when `text` is an address in the set; IPv4-mapped IPv6 counts as IPv4, anything but an address as outside. */
  includes(text: string): boolean {
    if (this.#ranges.length === 0 || !ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return this.#ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  }
}

function parseRange(text: string): readonly [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

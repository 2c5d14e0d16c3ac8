import ipaddr from 'ipaddr.js';

/** The addresses of one name, in each family sorted and without repetitions, so that every machine has them in the same order. */
export interface NameAddresses {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** More addresses of one family are not used: whoever answers must not decide how much memory we take. */
const MAX_ADDRESSES = 256;

/** Splits addresses by family. What is no address is left out. */
export function toNameAddresses(texts: Iterable<string>): NameAddresses {
  const found = [...texts].filter((text) => ipaddr.isValid(text)).map((text) => ipaddr.parse(text));
  const ofKind = (kind: 'ipv4' | 'ipv6') => inOrder(found.filter((address) => address.kind() === kind));
  return { ipv4: ofKind('ipv4'), ipv6: ofKind('ipv6') };
}

function inOrder(addresses: readonly (ipaddr.IPv4 | ipaddr.IPv6)[]): readonly string[] {
  const byBytes = (one: ipaddr.IPv4 | ipaddr.IPv6, other: ipaddr.IPv4 | ipaddr.IPv6) =>
    Buffer.compare(Buffer.from(one.toByteArray()), Buffer.from(other.toByteArray()));
  const texts = addresses.toSorted(byBytes).map((address) => address.toString());
  return [...new Set(texts)].slice(0, MAX_ADDRESSES);
}

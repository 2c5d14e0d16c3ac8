import { isIpAddress } from '../../base/address.ts';
import type { BackendConfig, UpstreamConfig } from '../../config/config.ts';
import type { NameAddresses } from './name-addresses.ts';
import type { ServiceTarget } from './service-targets.ts';
import type { KnownNames } from './upstream-names.ts';

/** A configuration's backends with addresses instead of names. */
export interface ExpandedBackends {
  /** May have no upstreams, where no name resolves. */
  readonly backends: readonly BackendConfig[];
  /** From which upstream of the configuration each one is, by its number over all backends. */
  readonly origins: readonly number[];
}

/** Where one upstream is: an address to connect to, and one of the other family for when that fails. */
interface Place {
  readonly host: string;
  readonly alternative: string | null;
}

/**
 * Puts what names stand for in their place: an upstream of the configuration becomes as many as there are servers behind it, none
 * while there is no answer. Each configured upstream is on its own: two names with one address are two upstreams, as each has its own
 * settings.
 */
export function expandNames(backends: readonly BackendConfig[], names: KnownNames): ExpandedBackends {
  const origins: number[] = [];
  let number = 0;
  const expanded = backends.map((backend) => {
    const upstreams = backend.upstreams.flatMap((upstream) => {
      const found = expand(upstream, names);
      for (const _ of found) origins.push(number);
      number++;
      return found;
    });
    return { ...backend, upstreams };
  });
  return { backends: expanded, origins };
}

function expand(upstream: UpstreamConfig, names: KnownNames): readonly UpstreamConfig[] {
  const { path, service, host, address } = upstream;
  if (service !== null) return expandService(upstream, names.targetsOf(service), names);
  if (path !== null || isIpAddress(host)) return [upstream];
  return placesOf(names.addressesOf(host)).map((place) => ({
    ...upstream,
    ...place,
    key: `${address} (${place.host})`,
  }));
}

/**
 * Addresses of one family are servers of their own; those of the other are other ways to them. Which belongs to which DNS does not
 * say: they are paired in their order, and what is left over stands alone. IPv4 comes first: where a machine has no way out over
 * IPv6, its names still have such addresses.
 */
function placesOf(addresses: NameAddresses | null): readonly Place[] {
  const { ipv4, ipv6 } = addresses ?? { ipv4: [], ipv6: [] };
  const paired = ipv4.map((host, index) => ({ host, alternative: ipv6[index] ?? null }));
  return [...paired, ...ipv6.slice(ipv4.length).map((host) => ({ host, alternative: null }))];
}

/**
 * RFC 2782: the targets of the lowest priority. Those of the next one only where not one of these has an address; whether they
 * answer is not looked at.
 */
function expandService(
  upstream: UpstreamConfig,
  targets: readonly ServiceTarget[],
  names: KnownNames,
): readonly UpstreamConfig[] {
  for (const group of Map.groupBy(targets, ({ priority }) => priority).values()) {
    const found = group.flatMap((target) => expandTarget(upstream, target, names));
    if (found.length > 0) return mergeSame(found);
  }
  return [];
}

/** Each address of a target has the weight of the record, times that of the upstream. */
function expandTarget(
  upstream: UpstreamConfig,
  { host, port, weight }: ServiceTarget,
  names: KnownNames,
): readonly UpstreamConfig[] {
  return placesOf(names.addressesOf(host)).map((place) => {
    const shown = place.host.includes(':') ? `[${place.host}]` : place.host;
    const key = `${upstream.address} (${shown}:${port})`;
    return { ...upstream, ...place, port, key, weight: upstream.weight * weight };
  });
}

/** Two targets may be one server: then it has the weight of both. */
function mergeSame(upstreams: readonly UpstreamConfig[]): readonly UpstreamConfig[] {
  const byKey = new Map<string, UpstreamConfig>();
  for (const upstream of upstreams) {
    const same = byKey.get(upstream.key);
    byKey.set(upstream.key, same === undefined ? upstream : { ...same, weight: same.weight + upstream.weight });
  }
  return [...byKey.values()];
}

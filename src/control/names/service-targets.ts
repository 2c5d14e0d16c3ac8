import type { SrvRecord } from 'node:dns';
import { isIpAddress } from '../../base/address.ts';

/** One server of a service: a record of RFC 2782. */
export interface ServiceTarget {
  /** A full name, which ends with a dot, or an address. */
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  /** Share among the targets of its priority, at least 1. */
  readonly weight: number;
}

/** More targets are not used. */
const MAX_TARGETS = 256;

/**
 * The targets that records speak of, in an order that does not depend on theirs. The weights are over their greatest common divisor,
 * so that 100 and 100 count as much as 1 and 1 beside other upstreams.
 */
export function toServiceTargets(records: readonly SrvRecord[]): readonly ServiceTarget[] {
  // RFC 2782: a target of "." says that the service is not to be had. Node gives it as the empty name.
  const targets = records.filter(({ name }) => name !== '' && name !== '.').map(toTarget);
  const divisors = Map.groupBy(targets, ({ priority }) => priority);
  const scaled = targets.map((target) => {
    const divisor = (divisors.get(target.priority) ?? []).reduce(
      (sum, { weight }) => greatestCommonDivisor(sum, weight),
      0,
    );
    return { ...target, weight: target.weight / divisor };
  });
  return scaled.toSorted(byPriorityAndName).slice(0, MAX_TARGETS);
}

/** RFC 2782: weight 0 is for a target that hardly anything is sent to. Here 0 would mean nothing at all, so it counts as 1. */
function toTarget({ name, port, priority, weight }: SrvRecord): ServiceTarget {
  const host = isIpAddress(name) || name.endsWith('.') ? name : `${name}.`;
  return { host: host.toLowerCase(), port, priority, weight: Math.max(1, weight) };
}

function byPriorityAndName(one: ServiceTarget, other: ServiceTarget): number {
  return one.priority - other.priority || compareTexts(one.host, other.host) || one.port - other.port;
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}

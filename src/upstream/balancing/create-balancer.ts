import type { Algorithm } from '../../config/config.ts';
import type { SharedCursor } from '../../memory/shared-memory.ts';
import type { Balancer, Candidate } from './balancer.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { byClientAddress, parseHashKey } from './hash-key.ts';
import { LeastConnections } from './least-connections.ts';
import { PowerOfTwo } from './power-of-two.ts';
import { RoundRobin } from './round-robin.ts';
import { WeightedRandom } from './weighted-random.ts';

/** What algorithms choose by: each uses a part of it. */
export interface BalancingMeans {
  /** The same for all workers. */
  readonly cursor: SharedCursor;
  /** `ip`, `path`, `header:NAME` or `cookie:NAME`. */
  readonly key: string;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** `candidates`: the upstreams that the balancer chooses among, for as long as it lives. */
export function createBalancer<C extends Candidate>(
  algorithm: Algorithm,
  candidates: readonly C[],
  { cursor, key, random }: BalancingMeans,
): Balancer<C> {
  switch (algorithm) {
    // Weights count in every algorithm: equal ones make plain turns of the smooth sequence.
    case 'round_robin':
    case 'weighted_round_robin':
      return new RoundRobin(candidates, cursor);
    case 'least_connections':
      return new LeastConnections(candidates, random);
    case 'ip_hash':
      return new ConsistentHash(candidates, byClientAddress);
    case 'consistent_hash':
      return new ConsistentHash(candidates, parseHashKey(key));
    case 'random':
      return new WeightedRandom(candidates, random);
    case 'power_of_two':
      return new PowerOfTwo(candidates, random);
  }
}

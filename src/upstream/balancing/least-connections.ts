import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';

/** Up to this many candidates every pick looks at all of them, above it only at a few. */
const MAX_SCANNED = 64;
const SAMPLE = 8;

/**
 * The candidate with the fewest exchanges under way for its weight, this one included: the lowest (inFlight + 1) / weight. Chance
 * decides between equals. Of more than 64 candidates it is the best of eight random ones, and of all where none of those is
 * eligible.
 */
export class LeastConnections<C extends Candidate> implements Balancer<C> {
  readonly #candidates: readonly C[];
  readonly #random: () => number;

  /** `random`: from 0 to below 1. */
  constructor(candidates: readonly C[], random: () => number) {
    this.#candidates = candidates.filter(({ weight }) => weight > 0);
    this.#random = random;
  }

  pick(_request: BalancedRequest, eligible: Eligible<C>): C | null {
    const { length } = this.#candidates;
    const sampled = length > MAX_SCANNED ? this.#leastLoaded(SAMPLE, true, eligible) : null;
    return sampled ?? this.#leastLoaded(length, false, eligible);
  }

  /** Of the first `count` candidates, or of as many random ones. */
  #leastLoaded(count: number, atRandom: boolean, eligible: Eligible<C>): C | null {
    const candidates = this.#candidates;
    let best: C | null = null;
    let bestLoad = Number.POSITIVE_INFINITY;
    let equals = 0;
    for (let number = 0; number < count; number++) {
      const index = atRandom ? Math.floor(this.#random() * candidates.length) : number;
      const candidate = candidates[index] as C;
      const load = (candidate.inFlight + 1) / candidate.weight;
      if (load > bestLoad || !eligible(candidate)) continue;
      equals = load < bestLoad ? 1 : equals + 1;
      // The last of n equals replaces the one chosen so far in one of n cases: so each has the same chance in the end.
      if (equals === 1 || this.#random() * equals < 1) best = candidate;
      bestLoad = load;
    }
    return best;
  }
}

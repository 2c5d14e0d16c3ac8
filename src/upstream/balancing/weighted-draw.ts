import type { Candidate, Eligible } from './balancer.ts';

/** Draws that may meet a candidate that cannot be taken before all are looked at. */
const MAX_DRAWS = 8;

/** Draws among candidates by chance, each as likely as its weight says. */
export class WeightedDraw<C extends Candidate> {
  readonly #candidates: readonly C[];
  readonly #random: () => number;
  /** Weight of each candidate and all before it. */
  readonly #sums: Float64Array;
  readonly #total: number;

  /** `random`: from 0 to below 1. */
  constructor(candidates: readonly C[], random: () => number) {
    this.#candidates = candidates.filter(({ weight }) => weight > 0);
    this.#random = random;
    let total = 0;
    this.#sums = Float64Array.from(this.#candidates, ({ weight }) => {
      total += weight;
      return total;
    });
    this.#total = total;
  }

  /** One of the eligible other than `except`, by their weights; null when there is none. */
  next(eligible: Eligible<C>, except: C | null = null): C | null {
    if (this.#total === 0) return null;
    for (let draw = 0; draw < MAX_DRAWS; draw++) {
      const candidate = this.#draw();
      if (candidate !== except && eligible(candidate)) return candidate;
    }
    return this.#amongAll(eligible, except);
  }

  #draw(): C {
    const sums = this.#sums;
    const drawn = this.#random() * this.#total;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (drawn < (sums[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return this.#candidates[low] as C;
  }

  /**
   * Each eligible one replaces the one chosen so far with the probability of its weight among those seen: then each is chosen in
   * the end with that of its weight among all.
   */
  #amongAll(eligible: Eligible<C>, except: C | null): C | null {
    let chosen: C | null = null;
    let total = 0;
    for (const candidate of this.#candidates) {
      if (candidate === except || !eligible(candidate)) continue;
      total += candidate.weight;
      if (this.#random() * total < candidate.weight) chosen = candidate;
    }
    return chosen;
  }
}

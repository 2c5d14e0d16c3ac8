import type { Candidate, Eligible } from './balancer.ts';

/** Draws that may meet a candidate that cannot be taken before all are looked at. */
const MAX_DRAWS = 8;

/** Draws among candidates by chance, each as likely as its weight says. */
export class WeightedDraw<C extends Candidate> {
  readonly #candidates: readonly C[];
  readonly #random: () => number;
  /** Weight of each candidate and all before it. */
  readonly #sums: Float64Array;
  readonly #maxDraws: number;
  /** Index of the one that was drawn last; -1 for none. */
  #last = -1;

  /** `random`: from 0 to below 1. `maxDraws`: so many may miss before all are looked at; how likely each is does not depend on it. */
  constructor(candidates: readonly C[], random: () => number, maxDraws = MAX_DRAWS) {
    this.#candidates = candidates.filter(({ weight }) => weight > 0);
    this.#random = random;
    this.#maxDraws = maxDraws;
    let total = 0;
    this.#sums = Float64Array.from(this.#candidates, ({ weight }) => {
      total += weight;
      return total;
    });
  }

  /** One of the eligible, by their weights; null when there is none. */
  next(eligible: Eligible<C>): C | null {
    return this.#among(eligible, -1);
  }

  /** One of the eligible but for the one that was drawn last, by their weights; null when there is no other. */
  another(eligible: Eligible<C>): C | null {
    return this.#among(eligible, this.#last);
  }

  #among(eligible: Eligible<C>, except: number): C | null {
    if (this.#candidates.length > (except === -1 ? 0 : 1)) {
      for (let draw = 0; draw < this.#maxDraws; draw++) {
        this.#last = this.#draw(except);
        const candidate = this.#candidates[this.#last] as C;
        if (this.#last !== except && eligible(candidate)) return candidate;
      }
    }
    this.#last = this.#amongAll(eligible, except);
    return this.#candidates[this.#last] ?? null;
  }

  /**
   * The index of one, eligible or not. The weights in a row, without that of `except`:
   *
   *   |---- a ----|-- b --|--- c ---|       drawn from here without b:   |---- a ----|--- c ---|
   *   0           s       e         total
   */
  #draw(except: number): number {
    const sums = this.#sums;
    const end = except === -1 ? 0 : (sums[except] as number);
    const start = except <= 0 ? 0 : (sums[except - 1] as number);
    const total = sums[sums.length - 1] as number;
    let drawn = this.#random() * (total - (end - start));
    if (drawn >= start) drawn += end - start;
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (drawn < (sums[middle] as number)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Each eligible one replaces the one chosen so far with the probability of its weight among those seen: then each is chosen in
   * the end with that of its weight among all. -1 for none.
   */
  #amongAll(eligible: Eligible<C>, except: number): number {
    let chosen = -1;
    let total = 0;
    for (const [index, candidate] of this.#candidates.entries()) {
      if (index === except || !eligible(candidate)) continue;
      total += candidate.weight;
      if (chosen === -1 || this.#random() * total < candidate.weight) chosen = index;
    }
    return chosen;
  }
}

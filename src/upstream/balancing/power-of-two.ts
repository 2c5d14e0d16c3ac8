import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/**
 * Of two different candidates drawn by chance and weight, the one with fewer exchanges under way for its weight. It is nearly as even as
 * looking at all of them, and workers that see the same counts do not all rush to the same one.
 */
export class PowerOfTwo<C extends Candidate> implements Balancer<C> {
  readonly #draw: WeightedDraw<C>;

  /** `random`: from 0 to below 1. `maxDraws`: as `WeightedDraw` has it. */
  constructor(candidates: readonly C[], random: () => number, maxDraws?: number) {
    this.#draw = new WeightedDraw(candidates, random, maxDraws);
  }

  pick(_request: BalancedRequest, eligible: Eligible<C>): C | null {
    const first = this.#draw.next(eligible);
    if (first === null) return null;
    const second = this.#draw.another(eligible);
    // Between equals it is the first: the one that the weights alone would choose.
    return second !== null && loadOf(second) < loadOf(first) ? second : first;
  }
}

function loadOf({ inFlight, weight }: Candidate): number {
  return inFlight / weight;
}

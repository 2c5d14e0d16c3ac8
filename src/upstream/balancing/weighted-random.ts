import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Chance decides, by the weights. */
export class WeightedRandom<C extends Candidate> implements Balancer<C> {
  readonly #draw: WeightedDraw<C>;

  /** `random`: from 0 to below 1. */
  constructor(candidates: readonly C[], random: () => number) {
    this.#draw = new WeightedDraw(candidates, random);
  }

  pick(_request: BalancedRequest, eligible: Eligible<C>): C | null {
    return this.#draw.next(eligible);
  }
}

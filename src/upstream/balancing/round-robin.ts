import type { SharedCursor } from '../../memory/shared-memory.ts';
import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';
import { smoothSequence } from './smooth-sequence.ts';

/**
 * Turns that a worker takes from the shared cursor before it looks at all candidates: other workers take turns meanwhile, so that it may
 * miss a candidate.
 */
const MAX_TURNS = 16;

/**
 * Candidates take turns, as often as their weights say. All workers go through one sequence with one shared cursor. A candidate that is not
 * eligible at its turn loses it to all others, not to the next one: the next pick goes on behind the one that was chosen.
 */
export class RoundRobin<C extends Candidate> implements Balancer<C> {
  readonly #candidates: readonly C[];
  /** Made at the first pick: with many weights it takes milliseconds, and a reload has none for each backend. */
  #sequence: Uint16Array | null = null;
  readonly #cursor: SharedCursor;

  constructor(candidates: readonly C[], cursor: SharedCursor) {
    this.#candidates = candidates;
    this.#cursor = cursor;
  }

  pick(_request: BalancedRequest, eligible: Eligible<C>): C | null {
    this.#sequence ??= smoothSequence(this.#candidates.map(({ weight }) => weight));
    const sequence = this.#sequence;
    const turns = Math.min(MAX_TURNS, sequence.length);
    let place = 0;
    for (let turn = 0; turn < turns; turn++) {
      place = sequence.length === 1 ? 0 : this.#cursor.next(sequence.length);
      const candidate = this.#candidates[sequence[place] as number] as C;
      if (eligible(candidate)) return candidate;
    }
    return this.#firstFrom(place, sequence, eligible);
  }

  #firstFrom(start: number, sequence: Uint16Array, eligible: Eligible<C>): C | null {
    for (let step = 0; step < sequence.length; step++) {
      const index = sequence[(start + step) % sequence.length] as number;
      const candidate = this.#candidates[index] as C;
      if (eligible(candidate)) return candidate;
    }
    return null;
  }
}

import type { SharedCursor } from '../../memory/shared-memory.ts';
import type { BalancedRequest, Balancer, Candidate, Eligible } from './balancer.ts';
import { smoothSequence } from './smooth-sequence.ts';

/** Candidates take turns, as often as their weights say. All workers go through one sequence with one shared cursor. */
export class RoundRobin<C extends Candidate> implements Balancer<C> {
  readonly #candidates: readonly C[];
  readonly #sequence: Uint16Array;
  readonly #cursor: SharedCursor;

  constructor(candidates: readonly C[], cursor: SharedCursor) {
    this.#candidates = candidates;
    this.#sequence = smoothSequence(candidates.map((candidate) => candidate.weight));
    this.#cursor = cursor;
  }

  pick(_request: BalancedRequest, eligible: Eligible<C>): C | null {
    const sequence = this.#sequence;
    const start = sequence.length === 1 ? 0 : this.#cursor.next(sequence.length);
    for (let step = 0; step < sequence.length; step++) {
      const place = start + step;
      const index = sequence[place < sequence.length ? place : place - sequence.length] as number;
      const candidate = this.#candidates[index] as C;
      if (eligible(candidate)) return candidate;
    }
    return null;
  }
}

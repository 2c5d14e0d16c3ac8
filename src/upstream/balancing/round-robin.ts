import type { SharedCursor } from '../../memory/shared-memory.ts';
import { smoothSequence } from './smooth-sequence.ts';

/** Something to choose among. */
export interface Candidate {
  readonly weight: number;
  /** May be chosen now. Asked on every pick. */
  readonly usable: boolean;
}

/** Candidates take turns, as often as their weights say. All workers go through one sequence with one shared cursor. */
export class RoundRobin<C extends Candidate> {
  readonly #candidates: readonly C[];
  readonly #sequence: Uint16Array;
  readonly #cursor: SharedCursor;

  constructor(candidates: readonly C[], cursor: SharedCursor) {
    this.#candidates = candidates;
    this.#sequence = smoothSequence(candidates.map((candidate) => candidate.weight));
    this.#cursor = cursor;
  }

  /** The next usable candidate, or null when there is none. */
  pick(): C | null {
    const sequence = this.#sequence;
    if (sequence.length === 1) return this.#ifUsable(sequence[0] as number);
    const start = this.#cursor.next(sequence.length);
    for (let step = 0; step < sequence.length; step++) {
      const candidate = this.#ifUsable(sequence[(start + step) % sequence.length] as number);
      if (candidate !== null) return candidate;
    }
    return null;
  }

  #ifUsable(index: number): C | null {
    const candidate = this.#candidates[index] as C;
    return candidate.usable ? candidate : null;
  }
}

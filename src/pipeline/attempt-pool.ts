import { Attempt } from './attempt.ts';

/** So many attempts are kept for later requests: each keeps its table of fields. */
const MAX_KEPT = 1024;

/** The attempts of one worker that no exchange has. */
export class AttemptPool {
  readonly #free: Attempt[] = [];

  acquire(maxHeaders: number): Attempt {
    let attempt = this.#free.pop();
    // Another configuration may allow another number of fields.
    while (attempt !== undefined && attempt.response.capacity !== maxHeaders) attempt = this.#free.pop();
    return attempt ?? new Attempt(maxHeaders);
  }

  /** Throws an Error for an attempt whose stream may still report to it. */
  release(attempt: Attempt): void {
    attempt.release();
    if (this.#free.length < MAX_KEPT) this.#free.push(attempt);
  }
}

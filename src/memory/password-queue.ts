/** How many passwords may wait to be hashed, over all workers, besides the one that is being hashed. */
export const MAX_WAITING_PASSWORDS = 64;

/**
 * How many passwords wait, as the control thread sees it, for workers to read: a worker that sees a full queue does not ask.
 *
 *   Int32   0: waiting    1: seconds until the last of them will be done
 *
 * Invariant: only the control thread writes.
 */
export class PasswordQueueState {
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT);
  }

  publish(waiting: number, seconds: number): void {
    Atomics.store(this.#words, 0, waiting);
    Atomics.store(this.#words, 1, seconds);
  }

  get isFull(): boolean {
    return Atomics.load(this.#words, 0) >= MAX_WAITING_PASSWORDS;
  }

  /** At least 1. */
  get retryAfterSeconds(): number {
    return Math.max(1, Atomics.load(this.#words, 1));
  }
}

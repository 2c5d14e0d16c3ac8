import { LINE_INTS, type Slot } from './shared-memory.ts';

const WORD_AT = 1;
const COUNT_BITS = 17;
const COUNT_MASK = (1 << COUNT_BITS) - 1;

/**
 * A counter per second, over all workers. One number of the backend's cache line holds the second and how many have been taken in it, so
 * that both change at once:
 *
 *   | second, modulo 32,768 | taken, up to 131,071 |
 *             15 bits                17 bits
 */
export class SharedRateWindow {
  readonly #ints: Int32Array;
  readonly #at: number;
  readonly #perSecond: number;

  /** `perSecond`: less than 131,072. */
  constructor({ memory, number }: Slot, perSecond: number) {
    this.#ints = new Int32Array(memory.cursors);
    this.#at = number * LINE_INTS + WORD_AT;
    this.#perSecond = perSecond;
  }

  /** Takes one. Returns false if none is left in this second. `nowMs`: of the monotonic clock, which is the same in all threads. */
  tryAcquire(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000) << COUNT_BITS;
    for (;;) {
      const word = Atomics.load(this.#ints, this.#at);
      const taken = (word & ~COUNT_MASK) === second ? word & COUNT_MASK : 0;
      if (taken >= this.#perSecond) return false;
      if (Atomics.compareExchange(this.#ints, this.#at, word, second | (taken + 1)) === word) return true;
    }
  }
}

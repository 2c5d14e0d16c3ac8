import { LINE_INTS, type Slot } from './shared-memory.ts';

/** Bits of an upstream's status. None of them: it is well. */
export const STATUS = {
  /** The active health checks say so. Only the control thread sets and clears it. */
  UNHEALTHY: 1,
  /** The circuit breaker is not closed. */
  TRIPPED: 2,
  /** It came up a while ago, and gets its whole share only by and by. */
  RAMPING: 4,
} as const;

const STATUS_AT = 0;

/** From here on the line holds 64-bit floats. */
const FIRST_FLOAT = 4;
const UP_SINCE_AT = 0;

/**
 * Whether one upstream is well, for all threads: its cache line in the `states` of the shared memory. All times are milliseconds of
 * the monotonic clock, which is the same in all threads.
 *
 *   int32    | 0 status | 1 .. 7                                          |
 *   float64                  | 4 up since | 5 .. 7                         |
 */
export class UpstreamState {
  readonly #ints: Int32Array;
  readonly #floats: Float64Array;

  constructor({ memory, number }: Slot) {
    const at = number * LINE_INTS * Int32Array.BYTES_PER_ELEMENT;
    this.#ints = new Int32Array(memory.states, at, LINE_INTS);
    this.#floats = new Float64Array(memory.states, at, LINE_INTS / 2);
  }

  /** Bits of `STATUS`. */
  get status(): number {
    return this.#ints[STATUS_AT] as number;
  }

  get healthy(): boolean {
    return (this.status & STATUS.UNHEALTHY) === 0;
  }

  /** The verdict of the active health checks. */
  setHealthy(healthy: boolean, nowMs: number): void {
    if (healthy === this.healthy) return;
    if (healthy) this.comesUp(nowMs);
    this.#mark(STATUS.UNHEALTHY, !healthy);
  }

  /** It is back, or new: from now on its share grows. */
  comesUp(nowMs: number): void {
    this.#floats[FIRST_FLOAT + UP_SINCE_AT] = nowMs;
    this.#mark(STATUS.RAMPING, true);
  }

  #mark(bit: number, on: boolean): void {
    if (on) Atomics.or(this.#ints, STATUS_AT, bit);
    else Atomics.and(this.#ints, STATUS_AT, ~bit);
  }
}

import { PHASE_BITS } from './breaker-word.ts';
import { LINE_INTS, type Slot } from './shared-memory.ts';

/** Bits of an upstream's status. None of them: it is well. */
export const STATUS = {
  /** The active health checks fail. Only the control thread sets and clears it. */
  UNHEALTHY: 1,
  /** It came up a while ago, and its share still grows. */
  RAMPING: 2,
  /** Any of these: the circuit breaker is not closed. */
  TRIPPED: PHASE_BITS,
} as const;

/** The places in the line, of each kind of number. */
export const STATE_INT = { STATUS: 0, FAILURES_IN_A_ROW: 1, WINDOW_REQUESTS: 2, WINDOW_FAILURES: 3 } as const;
export const STATE_FLOAT = { UP_SINCE: 4, PROBE_FROM: 5, WINDOW_SINCE: 6, NO_REUSE_UNTIL: 7 } as const;

/** The cache line of one upstream in the `states` of the shared memory. */
export interface StateLine {
  readonly ints: Int32Array;
  readonly floats: Float64Array;
}

export function stateLineOf({ memory, number }: Slot): StateLine {
  const at = number * LINE_INTS * Int32Array.BYTES_PER_ELEMENT;
  return {
    ints: new Int32Array(memory.states, at, LINE_INTS),
    floats: new Float64Array(memory.states, at, LINE_INTS / 2),
  };
}

/**
 * Whether one upstream is well, for all threads. All times are milliseconds of the monotonic clock, which is the same in all
 * threads.
 *
 *   int32    | 0 status | 1 failures in a row | 2 requests, 3 failures when the window began | 4 .. 7         |
 *   float64             | 4 up since          | 5 probe from | 6 the window began | 7 no reuse until         |
 *
 * The status has the bits of `STATUS`, and the word of the circuit breaker between them (`breaker-word.ts`): a pick reads one number. The
 * other numbers, but for `up since` and `no reuse until`, are those of `breaker-state.ts`.
 */
export class UpstreamState {
  readonly #ints: Int32Array;
  readonly #floats: Float64Array;

  constructor(slot: Slot) {
    const { ints, floats } = stateLineOf(slot);
    this.#ints = ints;
    this.#floats = floats;
  }

  /** Bits of `STATUS`. */
  get status(): number {
    return this.#ints[STATE_INT.STATUS] as number;
  }

  get healthy(): boolean {
    return (this.status & STATUS.UNHEALTHY) === 0;
  }

  /** When it came up last. */
  get upSinceMs(): number {
    return this.#floats[STATE_FLOAT.UP_SINCE] as number;
  }

  /** Until then each of its connections serves one request only, because it has sent unsolicited bytes. */
  get noReuseUntilMs(): number {
    return this.#floats[STATE_FLOAT.NO_REUSE_UNTIL] as number;
  }

  set noReuseUntilMs(atMs: number) {
    this.#floats[STATE_FLOAT.NO_REUSE_UNTIL] = atMs;
  }

  /** The verdict of the active health checks. */
  setHealthy(healthy: boolean, nowMs: number): void {
    if (healthy === this.healthy) return;
    if (healthy) this.comesUp(nowMs);
    this.#mark(STATUS.UNHEALTHY, !healthy);
  }

  /** The upstream is back, or new: from now on its share grows. */
  comesUp(nowMs: number): void {
    this.#floats[STATE_FLOAT.UP_SINCE] = nowMs;
    this.#mark(STATUS.RAMPING, true);
  }

  /** The upstream that came up at `sinceMs` has its whole share. */
  rampOver(sinceMs: number): void {
    this.#mark(STATUS.RAMPING, false);
    // Meanwhile it may have come up once more.
    if (this.upSinceMs !== sinceMs) this.#mark(STATUS.RAMPING, true);
  }

  #mark(bit: number, on: boolean): void {
    if (on) Atomics.or(this.#ints, STATE_INT.STATUS, bit);
    else Atomics.and(this.#ints, STATE_INT.STATUS, ~bit);
  }
}

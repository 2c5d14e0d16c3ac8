import { SharedCount, type Slot } from './shared-memory.ts';
import { STATE_FLOAT, STATE_INT, stateLineOf } from './upstream-state.ts';

/** The outcomes of the requests since some moment. */
interface Tally {
  readonly requests: number;
  readonly failures: number;
}

/**
 * The state of the circuit breaker of one upstream, shared by all workers. It is in the line of `upstream-state.ts`; the requests and
 * failures that a worker saw are in its own row (`shared-memory.ts`).
 *
 * The word (`breaker-word.ts`) changes only by `swap`. The numbers beside it are written with plain stores before the step of the word that
 * makes them matter: a thread that reads the word first reads numbers that are no older.
 */
export class BreakerState {
  readonly #ints: Int32Array;
  readonly #floats: Float64Array;
  readonly #requests: SharedCount;
  readonly #failures: SharedCount;
  readonly row: number;

  /** `row`: the worker's. */
  constructor(slot: Slot, row: number) {
    const { ints, floats } = stateLineOf(slot);
    this.#ints = ints;
    this.#floats = floats;
    this.row = row;
    this.#requests = SharedCount.upstreamRequests(slot, row);
    this.#failures = SharedCount.upstreamFailures(slot, row);
  }

  get word(): number {
    return this.#ints[STATE_INT.STATUS] as number;
  }

  /** Makes a step. Returns false if another thread made one meanwhile. */
  swap(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#ints, STATE_INT.STATUS, from, to) === from;
  }

  /** When an open breaker may be probed, or a probe's claim be taken over. */
  get probeFromMs(): number {
    return this.#floats[STATE_FLOAT.PROBE_FROM] as number;
  }

  set probeFromMs(atMs: number) {
    this.#floats[STATE_FLOAT.PROBE_FROM] = atMs;
  }

  set upSinceMs(atMs: number) {
    this.#floats[STATE_FLOAT.UP_SINCE] = atMs;
  }

  /** A request has succeeded. It is called for every one, so there is no atomic operation unless a request has failed before. */
  countSuccess(): void {
    this.#requests.add(1);
    if (this.#ints[STATE_INT.FAILURES_IN_A_ROW] !== 0) Atomics.store(this.#ints, STATE_INT.FAILURES_IN_A_ROW, 0);
  }

  /** Returns how many have failed in a row now. */
  countFailure(): number {
    this.#requests.add(1);
    this.#failures.add(1);
    return Atomics.add(this.#ints, STATE_INT.FAILURES_IN_A_ROW, 1) + 1;
  }

  /**
   * Begins the window that `nowMs` falls into, if it has not begun yet. One window follows the other; after a time without failures the
   * next window begins with the next failure. Two threads that begin one together write the same numbers, except for the requests in
   * between.
   */
  enterWindow(nowMs: number, windowMs: number): void {
    const sinceMs = this.#floats[STATE_FLOAT.WINDOW_SINCE] as number;
    if (nowMs - sinceMs < windowMs) return;
    this.#ints[STATE_INT.WINDOW_REQUESTS] = this.#requests.total;
    this.#ints[STATE_INT.WINDOW_FAILURES] = this.#failures.total;
    this.#floats[STATE_FLOAT.WINDOW_SINCE] = nowMs;
  }

  /** The outcomes of the requests within the window. */
  get tally(): Tally {
    // The counts may pass the end of their 32 bits: their difference is right all the same.
    const since = (now: number, place: number) => (now - (this.#ints[place] as number)) | 0;
    return {
      requests: since(this.#requests.total, STATE_INT.WINDOW_REQUESTS),
      failures: since(this.#failures.total, STATE_INT.WINDOW_FAILURES),
    };
  }

  /** The failures so far do not count any more. */
  forgetFailures(): void {
    this.forgetWindow();
    Atomics.store(this.#ints, STATE_INT.FAILURES_IN_A_ROW, 0);
  }

  /** The next failure begins another window. */
  forgetWindow(): void {
    this.#floats[STATE_FLOAT.WINDOW_SINCE] = Number.NEGATIVE_INFINITY;
  }
}

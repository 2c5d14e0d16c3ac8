import { SharedCount, type Slot } from './shared-memory.ts';
import { STATE_FLOAT, STATE_INT, stateLineOf } from './upstream-state.ts';

/** What came of the requests since some moment. */
interface Tally {
  readonly requests: number;
  readonly failures: number;
}

/**
 * What the circuit breaker of one upstream remembers, one truth for all workers; in the line of `upstream-state.ts`, and in a
 * worker's own row (`shared-memory.ts`) the requests and failures that it saw.
 *
 * The word (`breaker-word.ts`) changes only by `swap`. The numbers beside it are plain stores that precede the step of the word
 * which makes them matter: who reads the word first reads numbers that are no older.
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

  /** Makes a step, unless somebody else made one meanwhile: then false. */
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

  /** A request has come to a good end. Called for every one: no atomic step unless something has failed before. */
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
   * Sees to it that the window that `nowMs` falls into has begun. One follows the other; the first one after a time without failures
   * begins with the next. Two threads that begin one together say the same but for what came in between.
   */
  enterWindow(nowMs: number, windowMs: number): void {
    const sinceMs = this.#floats[STATE_FLOAT.WINDOW_SINCE] as number;
    if (nowMs - sinceMs < windowMs) return;
    this.#ints[STATE_INT.WINDOW_REQUESTS] = this.#requests.total;
    this.#ints[STATE_INT.WINDOW_FAILURES] = this.#failures.total;
    this.#floats[STATE_FLOAT.WINDOW_SINCE] = nowMs;
  }

  /** What came of the requests within the window. */
  get tally(): Tally {
    // The counts may pass the end of their 32 bits: their difference is right all the same.
    const since = (now: number, place: number) => (now - (this.#ints[place] as number)) | 0;
    return {
      requests: since(this.#requests.total, STATE_INT.WINDOW_REQUESTS),
      failures: since(this.#failures.total, STATE_INT.WINDOW_FAILURES),
    };
  }

  /** What has failed so far speaks against nobody any more. */
  forgetFailures(): void {
    this.forgetWindow();
    Atomics.store(this.#ints, STATE_INT.FAILURES_IN_A_ROW, 0);
  }

  /** The next failure begins another window. */
  forgetWindow(): void {
    this.#floats[STATE_FLOAT.WINDOW_SINCE] = Number.NEGATIVE_INFINITY;
  }
}

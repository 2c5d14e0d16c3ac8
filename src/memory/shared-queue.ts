import { SharedCount, type Slot } from './shared-memory.ts';
import { atomicWakeUps, type WakeUps } from './wake-ups.ts';

/** A wait ends after this time at the latest, so that an object that is not in use any more is not kept in memory for ever. */
const LONGEST_WAIT_MS = 60_000;

/**
 * The requests that wait for a connection to one backend, over all workers: how many wait in each, and a wake-up word of each worker. The
 * others notify it when the worker should look for a free connection, or for idle connections to close.
 *
 * No wake-up is missed, because both sides write before they read: a worker whose request begins to wait publishes that and then looks for
 * a connection; a worker that frees a connection does so and then looks for requests that wait. The later of the two sees the other. All of
 * these operations are sequentially consistent.
 */
export class SharedQueue {
  readonly row: number;
  readonly workers: number;
  readonly #waiting: SharedCount;
  readonly #wakeUpWords: Int32Array;
  readonly #firstWord: number;
  readonly #wakeUps: WakeUps;

  constructor(slot: Slot, row: number, wakeUps: WakeUps = atomicWakeUps) {
    const { memory, number } = slot;
    this.row = row;
    this.workers = memory.workers;
    this.#waiting = SharedCount.backendWaiting(slot, row);
    this.#wakeUpWords = new Int32Array(memory.wakeUpWords);
    this.#firstWord = number * memory.workers;
    this.#wakeUps = wakeUps;
  }

  /** One more request of this worker waits. */
  joined(): void {
    this.#waiting.publish(this.#waiting.own + 1);
  }

  /** One request of this worker waits no longer. */
  left(): void {
    this.#waiting.publish(this.#waiting.own - 1);
  }

  /** How many wait, over all workers. */
  get waiting(): number {
    return this.#waiting.total;
  }

  /** How many wait in other workers. */
  get waitingElsewhere(): number {
    let sum = 0;
    for (let row = 0; row < this.workers; row++) if (row !== this.row) sum += this.#waiting.in(row);
    return sum;
  }

  waitingIn(row: number): number {
    return this.#waiting.in(row);
  }

  /** Wakes the worker of that row. */
  notify(row: number): void {
    this.#wakeUps.notify(this.#wakeUpWords, this.#firstWord + row);
  }

  /** Calls `woken` once, in an event of its own, when this worker is notified from now on, or after a minute. */
  wait(woken: () => void): void {
    this.#wakeUps.wait(this.#wakeUpWords, this.#firstWord + this.row, LONGEST_WAIT_MS, woken);
  }
}

import { SharedCount, type Slot } from './shared-memory.ts';
import { atomicWakeUps, type WakeUps } from './wake-ups.ts';

/** Whoever listens hears that long after at the latest, so that what is not in use any more is not kept in memory for ever. */
const LONGEST_LISTENING_MS = 60_000;

/**
 * What workers tell each other about requests that wait for a connection to one backend: how many wait in each worker, and a bell
 * of each worker, which the others ring when it should look for room or for idle connections to give up.
 *
 * Nothing is missed, because both sides write before they read: who begins to wait says so and then looks for room; who makes room
 * does that and then looks who waits. Whichever is later sees the other. All of it is done with sequentially consistent operations.
 */
export class SharedQueue {
  readonly row: number;
  readonly workers: number;
  readonly #waiting: SharedCount;
  readonly #bells: Int32Array;
  readonly #firstBell: number;
  readonly #wakeUps: WakeUps;

  constructor(slot: Slot, row: number, wakeUps: WakeUps = atomicWakeUps) {
    const { memory, number } = slot;
    this.row = row;
    this.workers = memory.workers;
    this.#waiting = SharedCount.backendWaiting(slot, row);
    this.#bells = new Int32Array(memory.bells);
    this.#firstBell = number * memory.workers;
    this.#wakeUps = wakeUps;
  }

  /** One more request of this worker waits. */
  joined(): void {
    this.#waiting.publish(this.#waiting.own + 1);
  }

  /** One of them waits no longer. */
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

  ring(row: number): void {
    this.#wakeUps.notify(this.#bells, this.#firstBell + row);
  }

  /** Calls `heard` once, in a turn of its own, when this worker's bell is rung from now on, or after a minute. */
  listen(heard: () => void): void {
    this.#wakeUps.wait(this.#bells, this.#firstBell + this.row, LONGEST_LISTENING_MS, heard);
  }
}

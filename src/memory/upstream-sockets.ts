import { LINE_INTS, SharedCount, type Slot, TAKEN_AT } from './shared-memory.ts';

/**
 * The sockets of one upstream, counted twice: in the row of each worker, and all together in one number that is changed atomically,
 * so that a limit holds exactly however many workers open one at the same moment.
 *
 * A worker that dies between the two leaves the common number too high, never too low: the limit may be one less, not one more.
 */
export class UpstreamSockets {
  readonly #ints: Int32Array;
  readonly #taken: number;
  readonly #row: SharedCount;

  constructor(slot: Slot, row: number) {
    this.#ints = new Int32Array(slot.memory.states);
    this.#taken = slot.number * LINE_INTS + TAKEN_AT;
    this.#row = SharedCount.upstreamSockets(slot, row);
  }

  /** Counts another socket. Returns false if there are `limit` over all workers already. */
  tryAcquire(limit: number): boolean {
    for (let seen = this.total; seen < limit; ) {
      const was = Atomics.compareExchange(this.#ints, this.#taken, seen, seen + 1);
      if (was === seen) {
        this.#row.add(1);
        return true;
      }
      seen = was;
    }
    return false;
  }

  /** A socket is closed. */
  release(): void {
    this.#row.add(-1);
    Atomics.sub(this.#ints, this.#taken, 1);
  }

  /** Over all workers. */
  get total(): number {
    return Atomics.load(this.#ints, this.#taken);
  }

  /** Of this worker. */
  get own(): number {
    return this.#row.own;
  }

  /** Of the worker of that row. */
  in(row: number): number {
    return this.#row.in(row);
  }
}

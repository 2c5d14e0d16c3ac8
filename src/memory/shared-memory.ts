/**
 * What all threads of the process see at once. Plain data: it goes to a worker as it is, and stays shared.
 *
 * `rows` has one row per worker, each a multiple of a cache line, so that no two workers write to the same line:
 *
 *            0                  1              2 .. 15    16 .. 23        24 .. 31        ...
 *   row w  | connections open | sockets open | (unused) | upstream 0    | upstream 1    | ... | backend 0 | backend 1 | ...
 *          |<-------------- ROW_HEADER --------------->|  in the order of the configuration, eight numbers each
 *
 *   an upstream: | sockets | in flight | idle | requests | failures | (unused) x 3 |
 *   a backend:   | waiting | (unused) x 7 |
 *
 * A worker writes its own row only, with plain stores; a reader adds the rows up. When a worker dies, its row is cleared by
 * the control thread: what it counted died with it.
 *
 * `cursors` has one counter per backend, a cache line each, advanced by all workers with atomic adds.
 *
 * `states` has a cache line per upstream, which says whether it is well: see upstream-state.ts.
 */
export interface SharedMemory {
  readonly workers: number;
  readonly upstreams: number;
  readonly rowInts: number;
  readonly rows: SharedArrayBuffer;
  readonly cursors: SharedArrayBuffer;
  readonly states: SharedArrayBuffer;
}

/**
 * Where one upstream or backend is counted. What comes with a later configuration has a memory of its own, of which only that
 * part is used: what stays is counted on where it was.
 */
export interface Slot {
  readonly memory: SharedMemory;
  /** The number of the upstream, or of the backend, in that memory. */
  readonly number: number;
}

/** The slots of one configuration, in its order; those of upstreams over all backends. */
export interface Slots {
  readonly upstreams: readonly Slot[];
  readonly backends: readonly Slot[];
}

/** The slots of the configuration that a memory was made for. */
export function slotsOf(memory: SharedMemory, { backends }: SharedMemoryShape): Slots {
  const slot = (_each: unknown, number: number): Slot => ({ memory, number });
  return { upstreams: backends.flatMap(({ upstreams }) => upstreams).map(slot), backends: backends.map(slot) };
}

/** What the layout depends on. */
export interface SharedMemoryShape {
  readonly backends: readonly { readonly upstreams: readonly unknown[] }[];
}

/** 64 bytes, the cache line of every machine that Node runs on that matters. */
export const LINE_INTS = 16;
const ROW_HEADER = LINE_INTS;
const CONNECTIONS = 0;
const SOCKETS = 1;

/** What a row has of each upstream and of each backend. */
const ENTRY_INTS = 8;
const UPSTREAM = { SOCKETS: 0, IN_FLIGHT: 1, IDLE: 2, REQUESTS: 3, FAILURES: 4 } as const;

export function createSharedMemory(shape: SharedMemoryShape, workers: number): SharedMemory {
  const upstreams = shape.backends.reduce((sum, backend) => sum + backend.upstreams.length, 0);
  const entries = (upstreams + shape.backends.length) * ENTRY_INTS;
  const rowInts = ROW_HEADER + Math.ceil(entries / LINE_INTS) * LINE_INTS;
  const ints = (count: number) => new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT);
  return {
    workers,
    upstreams,
    rowInts,
    rows: ints(workers * rowInts),
    cursors: ints(shape.backends.length * LINE_INTS),
    states: ints(upstreams * LINE_INTS),
  };
}

/** Forgets what a dead worker counted; part of `dead-worker.ts`. */
export function clearWorkerRow(shared: SharedMemory, row: number): void {
  new Int32Array(shared.rows, row * shared.rowInts * Int32Array.BYTES_PER_ELEMENT, shared.rowInts).fill(0);
}

/** A count that one worker changes and that is read over all of them. */
export class SharedCount {
  readonly #ints: Int32Array;
  readonly #rowInts: number;
  readonly #offset: number;
  readonly #own: number;

  private constructor(shared: SharedMemory, row: number, offset: number) {
    this.#ints = new Int32Array(shared.rows);
    this.#rowInts = shared.rowInts;
    this.#offset = offset;
    this.#own = row * shared.rowInts + offset;
  }

  /** Open connections from clients. */
  static connections(shared: SharedMemory, row: number): SharedCount {
    return new SharedCount(shared, row, CONNECTIONS);
  }

  /** All sockets, those of clients and those of upstreams. */
  static sockets(shared: SharedMemory, row: number): SharedCount {
    return new SharedCount(shared, row, SOCKETS);
  }

  /** Sockets of one upstream, busy and idle. */
  static upstreamSockets(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.SOCKETS);
  }

  /** Exchanges that are under way at one upstream. */
  static upstreamInFlight(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.IN_FLIGHT);
  }

  /** Requests to one upstream whose end is known, good or bad. */
  static upstreamRequests(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.REQUESTS);
  }

  /** Those of them that failed. */
  static upstreamFailures(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.FAILURES);
  }

  static #ofUpstream({ memory, number }: Slot, row: number, what: number): SharedCount {
    return new SharedCount(memory, row, ROW_HEADER + number * ENTRY_INTS + what);
  }

  /** Adds to this worker's part. */
  add(delta: number): void {
    this.#ints[this.#own] = this.own + delta;
  }

  /** This worker's part. */
  get own(): number {
    return this.#ints[this.#own] as number;
  }

  /** The sum over all workers, each part as of some moment just now. */
  get total(): number {
    let total = 0;
    for (let at = this.#offset; at < this.#ints.length; at += this.#rowInts) total += this.#ints[at] as number;
    return total;
  }
}

/** A place in a sequence that all workers go through together. */
export class SharedCursor {
  readonly #ints: Int32Array;
  readonly #index: number;

  constructor({ memory, number }: Slot) {
    this.#ints = new Int32Array(memory.cursors);
    this.#index = number * LINE_INTS;
  }

  /** Takes the next place, from 0 to `length` - 1 and round again. */
  next(length: number): number {
    return (Atomics.add(this.#ints, this.#index, 1) >>> 0) % length;
  }
}

/**
 * The memory that all threads of the process share. Plain data: it is posted to a worker as it is, and stays shared.
 *
 * `rows` has one row per worker, each a multiple of a cache line, so that no two workers write to the same line:
 *
 *            0                  1              2       3        4 .. 15    16 .. 23     24 .. 31     ...
 *   row w  | connections open | sockets open | beats | thread | (unused) | upstream 0 | upstream 1 | ... | backend 0 | backend 1 | ...
 *          |<------------------------ ROW_HEADER ---------------------->|  in the order of the configuration, eight numbers each
 *
 *   an upstream: | sockets | in flight | idle | requests | failures | (unused) x 3 |
 *   a backend:   | waiting | (unused) x 7 |
 *
 * A worker writes its own row only, with plain stores; a reader adds the rows up. When a worker dies, the control thread clears its row:
 * the connections and requests that it counted are gone.
 *
 * `cursors` has a cache line per backend, changed by all workers with atomic operations:
 *
 *   | cursor | retries of this second, see shared-rate-window.ts | (unused) x 14 |
 *
 * `states` has a cache line per upstream, which says whether it is well: see upstream-state.ts. Its number `TAKEN` counts the
 * sockets of all workers: see upstream-sockets.ts.
 *
 * `wakeUpWords` has a number per backend and worker, at which that worker waits for wake-ups of the backend: see shared-queue.ts.
 */
export interface SharedMemory {
  readonly workers: number;
  readonly upstreams: number;
  readonly rowInts: number;
  readonly rows: SharedArrayBuffer;
  readonly cursors: SharedArrayBuffer;
  readonly states: SharedArrayBuffer;
  readonly wakeUpWords: SharedArrayBuffer;
}

/**
 * The place where one upstream or backend is counted. Upstreams and backends that a later configuration adds have a memory of their own, of
 * which only their part is used; those that stay are counted where they were.
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

/** The sizes that the layout depends on. */
export interface SharedMemoryShape {
  readonly backends: readonly { readonly upstreams: readonly unknown[] }[];
}

/** 64 bytes, the cache line of every machine that Node runs on that matters. */
export const LINE_INTS = 16;
const ROW_HEADER = LINE_INTS;
const CONNECTIONS = 0;
const SOCKETS = 1;
const BEATS = 2;
const THREAD = 3;

/** The numbers of each upstream and of each backend in a row. */
const ENTRY_INTS = 8;
const UPSTREAM = { SOCKETS: 0, IN_FLIGHT: 1, IDLE: 2, REQUESTS: 3, FAILURES: 4 } as const;
const BACKEND = { WAITING: 0 } as const;

/** In the line of an upstream in `states`: its sockets over all workers. */
export const TAKEN_AT = 7;

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
    wakeUpWords: ints(shape.backends.length * workers),
  };
}

/** Forgets what a dead worker counted, and wakes the workers that wait for a connection of it; part of `dead-worker.ts`. */
export function clearWorkerRow(shared: SharedMemory, row: number): void {
  const ints = new Int32Array(shared.rows, row * shared.rowInts * Int32Array.BYTES_PER_ELEMENT, shared.rowInts);
  const states = new Int32Array(shared.states);
  for (let number = 0; number < shared.upstreams; number++) {
    const sockets = ints[ROW_HEADER + number * ENTRY_INTS + UPSTREAM.SOCKETS] as number;
    Atomics.sub(states, number * LINE_INTS + TAKEN_AT, sockets);
  }
  ints.fill(0);
  const words = new Int32Array(shared.wakeUpWords);
  for (let word = 0; word < words.length; word++) {
    Atomics.add(words, word, 1);
    Atomics.notify(words, word);
  }
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

  /** Counts up for as long as the event loop of the worker turns; 0 until it has begun to. */
  static beats(shared: SharedMemory, row: number): SharedCount {
    return new SharedCount(shared, row, BEATS);
  }

  /** The number that the system has given to the worker's thread; 0 where it is not known. */
  static threadNumber(shared: SharedMemory, row: number): SharedCount {
    return new SharedCount(shared, row, THREAD);
  }

  /** Sockets of one upstream, busy and idle. */
  static upstreamSockets(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.SOCKETS);
  }

  /** Exchanges that are under way at one upstream. */
  static upstreamInFlight(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.IN_FLIGHT);
  }

  /** Sockets of one upstream that wait for a request. Only counted where the sockets are limited. */
  static upstreamIdle(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.IDLE);
  }

  /** Requests that wait for a connection to one backend. */
  static backendWaiting({ memory, number }: Slot, row: number): SharedCount {
    return new SharedCount(memory, row, ROW_HEADER + (memory.upstreams + number) * ENTRY_INTS + BACKEND.WAITING);
  }

  /** Requests to one upstream whose end is known, good or bad. */
  static upstreamRequests(slot: Slot, row: number): SharedCount {
    return SharedCount.#ofUpstream(slot, row, UPSTREAM.REQUESTS);
  }

  /** Requests to one upstream that failed. */
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

  /** Sets this worker's part. Threads that read it with `in` from now on see it, and this thread sees what they wrote before. */
  publish(value: number): void {
    Atomics.store(this.#ints, this.#own, value);
  }

  /** The part of the worker of that row. */
  in(row: number): number {
    return Atomics.load(this.#ints, row * this.#rowInts + this.#offset);
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

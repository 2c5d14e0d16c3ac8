import { SharedCount, type SharedMemory } from '../memory/shared-memory.ts';
import type { EventLog } from './event-log.ts';
import type { WorkerReport } from './look-into-worker.ts';

/** How often the watch looks within `server.worker_timeout`. */
export const LOOKS = 10;

/** A worker, as far as the watch is concerned. */
export interface WatchedWorker {
  readonly threadId: number;
  /** Ends the thread; `reason` is what its death is logged with. */
  end(reason: string): Promise<void>;
}

export interface WorkerWatchOptions {
  readonly shared: SharedMemory;
  /** The worker of each row; null for a row that has none just now. */
  readonly workers: () => readonly (WatchedWorker | null)[];
  /** `server.worker_timeout`. */
  readonly timeoutMs: () => number;
  readonly log: EventLog;
  /** Finds out what a thread does; null when that takes too long, and for as long as someone debugs the process. */
  readonly lookInto: (threadId: number) => Promise<WorkerReport | null>;
  /** For how long a thread has waited for a processor, by the system's number of it. */
  readonly waitedMs: (threadNumber: number) => number;
  /** The workers may be stopped by a debugger: none of them is stuck. */
  readonly isDebugged: () => boolean;
  /** A thread cannot be ended: it will not be replaced, for two workers must never share a row. */
  readonly onLost: (row: number) => void;
}

/**
 * Ends workers that are stuck: whose event loop has not turned for `server.worker_timeout`. Each worker counts up a word in shared memory, and
 * the watch counts its own looks in which that stays the same:
 *
 *   alive --LOOKS looks without a beat--> stuck --its turn--> looked into --no beat--> ending --gone--> (the next worker of the row)
 *     ^_______________a beat________________/____________________/                        \--LOOKS looks--> lost
 *
 * The looks are the measure of time: when the whole process is stopped, there are none. A look counts less when the thread had to wait for a
 * processor since the look before, as on a machine that is too busy, and not at all when it had none. At most one worker is ended within
 * `LOOKS` looks, so that what makes all of them stuck does not take all connections at once.
 */
export class WorkerWatch {
  readonly #options: WorkerWatchOptions;
  readonly #silences: readonly Silence[];
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** So many looks have to pass before the next worker is ended. */
  #restLooks = 0;
  #lookingInto = false;

  constructor(options: WorkerWatchOptions) {
    this.#options = options;
    this.#silences = Array.from({ length: options.shared.workers }, (_, row) => new Silence(row, options.shared));
  }

  /** Looks from now on, until `close`. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.look();
      this.start();
    }, this.#lookMs()).unref();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #lookMs(): number {
    return this.#options.timeoutMs() / LOOKS;
  }

  /** Looks once. */
  look(): void {
    const { workers, waitedMs, isDebugged, onLost } = this.#options;
    for (const [row, worker] of workers().entries()) {
      const silence = this.#silences[row] as Silence;
      silence.look(worker, this.#lookMs(), waitedMs);
      if (silence.isLost) onLost(row);
    }
    if (this.#restLooks > 0) this.#restLooks--;
    else if (!this.#lookingInto && !isDebugged()) this.#endStuck();
  }

  #endStuck(): void {
    const silence = this.#silences.find(({ isStuck }) => isStuck);
    if (silence === undefined) return;
    this.#lookingInto = true;
    void this.#lookIntoAndEnd(silence).finally(() => {
      this.#lookingInto = false;
    });
  }

  async #lookIntoAndEnd(silence: Silence): Promise<void> {
    const { log, lookInto } = this.#options;
    const { row, worker } = silence;
    if (worker === null) return;
    const report = await lookInto(worker.threadId).catch(() => null);
    if (this.#closed || silence.worker !== worker) return;
    const timeoutMs = this.#options.timeoutMs();
    const recovered = !silence.isStuck || silence.isOver;
    log.error('worker-stuck', { worker: row, timeoutMs, recovered, ...(report ?? { stack: null }) });
    if (recovered) return;
    this.#restLooks = LOOKS;
    silence.end();
    void worker.end(`it was stuck for more than ${timeoutMs} ms`);
  }
}

/** For how long the worker of a row has given no sign of life. */
class Silence {
  readonly row: number;
  worker: WatchedWorker | null = null;
  readonly #beats: SharedCount;
  readonly #threadNumber: SharedCount;
  #seenBeats = 0;
  #seenWaitMs = 0;
  /** In looks. */
  #length = 0;
  /** The length at which a worker that is being ended is lost; null for one that is not. */
  #lostAt: number | null = null;
  isLost = false;

  constructor(row: number, shared: SharedMemory) {
    this.row = row;
    this.#beats = SharedCount.beats(shared, row);
    this.#threadNumber = SharedCount.threadNumber(shared, row);
  }

  look(worker: WatchedWorker | null, lookMs: number, waitedMs: (threadNumber: number) => number): void {
    const beats = this.#beats.in(this.row);
    const waitMs = waitedMs(this.#threadNumber.in(this.row));
    // A thread that loads its own code does not beat yet.
    if (worker === null || worker !== this.worker || beats !== this.#seenBeats || beats === 0) this.#begin(worker);
    else this.#length += Math.max(0, 1 - Math.max(0, waitMs - this.#seenWaitMs) / lookMs);
    this.#seenBeats = beats;
    this.#seenWaitMs = waitMs;
    this.isLost = this.#lostAt !== null && this.#length >= this.#lostAt;
    // It is said once.
    if (this.isLost) this.#lostAt = Number.POSITIVE_INFINITY;
  }

  #begin(worker: WatchedWorker | null): void {
    this.#length = 0;
    if (worker !== this.worker) this.#lostAt = null;
    this.worker = worker;
  }

  get isStuck(): boolean {
    return this.#length >= LOOKS && this.#lostAt === null;
  }

  /** There has been a beat since the last look. */
  get isOver(): boolean {
    return this.#beats.in(this.row) !== this.#seenBeats;
  }

  /** The worker is being ended from now on. */
  end(): void {
    this.#lostAt = this.#length + LOOKS;
  }
}

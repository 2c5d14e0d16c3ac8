import { write } from 'node:fs';
import type { AccessLogConfig } from '../config/config.ts';
import { closeOutput, hasMoved, type OpenOutput, openOutput, openOutputNow } from './access-output.ts';
import { Change } from './change.ts';
import type { EventLog } from './event-log.ts';

/** Lines as a worker handed them over. */
export interface AccessLines {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** Called once, when they are written or given up. */
  release(): void;
}

/** How soon a full pipe is tried again, in ms. */
const FULL_PAUSE_MS = 20;
/** How soon an output that failed is tried again, and how often the file's name is looked at. */
const LOOK_EVERY_MS = 1000;
/** Lines that were lost are reported no more often than this. */
const REPORT_EVERY_MS = 10_000;
/** How long the end of the process waits for an output that takes nothing. */
const CLOSE_TIMEOUT_MS = 1000;

const LF = 0x0a;

/**
 * The access log's one writer. It has one write under way at a time and never waits for it:
 *
 *           +--------- written ---------+
 *           v                           |
 *   idle --lines--> writing ------------+-- queue empty --> idle
 *                    ^   |
 *        20 ms, 1 s  |   | EAGAIN (a pipe is full), or any other error
 *                    paused
 *
 * Invariant: at most `maxWaiting` pieces wait; further ones are dropped and counted.
 */
export class AccessLog {
  readonly #file: string | null;
  readonly #log: EventLog;
  readonly #maxWaiting: number;
  readonly #queue: AccessLines[] = [];
  readonly #looking: NodeJS.Timeout | null;
  #output: OpenOutput;
  /** How much of the first piece in the queue is written. */
  #written = 0;
  #busy = false;
  #paused: NodeJS.Timeout | null = null;
  #reopenDue = false;
  /** The last error of the output, which has been said; null while it works. */
  #failure: string | null = null;
  /** Why the file could not be opened anew, which has been said. */
  #openFailure: string | null = null;
  #idle: (() => void) | null = null;
  #closed = false;
  /** Nothing is written any more. */
  #ended = false;
  #unreported = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #reporting: NodeJS.Timeout | null = null;
  /** Lines that were lost since the start. */
  droppedLines = 0;

  /**
   * `file` null: standard output. Throws an Error of one line when the file cannot be opened. `maxWaiting`: how many pieces of
   * lines may wait.
   */
  constructor(file: string | null, log: EventLog, maxWaiting: number) {
    this.#file = file;
    this.#log = log;
    this.#maxWaiting = maxWaiting;
    this.#output = openOutputNow(file);
    this.#looking = file === null ? null : setInterval(() => this.#look(file), LOOK_EVERY_MS).unref();
  }

  append(lines: AccessLines): void {
    if (this.#closed || this.#queue.length >= this.#maxWaiting) {
      this.drop(lines.lines);
      lines.release();
      return;
    }
    this.#queue.push(lines);
    this.#next();
  }

  /** Counts lines that were lost, here or on the way. */
  drop(lines: number): void {
    this.droppedLines += lines;
    this.#unreported += lines;
    const waitMs = this.#reportedMs + REPORT_EVERY_MS - performance.now();
    if (waitMs <= 0) this.#report();
    else this.#reporting ??= setTimeout(() => this.#report(), waitMs).unref();
  }

  /** Opens the file anew before the next lines: for log rotation. */
  reopen(): void {
    this.#reopenDue = true;
    this.#next();
  }

  /** Writes what waits, for a second at most where the output takes nothing, and closes. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#looking !== null) clearInterval(this.#looking);
    await this.#settled();
    this.#ended = true;
    if (this.#paused !== null) clearTimeout(this.#paused);
    const lost = this.#queue.reduce((sum, { lines }) => sum + lines, 0);
    this.#queue.length = 0;
    this.droppedLines += lost;
    this.#unreported += lost;
    if (this.#unreported > 0) this.#report();
    if (!this.#busy) closeOutput(this.#output);
  }

  /** Resolves when nothing waits any more, or when it will not be waited for. */
  #settled(): Promise<void> {
    if (this.#queue.length === 0 && !this.#busy) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    this.#idle = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  #next(): void {
    if (this.#ended) closeOutput(this.#output);
    if (this.#ended || this.#busy || this.#paused !== null) return;
    const first = this.#queue[0];
    if (this.#reopenDue && this.#file !== null) this.#open(this.#file);
    else if (first !== undefined) this.#write(first);
    else this.#idle?.();
  }

  #write({ bytes }: AccessLines): void {
    this.#busy = true;
    write(this.#output.fd, bytes, this.#written, bytes.length - this.#written, null, (error, written) => {
      this.#busy = false;
      if (error === null) this.#wrote(written);
      else if (error.code === 'EAGAIN') this.#pause(FULL_PAUSE_MS);
      else this.#failed(error);
    });
  }

  #wrote(bytes: number): void {
    this.#written += bytes;
    if (this.#failure !== null) {
      this.#failure = null;
      this.#log.info('access-log-recovered', { output: this.#name(), droppedLines: this.droppedLines });
    }
    if (this.#written === this.#queue[0]?.bytes.length) this.#shift();
    this.#next();
  }

  #shift(): void {
    this.#written = 0;
    this.#queue.shift()?.release();
  }

  /** Says it once. The lines stay where they are and are tried again: the disk may have room by then. */
  #failed(error: Error): void {
    if (this.#failure === null) {
      this.#log.error('access-log-failed', { output: this.#name(), reason: error.message });
    }
    this.#failure = error.message;
    this.#pause(LOOK_EVERY_MS);
  }

  #pause(ms: number): void {
    if (this.#ended) return;
    this.#paused = setTimeout(() => {
      this.#paused = null;
      this.#next();
    }, ms).unref();
  }

  /** Where the name of the file leads elsewhere by now, it was rotated: nobody has to send a signal. */
  #look(file: string): void {
    hasMoved(file, this.#output, (moved) => {
      if (moved) this.reopen();
    });
  }

  #open(file: string): void {
    // A line that is half written is ended where it began; one that waits for a full disk to recover has to move.
    if (this.#written > 0 && this.#failure === null && this.#queue[0] !== undefined) {
      this.#write(this.#queue[0]);
      return;
    }
    this.#busy = true;
    this.#reopenDue = false;
    openOutput(file, (failure, output) => {
      this.#busy = false;
      if (output === null) this.#keep(failure);
      else this.#use(output);
      this.#next();
    });
  }

  /** What we have open is written to until something else can be had; the next look tries again. */
  #keep(reason: string): void {
    if (this.#openFailure === null) this.#log.error('access-log-not-reopened', { output: this.#name(), reason });
    this.#openFailure = reason;
  }

  #use(output: OpenOutput): void {
    this.#openFailure = null;
    if (output.identity !== this.#output.identity) {
      this.#skipCutLine();
      this.#log.info('access-log-reopened', { output: this.#name() });
    }
    closeOutput(this.#output);
    this.#output = output;
  }

  /** The beginning of this line is in another file. */
  #skipCutLine(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#written === 0 || first.bytes[this.#written - 1] === LF) return;
    this.#written = first.bytes.indexOf(LF, this.#written) + 1;
    this.drop(1);
    if (this.#written === first.bytes.length) this.#shift();
  }

  #report(): void {
    if (this.#reporting !== null) clearTimeout(this.#reporting);
    this.#reporting = null;
    this.#reportedMs = performance.now();
    this.#log.warn('access-log-dropped', { count: this.#unreported, output: this.#name() });
    this.#unreported = 0;
  }

  #name(): string {
    return this.#file ?? 'stdout';
  }
}

/** The output that a configuration wants. */
type WantedOutput = Pick<AccessLogConfig, 'enabled' | 'file'>;

/** The access log of the configuration that is served. */
export class ServedAccessLog {
  readonly #log: EventLog;
  readonly #maxWaiting: number;
  #wanted: WantedOutput = { enabled: false, file: null };
  #current: AccessLog | null = null;
  /** The access log of the configuration before, until all workers have gone over. */
  #former: AccessLog | null = null;

  /** `maxWaiting`: as for `AccessLog`. */
  constructor(log: EventLog, maxWaiting: number) {
    this.#log = log;
    this.#maxWaiting = maxWaiting;
  }

  /** Null while nothing is logged. */
  get current(): AccessLog | null {
    return this.#current;
  }

  /** Goes over to another output. `prepare` opens its file, and throws an Error of one line if it cannot. */
  change(wanted: WantedOutput): Change {
    const before = this.#current;
    return new Change<AccessLog | null>('the access log', {
      prepare: () => (this.#isServed(wanted) ? before : this.#open(wanted)),
      commit: (next) => {
        this.#wanted = wanted;
        // Until the last worker has gone over, some log takes the lines of both configurations.
        this.#current = next ?? before;
        this.#former = before;
      },
      finish: (next) => {
        this.#current = next;
        this.#former = null;
        if (next !== before) void before?.close();
      },
      abandon: (next) => (next === before ? undefined : next?.close()),
    });
  }

  #isServed({ enabled, file }: WantedOutput): boolean {
    return enabled === this.#wanted.enabled && file === this.#wanted.file;
  }

  #open({ enabled, file }: WantedOutput): AccessLog | null {
    return enabled ? new AccessLog(file, this.#log, this.#maxWaiting) : null;
  }

  /** Opens the file again, because it was moved away. */
  reopen(): void {
    this.#current?.reopen();
  }

  /** Writes the lines that wait and closes the outputs, as `AccessLog.close` does. */
  async close(): Promise<void> {
    await Promise.all([this.#current?.close(), this.#former?.close()]);
  }
}

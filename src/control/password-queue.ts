import { type Clock, monotonicClock } from '../base/clock.ts';
import { MAX_WAITING_PASSWORDS, PasswordQueueState } from '../memory/password-queue.ts';
import type { PasswordAnswer } from '../messages/to-worker.ts';
import { MAX_KEPT_MS, type PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { RecentDigests } from '../middleware/auth/basic/recent-digests.ts';
import { Change } from './change.ts';
import type { EventLog } from './event-log.ts';
import { type HashAnswer, type PasswordHasher, startPasswordThread } from './password-hasher.ts';
import { RestartBackoff } from './restart-backoff.ts';

/** A client that goes on with an old password costs one hash in this time. */
const WRONG_KEPT_MS = 10_000;
/** Between two times that the log says that there is no room. */
const WARN_MS = 60_000;

/** A question, and the workers that ask it, by their rows. */
interface Job extends PasswordQuestion {
  readonly rows: Set<number>;
}

export interface PasswordQueueOptions {
  readonly clock?: Clock;
  /** A test puts another one in its place. */
  readonly start?: (hashed: (answer: HashAnswer) => void) => PasswordHasher;
}

/**
 * Has passwords hashed, one at a time and once for all workers.
 *
 *   asked --known--> answered
 *     |  \--asked already--> waits with the other one
 *     |  \--64 wait, or there is no hasher--> refused
 *     \--> waiting --its turn--> hashing --> answered, known
 *            \_____________________\___hasher dies___> refused; the hasher is replaced
 *
 * Invariant: what is hashed comes first in `#jobs`, and there is something whenever `#hashing`.
 */
export class PasswordQueue {
  /** The state of the queue, for the workers to read. */
  readonly memory: SharedArrayBuffer = PasswordQueueState.allocate();
  readonly #state = new PasswordQueueState(this.memory);
  readonly #log: EventLog;
  readonly #answer: (row: number, answer: PasswordAnswer) => void;
  readonly #clock: Clock;
  readonly #start: NonNullable<PasswordQueueOptions['start']>;
  readonly #right = new RecentDigests();
  readonly #wrong = new RecentDigests();
  /** By digest, in the order in which they came. */
  readonly #jobs = new Map<string, Job>();
  readonly #backoff = new RestartBackoff();
  #hasher: PasswordHasher | null = null;
  #restart: NodeJS.Timeout | null = null;
  #hashing = false;
  #begunMs = 0;
  /** A moving average of how long a hash takes. */
  #usualMs = 0;
  #warnedMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** `answer` is called once for every question. */
  constructor(
    log: EventLog,
    answer: (row: number, answer: PasswordAnswer) => void,
    { clock = monotonicClock, start = startPasswordThread }: PasswordQueueOptions = {},
  ) {
    this.#log = log;
    this.#answer = answer;
    this.#clock = clock;
    this.#start = start;
  }

  /** Starts the thread that hashes if there are passwords to be hashed, and ends it if there are none. After `close`, no thread is started. */
  use(wanted: boolean): void {
    if (wanted && !this.#closed && this.#hasher === null && this.#restart === null) this.#begin();
    if (!wanted) this.#end();
  }

  /**
   * Goes over to a configuration that has passwords to be hashed, or has none (`wanted`). The thread is there until all workers have gone over, if
   * one of both configurations has passwords.
   */
  change(wanted: boolean): Change {
    return new Change('the password queue', {
      prepare: () => undefined,
      commit: () => {
        if (wanted) this.use(true);
      },
      finish: () => this.use(wanted),
    });
  }

  ask(row: number, question: PasswordQuestion): void {
    const { digest } = question;
    const known = this.#recall(digest) ?? this.#refusal(digest);
    if (known !== null) {
      this.#answer(row, known);
      return;
    }
    const job = this.#jobs.get(digest) ?? { ...question, rows: new Set() };
    job.rows.add(row);
    this.#jobs.set(digest, job);
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.use(false);
  }

  #recall(digest: string): PasswordAnswer | null {
    const nowMs = this.#clock.nowMs();
    const untilMs = this.#right.untilOf(digest, nowMs);
    if (untilMs !== 0) return { digest, verdict: 'right', untilMs };
    return this.#wrong.untilOf(digest, nowMs) === 0 ? null : { digest, verdict: 'wrong', untilMs: 0 };
  }

  #refusal(digest: string): PasswordAnswer | null {
    if (this.#hasher === null) return { digest, verdict: 'failed', untilMs: 0 };
    // The first one is being hashed, and does not wait.
    if (this.#jobs.has(digest) || this.#jobs.size <= MAX_WAITING_PASSWORDS) return null;
    this.#warnFull();
    return { digest, verdict: 'full', untilMs: 0 };
  }

  #warnFull(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#warnedMs < WARN_MS) return;
    this.#warnedMs = nowMs;
    this.#log.warn('password-queue-full', { waiting: MAX_WAITING_PASSWORDS, hashMs: Math.round(this.#usualMs) });
  }

  #next(): void {
    this.#publish();
    const [job] = this.#jobs.values();
    if (this.#hashing || job === undefined) return;
    this.#hashing = true;
    this.#begunMs = this.#clock.nowMs();
    this.#hasher?.hash({ hash: job.hash, password: job.password });
  }

  #publish(): void {
    const { size } = this.#jobs;
    this.#state.publish(Math.max(0, size - 1), Math.ceil((size * this.#usualMs) / 1000));
  }

  #hashed({ holds, failure }: HashAnswer): void {
    const [job] = this.#jobs.values();
    if (job === undefined) return;
    const nowMs = this.#clock.nowMs();
    this.#usualMs += (nowMs - this.#begunMs - this.#usualMs) / 4;
    this.#hashing = false;
    if (failure !== null) this.#log.error('password-check-failed', { reason: failure });
    this.#settle(job, failure === null ? this.#verdict(job.digest, holds, nowMs) : 'failed', nowMs + MAX_KEPT_MS);
    this.#next();
  }

  #verdict(digest: string, holds: boolean, nowMs: number): 'right' | 'wrong' {
    if (holds) this.#right.put(digest, nowMs + MAX_KEPT_MS);
    else this.#wrong.put(digest, nowMs + WRONG_KEPT_MS);
    return holds ? 'right' : 'wrong';
  }

  #settle({ digest, rows }: Job, verdict: PasswordAnswer['verdict'], untilMs = 0): void {
    this.#jobs.delete(digest);
    for (const row of rows) this.#answer(row, { digest, verdict, untilMs });
  }

  // --- the hasher ------------------------------------------------------------------------------------------------------

  #begin(): void {
    this.#restart = null;
    const startedMs = this.#clock.nowMs();
    const hasher = this.#start((answer) => {
      if (this.#hasher === hasher) this.#hashed(answer);
    });
    this.#hasher = hasher;
    void hasher.gone.then((reason) => {
      if (this.#hasher === hasher) this.#replace(reason, startedMs);
    });
  }

  #replace(reason: string, startedMs: number): void {
    const delayMs = this.#backoff.delayAfterMs(this.#clock.nowMs() - startedMs);
    this.#log.error('password-thread-died', { reason, replacedInMs: delayMs });
    this.#abandon();
    this.#restart = setTimeout(() => this.#begin(), delayMs).unref();
  }

  #end(): void {
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    const hasher = this.#hasher;
    this.#abandon();
    hasher?.end();
  }

  /** Answers all questions with `failed`, since no thread will answer them. */
  #abandon(): void {
    this.#hasher = null;
    this.#hashing = false;
    for (const job of this.#jobs.values()) this.#settle(job, 'failed');
    this.#publish();
  }
}

import { isDeepStrictEqual } from 'node:util';
import type { Found } from './dns-client.ts';

/** An answer is asked for again when it no longer holds, but within these bounds: milliseconds. */
const MIN_TTL_MS = 1000;
const MAX_TTL_MS = 3_600_000;
/** Pauses after failures, each twice as long as the one before. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
/** Share of a pause that chance adds, so that many names, or many gateways, do not ask all at once. */
const JITTER = 0.1;

export interface WatchedQuestion<T> {
  /** Asks once; gets the last good answer. */
  ask(known: T | null): Promise<Found<T>>;
  /** The answer is another one than before. */
  changed(answer: T): void;
  /** Asking begins to fail, or works again (null). */
  stateChanged(failure: string | null): void;
}

/**
 * A question that is asked again and again. The last good answer stays for as long as there is no other.
 *
 *   asking --answer--> waiting until it no longer holds --> asking
 *      \---failure---> waiting, longer each time ----------> asking
 */
export class WatchedAnswer<T> {
  readonly #question: WatchedQuestion<T>;
  readonly #random: () => number;
  readonly #first = Promise.withResolvers<void>();
  #answer: T | null = null;
  #failures = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** Begins to ask. */
  constructor(question: WatchedQuestion<T>, random: () => number = Math.random) {
    this.#question = question;
    this.#random = random;
    void this.#ask();
  }

  /** Null: there has never been one. */
  get answer(): T | null {
    return this.#answer;
  }

  /** Resolves when it was asked for once, with whatever success. */
  get asked(): Promise<void> {
    return this.#first.promise;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#first.resolve();
  }

  async #ask(): Promise<void> {
    let pauseMs: number;
    try {
      const { value, ttlMs } = await this.#question.ask(this.#answer);
      if (this.#closed) return;
      this.#take(value);
      pauseMs = Math.min(Math.max(ttlMs, MIN_TTL_MS), MAX_TTL_MS);
    } catch (error) {
      if (this.#closed) return;
      pauseMs = this.#fail(error);
    }
    this.#first.resolve();
    this.#timer = setTimeout(() => void this.#ask(), pauseMs * (1 + JITTER * this.#random()));
    this.#timer.unref();
  }

  #take(answer: T): void {
    const worksAgain = this.#failures > 0;
    const isOther = !isDeepStrictEqual(answer, this.#answer);
    this.#failures = 0;
    this.#answer = answer;
    if (worksAgain) this.#question.stateChanged(null);
    if (isOther) this.#question.changed(answer);
  }

  #fail(error: unknown): number {
    if (this.#failures === 0) this.#question.stateChanged(error instanceof Error ? error.message : String(error));
    return Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, MAX_PAUSE_MS);
  }
}

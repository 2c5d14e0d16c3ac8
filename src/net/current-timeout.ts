import type { IoContext } from './io-context.ts';
import { Timer, type TimerOwner } from './timer-wheel.ts';

/** The connection that a timeout counts for. A kind of timeout is a number; 0: none counts. */
export interface TimeoutOwner<Kind extends number> {
  /** Decides from the facts which timeout counts now. */
  dueTimeout(): Kind;
  /** Its length in milliseconds. */
  timeoutMs(kind: Kind): number;
  timedOut(kind: Kind): void;
  timerFailed(): void;
}

/**
 * The timeout that counts on one side of a connection: at most one at a time. Its owner decides which; nothing else arms or disarms its
 * timer. Whenever a fact of that decision may have changed, `watch` has to be called.
 */
export class CurrentTimeout<Kind extends number> implements TimerOwner {
  readonly #owner: TimeoutOwner<Kind>;
  readonly #names: readonly string[];
  readonly #timer: Timer;
  /** The kind that the timer is armed for. */
  #counted = 0;

  /** `kinds`: their names, in the order of their numbers. */
  constructor(io: IoContext, owner: TimeoutOwner<Kind>, kinds: Readonly<Record<string, Kind>>) {
    this.#owner = owner;
    this.#names = Object.keys(kinds);
    this.#timer = new Timer(io.wheel, this);
  }

  /** A timeout that counts already goes on; another one begins. */
  watch(): void {
    const due = this.#owner.dueTimeout();
    if (due !== this.#counted) this.#count(due);
  }

  /** The peer has shown that it is there: the timeout that counts begins again. */
  restart(): void {
    this.#count(this.#owner.dueTimeout());
  }

  #count(kind: Kind): void {
    this.#counted = kind;
    if (kind === 0) this.#timer.disarm();
    else this.#timer.arm(this.#owner.timeoutMs(kind));
  }

  /** The connection is gone. */
  close(): void {
    this.#counted = 0;
    this.#timer.release();
  }

  timerExpired(): void {
    const due = this.#owner.dueTimeout();
    const counted = this.#counted;
    this.#counted = 0;
    if (due === 0 || due !== counted)
      throw new Error(`timeout ${this.#names[counted]} ran out although ${this.#names[due]} was due`);
    this.#owner.timedOut(due);
  }

  timerFailed(): void {
    this.#owner.timerFailed();
  }
}

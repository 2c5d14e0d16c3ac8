import { ConnectAttempt } from '../../net/connect-attempt.ts';
import type { ConnectTarget } from '../../net/connection.ts';
import type { IoContext } from '../../net/io-context.ts';
import { type Check, type CheckListener, OWN_FAULTS } from './check.ts';

/** A check that is passed by whoever accepts a connection: the connection is closed at once. */
export class ConnectCheck implements Check {
  readonly idle = false;
  #listener: CheckListener | null;
  readonly #attempt: ConnectAttempt;
  #judged = false;

  constructor(io: IoContext, target: ConnectTarget, listener: CheckListener) {
    this.#listener = listener;
    this.#attempt = new ConnectAttempt(io, target, this);
  }

  ask(): never {
    throw new Error('there is no connection to ask over');
  }

  expire(timeoutMs: number): void {
    if (!this.#judged) this.#judge(`no connection within ${timeoutMs} ms`);
    this.#attempt.destroy();
  }

  abandon(): void {
    this.#listener = null;
    this.#attempt.destroy();
  }

  #judge(failure: string | null): void {
    this.#judged = true;
    this.#listener?.checkJudged(failure);
  }

  connected(): void {
    this.#judge(null);
    this.#attempt.destroy();
  }

  closed(failure: string | null): void {
    const starved = !this.#judged && OWN_FAULTS.has(failure);
    if (!this.#judged && !starved) this.#judge(`no connection (${failure ?? 'closed'})`);
    this.#listener?.checkOver(starved ? 'starved' : 'closed');
  }
}

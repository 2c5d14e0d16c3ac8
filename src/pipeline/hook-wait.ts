import { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';
import { failedHook, type HookName } from './failed-hook.ts';
import type { Middleware, Verdict } from './middleware.ts';
import { middlewareError } from './run-response-hooks.ts';

/**
 * A client that has shut down its side may have gone altogether, which only a write would show. While a hook keeps its reply back, the
 * upstream's connection is kept for it no longer than this. In milliseconds.
 */
const HALF_CLOSED_WAIT_MS = 2000;

/** A hook of a middleware that an exchange waits for: a new object for each wait. */
interface PendingHook {
  readonly middleware: Middleware;
  readonly hook: HookName;
}

/**
 * The wait of an exchange for the promise of a hook, in REQUEST_HOOKS and RESPONSE_HOOKS:
 *
 *   pending --(it settles)---------------------------------> hookSettled
 *      \---(client gone, deadline, request or attempt failed)--> stopped: its result is dropped, because another hook is pending by then,
 *       \                                                        or none
 *        \--(middleware_timeout)-----------------------------> the exchange fails
 */
export class HookWait {
  readonly #exchange: Exchange;
  #pending: PendingHook | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Waits for `promise`. What a response hook promises is not looked at. */
  begin(middleware: Middleware, hook: HookName, promise: Promise<unknown>): void {
    const pending = { middleware, hook };
    this.#pending = pending;
    this.bound();
    promise.then(
      (value) => {
        // Sound: a request hook promises a verdict.
        if (this.#pending === pending) this.#settled(null, value as Verdict);
      },
      (error: unknown) => {
        if (this.#pending === pending)
          this.#settled(middlewareError(this.#exchange, middleware, hook, error), undefined);
      },
    );
  }

  #settled(failure: PhotonError | null, verdict: Verdict): void {
    this.stop();
    this.#exchange.hookSettled(failure, verdict);
  }

  stop(): void {
    this.#pending = null;
    this.#exchange.waitTimer.disarm();
  }

  /**
   * Decides whether the wait has a timeout of its own. Called again when the client shuts down its side, which may make the wait shorter,
   * and never longer.
   */
  bound(): void {
    const { route, generation, waitTimer } = this.#exchange;
    if (this.#pending === null || route === null || generation === null) return;
    let boundMs = route.timeoutMs === null ? generation.middlewareTimeoutMs : Number.POSITIVE_INFINITY;
    if (this.#isForLeaver()) boundMs = Math.min(boundMs, HALF_CLOSED_WAIT_MS);
    if (boundMs < waitTimer.leftMs) waitTimer.arm(boundMs);
  }

  /** An upstream's connection is kept for a client that may be gone. */
  #isForLeaver(): boolean {
    const { attempt, downstream } = this.#exchange;
    return (attempt?.open ?? false) && (downstream?.clientHalfClosed ?? false);
  }

  timedOut(): void {
    const exchange = this.#exchange;
    if (this.#pending === null) throw new Error('the wait for a hook was over, and none was pending');
    if (this.#isForLeaver()) {
      exchange.fail(new PhotonError('client_closed', 'The client closed its side of the connection.'));
      return;
    }
    const { middleware, hook } = this.#pending;
    const error = new Error('the promise of its hook did not settle in time');
    exchange.services.middlewareFailed(failedHook(exchange, middleware, hook), error);
    exchange.fail(new PhotonError('middleware_timeout', 'A middleware of this route did not answer in time.'));
  }
}

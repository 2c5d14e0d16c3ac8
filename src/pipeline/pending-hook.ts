import { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';
import { failedHook, type HookName } from './failed-hook.ts';
import type { Middleware } from './middleware.ts';
import { middlewareError } from './run-response-hooks.ts';

/**
 * A hook of a middleware that the exchange waits for. `waitForHook` gets a new object for each wait. Any other event that decides the
 * response removes it from the exchange, and the result of the promise is dropped because the exchange has another object by then, or none.
 */
export interface PendingHook {
  readonly middleware: Middleware;
  readonly hook: HookName;
}

/** Continues the exchange after the hook. `failure`: the hook failed, and `value` means nothing. Throws PhotonError. */
export type Continuation<T> = (exchange: Exchange, failure: PhotonError | null, value: T | undefined) => void;

/**
 * A client that has shut down its side may have gone altogether, which only a write would show. While a hook keeps its reply back,
 * the upstream's connection is kept for it no longer than this. In milliseconds.
 */
const HALF_CLOSED_WAIT_MS = 2000;

/**
 * The exchange waits for `promise`:
 *
 *   pendingHook --(it settles)--------------------------> continuation
 *       \---(client gone, deadline, `middleware_timeout`, request or upstream failed)--> failExchange; its result is dropped
 */
export function waitForHook<T>(
  exchange: Exchange,
  pending: PendingHook,
  promise: Promise<T>,
  continuation: Continuation<NoInfer<T>>,
): void {
  exchange.pendingHook = pending;
  boundWait(exchange);
  promise.then(
    (value) => {
      if (exchange.pendingHook === pending) goOn(exchange, () => continuation(exchange, null, value));
    },
    (error: unknown) => {
      if (exchange.pendingHook !== pending) return;
      const failure = middlewareError(exchange, pending.middleware, pending.hook, error);
      goOn(exchange, () => continuation(exchange, failure, undefined));
    },
  );
}

function goOn(exchange: Exchange, work: () => void): void {
  stopWaitingForHook(exchange);
  try {
    work();
  } catch (error) {
    exchange.fail(error);
  }
  exchange.services.settle();
}

/**
 * Decides whether the wait has a timeout of its own. Called again when the client shuts down its side, which may make the wait shorter, and
 * never longer.
 */
export function boundWait(exchange: Exchange): void {
  const { pendingHook, stream, downstream, route, generation, waitTimer } = exchange;
  if (pendingHook === null || route === null || generation === null) return;
  let boundMs = route.timeoutMs === null ? generation.middlewareTimeoutMs : Number.POSITIVE_INFINITY;
  if (stream !== null && downstream?.clientHalfClosed) boundMs = Math.min(boundMs, HALF_CLOSED_WAIT_MS);
  if (boundMs < waitTimer.leftMs) waitTimer.arm(boundMs);
}

function stopWaitingForHook(exchange: Exchange): void {
  exchange.pendingHook = null;
  exchange.waitTimer.disarm();
}

/** The wait for the hook has timed out. */
export function hookTimedOut(exchange: Exchange, { middleware, hook }: PendingHook): void {
  const { services, stream, downstream } = exchange;
  if (stream !== null && downstream?.clientHalfClosed) {
    exchange.fail(new PhotonError('client_closed', 'The client closed its side of the connection.'));
    return;
  }
  const error = new Error('the promise of its hook did not settle in time');
  services.middlewareFailed(failedHook(exchange, middleware, hook), error);
  exchange.fail(new PhotonError('middleware_timeout', 'A middleware of this route did not answer in time.'));
}

import type { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';
import { failedHook } from './failed-hook.ts';
import type { Middleware } from './middleware.ts';
import { stopWaiting } from './stop-waiting.ts';

/**
 * The one end of every exchange: completed, refused, failed or abandoned. Both sides have released it, and it is used again for the next
 * request. Called exactly once for each.
 */
export function finish(exchange: Exchange, error: PhotonError | null = null): void {
  if (exchange.downstream === null) throw new Error('an exchange was finished twice');
  exchange.deadline.disarm();
  stopWaiting(exchange);
  letGo(exchange);
  exchange.codedBody?.close();
  runFinishHooks(exchange, error);
  exchange.services.exchangeFinished(exchange, error);
}

/** An exchange that ends while it has the stream of an upstream is a bug: later events of the stream would reach the next request. */
function letGo(exchange: Exchange): void {
  const { stream, services } = exchange;
  if (stream === null) return;
  exchange.stream = null;
  stream.cancel();
  services.fault(new Error('an exchange ended while it had an upstream'));
}

function runFinishHooks(exchange: Exchange, error: PhotonError | null): void {
  const chain = exchange.route?.chain;
  if (chain === undefined || !chain.hasFinishHook) return;
  for (let at = exchange.requestHooksRun - 1; at >= 0; at--) {
    const middleware = chain.middleware[at] as Middleware;
    try {
      middleware.onFinish?.(exchange, error);
    } catch (failure) {
      exchange.services.middlewareFailed(failedHook(exchange, middleware, 'onFinish'), failure);
    }
  }
}

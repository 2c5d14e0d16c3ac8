import { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';
import type { Middleware } from './middleware.ts';

/**
 * The head of a reply is about to go out: it passes back through the middleware that the request has passed, the last one first.
 * Each is asked once, also when one of them fails and the reply becomes another one. Throws PhotonError.
 */
export function passBack(exchange: Exchange): void {
  const chain = exchange.route?.chain;
  while (chain !== undefined && exchange.unreturned > 0) {
    const middleware = chain.middleware[--exchange.unreturned] as Middleware;
    try {
      middleware.onResponse?.(exchange);
    } catch (error) {
      throw middlewareError(exchange, middleware, error);
    }
  }
}

/** What a middleware throws on purpose says what to answer; everything else is its fault, and is told with its name. */
export function middlewareError(exchange: Exchange, { name }: Middleware, error: unknown): PhotonError {
  if (error instanceof PhotonError) return error;
  exchange.services.middlewareFailed(name, error);
  return new PhotonError('middleware_failed', 'A middleware of this route failed.');
}

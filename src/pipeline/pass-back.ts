import { PhotonError } from '../base/errors.ts';
import type { Exchange } from './exchange.ts';
import { failedHook, type HookName } from './failed-hook.ts';
import type { Middleware } from './middleware.ts';

/** A response hook that returned a promise. */
export interface AsyncHook {
  readonly middleware: Middleware;
  readonly promise: Promise<void>;
}

/**
 * The head of a reply is about to go out: it passes back through the middleware that the request has passed, the last one first.
 * Each is asked once, also when one of them fails and the reply becomes another one. Returns the first that has to be waited for, and
 * is called again for the others; null: it has passed them all. Throws PhotonError.
 */
export function passBack(exchange: Exchange): AsyncHook | null {
  const chain = exchange.route?.chain;
  while (chain !== undefined && exchange.unreturned > 0) {
    const middleware = chain.middleware[--exchange.unreturned] as Middleware;
    const promise = show(exchange, middleware);
    if (promise !== undefined) return { middleware, promise };
  }
  return null;
}

function show(exchange: Exchange, middleware: Middleware): Promise<void> | undefined {
  try {
    return middleware.onResponse?.(exchange) ?? undefined;
  } catch (error) {
    throw middlewareError(exchange, middleware, 'onResponse', error);
  }
}

/** The exchange does not wait for this hook; if it fails, the failure is logged all the same. */
export function logFailure(exchange: Exchange, { middleware, promise }: AsyncHook): void {
  const { services } = exchange;
  const hook = failedHook(exchange, middleware, 'onResponse');
  promise.catch((error: unknown) => services.middlewareFailed(hook, error));
}

/** What a middleware throws on purpose says what to answer; everything else is its fault, and is logged with its name. */
export function middlewareError(
  exchange: Exchange,
  middleware: Middleware,
  hook: HookName,
  error: unknown,
): PhotonError {
  if (error instanceof PhotonError) return error;
  exchange.services.middlewareFailed(failedHook(exchange, middleware, hook), error);
  return new PhotonError('middleware_failed', 'A middleware of this route failed.');
}

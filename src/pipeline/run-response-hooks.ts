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
 * Runs the response hooks that are left before the head of a reply goes out: those of the middleware whose request hooks have run, the last
 * one first. Each hook runs once, also if one of them fails and an error response takes the place of the reply. Returns the first hook that
 * the exchange has to wait for, and is called again for the others; null: all have run. Throws PhotonError.
 */
export function runResponseHooks(exchange: Exchange): AsyncHook | null {
  const chain = exchange.route?.chain;
  while (chain !== undefined && exchange.responseHooksLeft > 0) {
    const middleware = chain.middleware[--exchange.responseHooksLeft] as Middleware;
    const promise = runResponseHook(exchange, middleware);
    if (promise !== undefined) return { middleware, promise };
  }
  return null;
}

function runResponseHook(exchange: Exchange, middleware: Middleware): Promise<void> | undefined {
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

/** A PhotonError that a middleware throws is the answer; any other error is a fault of the middleware, and is logged with its name. */
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

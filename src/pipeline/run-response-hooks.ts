import { PhotonError } from '../base/errors.ts';
import type { ExchangeContext } from './exchange-context.ts';
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
export function runResponseHooks(context: ExchangeContext): AsyncHook | null {
  const chain = context.route?.chain;
  while (chain !== undefined && context.responseHooksLeft > 0) {
    const middleware = chain.middleware[--context.responseHooksLeft] as Middleware;
    const promise = runResponseHook(context, middleware);
    if (promise !== undefined) return { middleware, promise };
  }
  return null;
}

/**
 * The same for an error response. If a hook fails, that is logged, and the response goes out without its fields. `late`: the exchange does
 * not wait for hooks that return a promise.
 */
export function runErrorResponseHooks(context: ExchangeContext, late: boolean): AsyncHook | null {
  while (context.responseHooksLeft > 0) {
    try {
      const hook = runResponseHooks(context);
      if (hook === null || !late) return hook;
      logFailure(context, hook);
    } catch {}
  }
  return null;
}

function runResponseHook(context: ExchangeContext, middleware: Middleware): Promise<void> | undefined {
  try {
    return middleware.onResponse?.(context) ?? undefined;
  } catch (error) {
    throw middlewareError(context, middleware, 'onResponse', error);
  }
}

/** The exchange does not wait for this hook; if it fails, the failure is logged all the same. */
function logFailure(context: ExchangeContext, { middleware, promise }: AsyncHook): void {
  const { services } = context;
  const hook = failedHook(context, middleware, 'onResponse');
  promise.catch((error: unknown) => services.middlewareFailed(hook, error));
}

/** A PhotonError that a middleware throws is the answer; any other error is a fault of the middleware, and is logged with its name. */
export function middlewareError(
  context: ExchangeContext,
  middleware: Middleware,
  hook: HookName,
  error: unknown,
): PhotonError {
  if (error instanceof PhotonError) return error;
  context.services.middlewareFailed(failedHook(context, middleware, hook), error);
  return new PhotonError('middleware_failed', 'A middleware of this route failed.');
}

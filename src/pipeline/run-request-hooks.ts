import type { ExchangeContext } from './exchange-context.ts';
import type { RoutePlan } from './generation.ts';
import type { Middleware, Verdict } from './middleware.ts';
import { middlewareError } from './run-response-hooks.ts';

/**
 * Runs the request hooks that are left of the route's middleware. Returns undefined when all of them let the request go on, or else what the
 * last one says, perhaps as a promise: called again after it for the others. Throws PhotonError.
 *
 * Invariant: `requestHooksRun` counts the middleware whose hooks have begun; the response hooks of these run, and of no others.
 */
export function runRequestHooks(context: ExchangeContext): Verdict | Promise<Verdict> {
  const { middleware } = (context.route as RoutePlan).chain;
  while (context.requestHooksRun < middleware.length) {
    const current = middleware[context.requestHooksRun++] as Middleware;
    context.responseHooksLeft = context.requestHooksRun;
    const verdict = runRequestHook(context, current);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** The middleware whose request hook was run last. Sound: called after `runRequestHooks` has run one. */
export function lastRequestHook({ route, requestHooksRun }: ExchangeContext): Middleware {
  return (route as RoutePlan).chain.middleware[requestHooksRun - 1] as Middleware;
}

function runRequestHook(context: ExchangeContext, middleware: Middleware): Verdict | Promise<Verdict> {
  try {
    return middleware.onRequest?.(context);
  } catch (error) {
    throw middlewareError(context, middleware, 'onRequest', error);
  }
}

import type { PhotonError } from '../base/errors.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { failedHook } from './failed-hook.ts';
import type { Middleware } from './middleware.ts';

/** Runs the finish hooks of the middleware whose request hooks have run, the last one first. If one fails, that is logged. `error`: null for success. */
export function runFinishHooks(context: ExchangeContext, error: PhotonError | null): void {
  const chain = context.route?.chain;
  if (chain === undefined || !chain.hasFinishHook) return;
  for (let at = context.requestHooksRun - 1; at >= 0; at--) {
    const middleware = chain.middleware[at] as Middleware;
    try {
      middleware.onFinish?.(context, error);
    } catch (failure) {
      context.services.middlewareFailed(failedHook(context, middleware, 'onFinish'), failure);
    }
  }
}

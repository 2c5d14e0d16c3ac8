import { PhotonError } from '../base/errors.ts';
import { sendAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { forward } from './forward.ts';
import type { RoutePlan } from './generation.ts';
import type { Answer, Middleware, Verdict } from './middleware.ts';
import { waitForHook } from './pending-hook.ts';
import { middlewareError } from './run-response-hooks.ts';

/**
 * Runs the request hooks that are left of the route's middleware, and then forwards the request. Invariant: `exchange.requestHooksRun`
 * counts the middleware whose hooks have begun; the response hooks of these run, and of no others.
 */
export function runRequestHooks(exchange: Exchange): void {
  const { middleware } = (exchange.route as RoutePlan).chain;
  while (exchange.requestHooksRun < middleware.length) {
    const current = middleware[exchange.requestHooksRun++] as Middleware;
    exchange.responseHooksLeft = exchange.requestHooksRun;
    const verdict = runRequestHook(exchange, current);
    if (verdict === undefined) continue;
    if (verdict instanceof Promise) wait(exchange, current, verdict);
    else conclude(exchange, verdict);
    return;
  }
  forward(exchange);
}

function conclude(exchange: Exchange, verdict: Answer | PhotonError): void {
  if (verdict instanceof PhotonError) failExchange(exchange, verdict);
  else sendAnswer(exchange, verdict);
}

function runRequestHook(exchange: Exchange, middleware: Middleware): Verdict | Promise<Verdict> {
  try {
    return middleware.onRequest?.(exchange);
  } catch (error) {
    throw middlewareError(exchange, middleware, 'onRequest', error);
  }
}

function wait(exchange: Exchange, middleware: Middleware, promise: Promise<Verdict>): void {
  exchange.downstream?.pauseRequest();
  waitForHook(exchange, { middleware, hook: 'onRequest' }, promise, resume);
}

function resume(exchange: Exchange, failure: PhotonError | null, verdict: Verdict | undefined): void {
  if (failure !== null) throw failure;
  exchange.downstream?.resumeRequest();
  if (verdict === undefined) runRequestHooks(exchange);
  else conclude(exchange, verdict);
}

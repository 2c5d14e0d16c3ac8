import { PhotonError } from '../base/errors.ts';
import { sendAnswer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { forward } from './forward.ts';
import type { RoutePlan } from './generation.ts';
import type { Answer, Middleware, Verdict } from './middleware.ts';
import { middlewareError } from './pass-back.ts';
import { waitForHook } from './pending-hook.ts';

/**
 * Takes the request through what is left of its route's middleware, and on to the upstream. Invariant: `exchange.passed` counts those
 * whose turn has come; the reply goes back through them and no others.
 */
export function passMiddleware(exchange: Exchange): void {
  const { middleware } = (exchange.route as RoutePlan).chain;
  while (exchange.passed < middleware.length) {
    const current = middleware[exchange.passed++] as Middleware;
    exchange.unreturned = exchange.passed;
    const verdict = ask(exchange, current);
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

function ask(exchange: Exchange, middleware: Middleware): Verdict | Promise<Verdict> {
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
  if (verdict === undefined) passMiddleware(exchange);
  else conclude(exchange, verdict);
}

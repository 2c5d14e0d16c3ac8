import type { PhotonError } from '../base/errors.ts';
import { sendOwnBody } from './body-coding.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { type FailureReply, holdReply } from './hold-reply.ts';
import { type AsyncHook, logFailure, runResponseHooks } from './run-response-hooks.ts';

/**
 * Runs the response hooks on a reply that no upstream made, sends it with `body` (latin1 text) and finishes the exchange. `error`: the
 * error that it reports; null for an answer. Throws PhotonError if a hook refuses an answer.
 */
export function sendOwnReply(exchange: Exchange, body: string, error: PhotonError | null): void {
  const hook = error === null ? runResponseHooks(exchange) : runErrorResponseHooks(exchange, isLate(exchange));
  if (hook === null) {
    write(exchange, body, error);
    return;
  }
  const failureReply = error === null ? null : { body, error };
  holdReply(exchange, hook, failureReply, function continueOwnReply(_exchange, failure) {
    if (failure !== null && error === null) throw failure;
    sendOwnReply(exchange, body, error);
  });
}

/** The time for hooks is over: an error response that a hook holds goes out, and the exchange waits for no other hook. */
export function sendHeldFailure(exchange: Exchange, { body, error }: FailureReply): void {
  runErrorResponseHooks(exchange, true);
  write(exchange, body, error);
}

/**
 * Runs the response hooks that are left on an error response. If one fails, that is logged, and the response goes out without its lines.
 * `late`: the exchange does not wait for hooks that return a promise.
 */
function runErrorResponseHooks(exchange: Exchange, late: boolean): AsyncHook | null {
  while (exchange.responseHooksLeft > 0) {
    try {
      const hook = runResponseHooks(exchange);
      if (hook === null || !late) return hook;
      logFailure(exchange, hook);
    } catch {}
  }
  return null;
}

/** The deadline of the route has passed: nothing would end another wait. */
function isLate({ route, deadline }: Exchange): boolean {
  return route !== null && route.timeoutMs !== null && !deadline.armed;
}

function write(exchange: Exchange, body: string, error: PhotonError | null): void {
  const { reply, downstream, request } = exchange;
  const closes = error?.closesConnection ?? false;
  exchange.held = null;
  exchange.replyStarted = true;
  // A body that still comes would be taken for the next request: the connection ends with this reply.
  downstream?.sendHead(reply, closes || !downstream.requestComplete);
  if (body !== '' && request.method !== 'HEAD') sendOwnBody(exchange, body);
  downstream?.sendEnd();
  finish(exchange, error);
}

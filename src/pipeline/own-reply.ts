import type { PhotonError } from '../base/errors.ts';
import { sendOwnBody } from './body-coding.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { holdReply } from './hold-reply.ts';
import { type Delay, disregard, passBack } from './pass-back.ts';

/**
 * Takes a reply that no upstream made back through the middleware, sends it with `body` (latin1 text) and finishes the exchange.
 * `error`: what it tells of; null when it is an answer. Throws PhotonError when a middleware does not let an answer pass.
 */
export function sendOwnReply(exchange: Exchange, body: string, error: PhotonError | null): void {
  const delay = error === null ? passBack(exchange) : passErrorBack(exchange);
  if (delay === null) {
    write(exchange, body, error?.closesConnection ?? false);
    finish(exchange, error);
    return;
  }
  holdReply(exchange, delay, function sendOnwards(_exchange, failure) {
    if (failure !== null && error === null) throw failure;
    sendOwnReply(exchange, body, error);
  });
}

/** A middleware that fails on an error reply has been told of: the reply goes out without its lines. */
function passErrorBack(exchange: Exchange): Delay | null {
  while (exchange.unreturned > 0) {
    try {
      const delay = passBack(exchange);
      if (delay === null || !isLate(exchange)) return delay;
      disregard(exchange, delay);
    } catch {}
  }
  return null;
}

/** The deadline of the route has passed: nothing would end another wait. */
function isLate({ route, deadline }: Exchange): boolean {
  return route !== null && route.timeoutMs !== null && !deadline.armed;
}

function write(exchange: Exchange, body: string, closes: boolean): void {
  const { reply, downstream, request } = exchange;
  exchange.held = null;
  exchange.replyStarted = true;
  // A body that still comes would be taken for the next request: the connection ends with this reply.
  downstream?.sendHead(reply, closes || !downstream.requestComplete);
  if (body !== '' && request.method !== 'HEAD') sendOwnBody(exchange, body);
  downstream?.sendEnd();
}

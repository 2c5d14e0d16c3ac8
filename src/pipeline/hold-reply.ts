import type { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { Exchange } from './exchange.ts';
import { type Continuation, waitForHook } from './pending-hook.ts';
import type { AsyncHook } from './run-response-hooks.ts';

/** An error response of the gateway: its body (latin1 text) and its error. */
export interface FailureReply {
  readonly body: string;
  readonly error: PhotonError;
}

/**
 * A reply whose head waits for a response hook, with the part of the upstream's body that came meanwhile. The upstream is paused, so that
 * this part is at most one read of its connection.
 */
export class HeldReply {
  /** Set for an error response; null for an upstream's reply or an answer of a middleware. */
  readonly failure: FailureReply | null;
  /** Copies: bytes that are read are valid during the call only. */
  readonly body: Buffer[] = [];
  trailers: Fields | null = null;
  /** All of it is here. */
  complete = false;

  constructor(failure: FailureReply | null) {
    this.failure = failure;
  }
}

/**
 * The head of a reply waits for one of its response hooks:
 *
 *   runResponseHooks --(promise)--> held --(it settles)--> continuation: the other hooks run, and the reply goes out
 *                                     \--(deadline; client gone; upstream failed)--> failExchange
 *
 * `failure`: for an error response.
 */
export function holdReply(
  exchange: Exchange,
  { middleware, promise }: AsyncHook,
  failure: FailureReply | null,
  continuation: Continuation<void>,
): void {
  exchange.held ??= new HeldReply(failure);
  pauseSource(exchange);
  waitForHook(exchange, { middleware, hook: 'onResponse' }, promise, continuation);
}

/** Without an upstream the rest of the request has no receiver. */
export function pauseSource({ stream, downstream }: Exchange): void {
  if (stream === null) downstream?.pauseRequest();
  else stream.pauseResponse();
}

import type { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { Exchange } from './exchange.ts';
import { type Continuation, waitForHook } from './pending-hook.ts';
import type { AsyncHook } from './run-response-hooks.ts';

/** An error response that the gateway made: its body (latin1 text) and what it tells of. */
export interface FailureReply {
  readonly body: string;
  readonly error: PhotonError;
}

/**
 * A reply whose head waits for a response hook, with what came of an upstream's body meanwhile. The upstream has been asked to send no
 * more, so that it is what had been read already: at most one read of its connection.
 */
export class HeldReply {
  /** Null for an upstream's reply, and for an answer of a middleware. */
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
 * `failure`: where the reply is an error response.
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

/** Without an upstream nobody takes what still comes of the request. */
export function pauseSource({ stream, downstream }: Exchange): void {
  if (stream === null) downstream?.pauseRequest();
  else stream.pauseResponse();
}

import { PhotonError } from '../base/errors.ts';
import { sendErrorReply } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import type { FailureReply } from './hold-reply.ts';
import { attemptFailed } from './outcome.ts';
import { sendHeldFailure } from './own-reply.ts';
import { stopWaiting } from './stop-waiting.ts';

/** The head could not be decoded: the request is refused. */
export function refuseRequest(exchange: Exchange, error: PhotonError): void {
  // The fields of a head without text are not valid: an Accept among them would accept no type.
  if (exchange.request.text === '') exchange.request.clear();
  exchange.id = exchange.services.requestIds.next();
  exchange.generation = exchange.services.generation;
  if (exchange.generation.recordsTimings) exchange.begunMs = exchange.services.nowMs;
  // If the peer is a trusted proxy, the client was named in the head that could not be decoded.
  exchange.clientAddress = exchange.downstream?.peer.address ?? '';
  failExchange(exchange, error);
}

/** The rest of the request will not come. A reply that does not need it goes out all the same, unless the client is gone. */
export function loseRequest(exchange: Exchange, error: PhotonError): void {
  if (error.code === 'client_closed' || !exchange.requestUnwanted) failExchange(exchange, error);
}

/**
 * The route's deadline has passed: the client owes the rest of its request (408), or the gateway the reply (504). If the request waits, in
 * the queue, for a retry or for a hook, or if the client was asked to send no more for now (the upstream may not take its body), the
 * gateway owes the reply.
 */
export function missDeadline(exchange: Exchange): void {
  const { queue, waitTimer, pendingHook, downstream } = exchange;
  const waits = queue !== null || waitTimer.armed || pendingHook !== null;
  const error =
    waits || downstream?.requestComplete || downstream?.requestPaused
      ? new PhotonError('deadline_exceeded', 'The whole reply did not come in time.')
      : new PhotonError('request_timeout', 'The whole request did not come in time.');
  failExchange(exchange, error);
}

/**
 * Ends an exchange that failed: the upstream's work is cancelled, and the client gets an error reply, or, if a reply has begun already, a
 * cut that it cannot take for the end of the reply.
 */
export function failExchange(exchange: Exchange, failure: unknown): void {
  const error = failure instanceof PhotonError ? failure : internalError(exchange, failure);
  const failureReply = exchange.held?.failure ?? null;
  if (failureReply !== null) {
    failAgain(exchange, failureReply, error);
    return;
  }
  stopWaiting(exchange);
  attemptFailed(exchange, error);
  exchange.held = null;
  exchange.stream?.cancel();
  exchange.stream = null;
  if (error.code !== 'client_closed' && !exchange.replyStarted) {
    sendErrorReply(exchange, error);
    return;
  }
  exchange.downstream?.abort();
  finish(exchange, error);
}

/**
 * The first failure decides the response. While a hook holds it, the client may leave, or the time for hooks may end; any other failure
 * changes nothing.
 */
function failAgain(exchange: Exchange, failureReply: FailureReply, error: PhotonError): void {
  if (error.code === 'client_closed') {
    stopWaiting(exchange);
    exchange.held = null;
    exchange.downstream?.abort();
    finish(exchange, error);
  } else if (error.code === 'deadline_exceeded' || error.code === 'middleware_timeout') {
    stopWaiting(exchange);
    sendHeldFailure(exchange, failureReply);
  }
}

function internalError(exchange: Exchange, failure: unknown): PhotonError {
  exchange.services.fault(failure);
  return new PhotonError('internal_error', 'The gateway failed on this request.');
}

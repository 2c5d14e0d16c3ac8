import { PhotonError } from '../base/errors.ts';
import { COMMON_METHODS } from '../http/methods.ts';
import { sendErrorReply } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import type { FailureReply } from './hold-reply.ts';
import { attemptFailed } from './outcome.ts';
import { sendHeldFailure } from './own-reply.ts';
import { stopWaiting } from './stop-waiting.ts';

/** The head could not be read: nothing is known but that it must be refused. */
export function refuseRequest(exchange: Exchange, error: PhotonError): void {
  // Fields whose text was never cut out mean nothing: an Accept among them would be one that takes nothing.
  if (exchange.request.text === '') exchange.request.clear();
  exchange.id = exchange.services.requestIds.next();
  exchange.generation = exchange.services.generation;
  if (exchange.generation.recordsTimings) exchange.begunMs = exchange.services.nowMs;
  // Whoever it speaks for, if it is a proxy, stood in the head.
  exchange.clientAddress = exchange.downstream?.peer.address ?? '';
  failExchange(exchange, error);
}

/** The rest of the request will not come. A reply that does not need it goes out all the same, if there is somebody to take it. */
export function loseRequest(exchange: Exchange, error: PhotonError): void {
  if (error.code === 'client_closed' || !exchange.requestUnwanted) failExchange(exchange, error);
}

/**
 * The route's deadline has passed. Whoever still owes something is late: the client its request, or the upstream its reply. A request that
 * waits, in the queue or for a retry, has been asked to, and so may have one whose reply waits for a middleware, or whose body the upstream
 * does not take.
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
 * Ends an exchange that failed: the upstream's work is cancelled, and the client gets an error reply, or, when a reply has
 * begun already, an end that it cannot take for complete.
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
    sendErrorReply(exchange, error, extraLines(exchange, error));
    return;
  }
  exchange.downstream?.abort();
  finish(exchange, error);
}

/**
 * The first failure decides the response. While a hook holds that, the client may go, or the time for hooks end; any other failure
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

/** RFC 9110 15.5.6: 405 says what is allowed. 503 says when to come again. */
function extraLines(exchange: Exchange, error: PhotonError): string {
  if (error.fieldLines !== '') return error.fieldLines;
  if (error.status === 405) return `Allow: ${COMMON_METHODS}\r\n`;
  return error.status === 503 ? `Retry-After: ${retryAfterSeconds(exchange, error)}\r\n` : '';
}

/** What is full may have room again at any time. What is not well is looked at again at a time that its backend knows. */
function retryAfterSeconds({ route }: Exchange, error: PhotonError): number {
  return error.code === 'no_upstream' && route !== null ? route.backend.current.retryAfterSeconds : 1;
}

function internalError(exchange: Exchange, failure: unknown): PhotonError {
  exchange.services.fault(failure);
  return new PhotonError('internal_error', 'The gateway failed on this request.');
}

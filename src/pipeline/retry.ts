import { PhotonError } from '../base/errors.ts';
import { FRAMING } from '../http/framing.ts';
import { isIdempotent } from '../http/methods.ts';
import type { UpstreamStream } from '../net/streams.ts';
import { TimerWheel } from '../net/timer-wheel.ts';
import { retryPauseMs } from '../upstream/retry-backoff.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { dispatch, giveUp, send } from './forward.ts';
import type { RoutePlan } from './generation.ts';
import { attemptFailed } from './outcome.ts';
import { hookTimedOut } from './pending-hook.ts';

/** A shorter pause is none for the wheel's timers. */
const SHORTEST_PAUSE_MS = TimerWheel.tickMs / 2;

/**
 * The upstream failed. The request is sent again, or the client gets an error response, or its reply is cut.
 *
 * A connection from the pool may have been dead for a while without our knowing: then the request is sent once more on a new one,
 * which counts neither as a retry nor against their budget. Every other attempt after the first does.
 */
export function judgeFailure(exchange: Exchange, error: PhotonError): void {
  const { stream, upstream } = exchange;
  exchange.stream = null;
  if (stream === null || upstream === null) {
    failExchange(exchange, error);
    return;
  }
  if (mayRetryOnNewConnection(exchange, error, stream)) {
    retryOnNewConnection(exchange, upstream, error);
    return;
  }
  attemptFailed(exchange, error);
  if (mayRetry(exchange, error, stream)) retry(exchange, upstream, error);
  else failExchange(exchange, error);
}

function mayRetryOnNewConnection(exchange: Exchange, error: PhotonError, stream: UpstreamStream): boolean {
  if (error.code !== 'upstream_reset' || exchange.retriedOnNewConnection) return false;
  return stream.reused && stream.replyUntouched && isSafeToRepeat(exchange, stream);
}

function mayRetry(exchange: Exchange, error: PhotonError, stream: UpstreamStream): boolean {
  const { retries, backend } = exchange.route as RoutePlan;
  if (!error.retryable || exchange.retries >= retries || !isSafeToRepeat(exchange, stream)) return false;
  return backend.overload.retryBudget.tryAcquire(exchange.services.wheel.nowMs);
}

/**
 * RFC 9110 9.2.2: a request is repeated only when its method is idempotent, or when nothing of it was sent, and here only if all of its
 * body that has come is still kept. A POST may have taken effect although no reply came: its client has to decide. An interim reply that
 * was passed on counts as a part of the reply, and so does a head that a response hook has seen.
 */
function isSafeToRepeat(exchange: Exchange, stream: UpstreamStream): boolean {
  const { request, replyStarted, held, interimPassed, sentBody } = exchange;
  if (replyStarted || held !== null || interimPassed || !(stream.unsent || isIdempotent(request.method))) return false;
  return request.framing === FRAMING.NONE || sentBody !== null;
}

function retryOnNewConnection(exchange: Exchange, upstream: Upstream, error: PhotonError): void {
  exchange.retriedOnNewConnection = true;
  exchange.failure = error;
  try {
    if (send(exchange, upstream, true)) exchange.downstream?.resumeRequest();
    else dispatch(exchange);
  } catch (failure) {
    giveUp(exchange, failure);
  }
}

function retry(exchange: Exchange, upstream: Upstream, error: PhotonError): void {
  exchange.retries++;
  exchange.failure = error;
  exchange.attempted = [...exchange.attempted, upstream];
  const { retryBackoff } = (exchange.route as RoutePlan).backend.overload;
  const pauseMs = retryPauseMs(retryBackoff, exchange.retries, exchange.services.random());
  if (pauseMs < SHORTEST_PAUSE_MS) {
    redispatch(exchange);
    return;
  }
  exchange.downstream?.pauseRequest();
  // A timer never runs out early, so it runs out late; the pause may be a little shorter than drawn.
  exchange.waitTimer.arm(pauseMs - TimerWheel.lateMs);
}

function redispatch(exchange: Exchange): void {
  try {
    dispatch(exchange);
    if (exchange.queue === null) exchange.downstream?.resumeRequest();
  } catch (failure) {
    giveUp(exchange, failure);
  }
}

/** The pause before a retry is over, or the queue timeout, or the time for a hook. */
export function waitTimedOut(exchange: Exchange): void {
  if (exchange.pendingHook !== null) hookTimedOut(exchange, exchange.pendingHook);
  else if (exchange.queue === null) redispatch(exchange);
  else giveUp(exchange, new PhotonError('upstreams_full', 'No connection to an upstream became free in time.'));
}

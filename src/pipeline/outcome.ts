import type { PhotonError } from '../base/errors.ts';
import { NO_CLAIM } from '../upstream/circuit-breaker.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { isEventStream } from './event-stream.ts';
import type { Exchange } from './exchange.ts';

/**
 * The outcome of each attempt, as the circuit breaker of its upstream gets it, exactly once.
 *
 *   beginAttempt --> due --+-- reply complete ------------------------------------------> succeeded
 *                          +-- head of 5xx (isServerFailure) ---------------------------> failed
 *                          +-- error that is the upstream's fault ----------------------> failed
 *                          +-- an event stream ends, however it does -------------------> succeeded: by its head
 *                          +-- error of the client or the gateway, the client is gone,
 *                              the deadline of the route in mid-reply, or when the
 *                              upstream had less than most of it ----------------------> abandoned
 *
 * A request that is sent again on a new connection, because its pooled one was dead, has one outcome for both attempts.
 */
export function beginAttempt(exchange: Exchange, upstream: Upstream): void {
  exchange.deadlineCounts = false;
  if (exchange.outcomeDue) return;
  exchange.outcomeDue = true;
  exchange.probeClaim = upstream.takeClaim();
}

/**
 * The share of a route's deadline that has to be left when the upstream has the whole request. With less, hooks, the queue, pauses before
 * retries, other upstreams or the client have taken the rest, and a deadline that passes says nothing about this upstream.
 */
const MOST_OF_DEADLINE = 0.75;

/** The upstream gets the last of the request: from here on it owes the reply. */
export function requestHandedOver(exchange: Exchange): void {
  const timeoutMs = exchange.route?.timeoutMs ?? null;
  if (timeoutMs === null) return;
  exchange.deadlineCounts = exchange.deadline.leftMs >= timeoutMs * MOST_OF_DEADLINE;
}

/**
 * The head of a reply is here. A failure is reported to the breaker at once, a success only at the end, since the reply may break off. For
 * a probe the head is reported too.
 */
export function judgeHead(exchange: Exchange): void {
  const { status } = exchange.response;
  if (isServerFailure(status)) reportFailed(exchange, `status ${status}`);
  else if (exchange.probeClaim !== NO_CLAIM) judgeProbeHead(exchange);
}

/** 501 and 505 are about the request: an upstream that sends them is well. */
function isServerFailure(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

function judgeProbeHead(exchange: Exchange): void {
  const { upstream, route, probeClaim } = exchange;
  if (upstream !== null) route?.backend.breaker?.answered(upstream, probeClaim);
  if (isEventStream(exchange.response)) attemptSucceeded(exchange);
}

export function attemptSucceeded(exchange: Exchange): void {
  const { upstream, route } = exchange;
  if (!exchange.outcomeDue || upstream === null) return;
  exchange.outcomeDue = false;
  route?.backend.breaker?.succeeded(upstream, exchange.probeClaim);
}

/** The attempt could not begin: it has no outcome. */
export function attemptAbandoned(exchange: Exchange): void {
  if (exchange.outcomeDue) reportAbandoned(exchange);
}

/** The attempt ends without a complete reply. */
export function attemptFailed(exchange: Exchange, error: PhotonError): void {
  if (!exchange.outcomeDue) return;
  if (!isUpstreamsFault(exchange, error)) reportAbandoned(exchange);
  else if (hasAnswered(exchange) && isEventStream(exchange.response)) attemptSucceeded(exchange);
  else reportFailed(exchange, error.code);
}

/**
 * A deadline that passes in mid-reply may be due to a client that takes it slowly, or to a middleware that holds it. Before the head the
 * upstream was silent, which counts if it had most of the deadline for itself.
 */
function isUpstreamsFault(exchange: Exchange, { fault, code }: PhotonError): boolean {
  if (code === 'deadline_exceeded') return exchange.deadlineCounts && !hasAnswered(exchange);
  return fault === 'upstream';
}

function hasAnswered({ replyStarted, held }: Exchange): boolean {
  return replyStarted || held !== null;
}

function reportFailed(exchange: Exchange, reason: string): void {
  const { upstream, route } = exchange;
  if (!exchange.outcomeDue || upstream === null) return;
  exchange.outcomeDue = false;
  route?.backend.breaker?.failed(upstream, exchange.probeClaim, reason);
}

function reportAbandoned(exchange: Exchange): void {
  const { upstream, route, probeClaim } = exchange;
  exchange.outcomeDue = false;
  if (upstream !== null) route?.backend.breaker?.abandoned(upstream, probeClaim);
}

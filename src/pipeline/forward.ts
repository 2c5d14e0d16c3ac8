import { PhotonError } from '../base/errors.ts';
import { FRAMING } from '../http/framing.ts';
import type { DownstreamPeer, DownstreamStream } from '../net/streams.ts';
import type { Backend } from '../upstream/backend.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { settledAuthority } from './field-values.ts';
import type { RoutePlan } from './generation.ts';
import { attemptAbandoned, beginAttempt } from './outcome.ts';
import { checkBodyLength, sendKept } from './request-body.ts';

/**
 * Sends the request to an upstream of the route's backend. `retry.ts` decides what follows a failure.
 *
 *   forward --> dispatch --(free)--> send --> the reply (`respond.ts`), or a failure (`retry.ts`)
 *                 |   ^                                                    |
 *             (all full)                                                   |
 *                 v   |                                                    v
 *            request queue <-------------------- dispatch <--------------- retry
 */
export function forward(exchange: Exchange): void {
  // Sound: `forward` is the step after routing.
  const { backend } = exchange.route as RoutePlan;
  checkBodyLength(exchange);
  backend.overload.retryBudget.countRequest(exchange.services.wheel.nowMs);
  dispatch(exchange);
}

/**
 * Sends the request on the private connection of its client, where it has one, or to an upstream that is below its limit. Where none is, or
 * others wait already, it joins the request queue.
 */
export function dispatch(exchange: Exchange): void {
  const { queue } = backendOf(exchange).overload;
  if (sendOnPrivate(exchange) || (!queue.hasPending && sendToAvailable(exchange))) return;
  if (!queue.join(exchange)) throw new PhotonError('upstreams_full', 'No upstream can take another connection.');
  exchange.queue = queue;
  if (exchange.downstream?.clientHalfClosed) throw halfClosedInQueue();
  exchange.waitTimer.arm(queue.timeoutMs);
  exchange.downstream?.pauseRequest();
}

/**
 * A client that has shut down its side has probably gone: when it closes its connection, that looks the same. Its request does not
 * wait in the queue, which would fill with requests of clients that are gone.
 */
export function halfClosedInQueue(): PhotonError {
  return new PhotonError('client_closed', 'The client closed its side while its request waited for an upstream.');
}

/** The backend of its route, with the servers that it has now. */
function backendOf({ route }: Exchange): Backend {
  return (route as RoutePlan).backend.current;
}

/** Sends a request of the queue if an upstream has a connection for it. Returns false if none has. */
export function dispatchQueued(exchange: Exchange): boolean {
  try {
    if (!sendToAvailable(exchange)) return false;
    leaveQueue(exchange);
    exchange.waitTimer.disarm();
    exchange.downstream?.resumeRequest();
  } catch (error) {
    giveUp(exchange, error);
  }
  return true;
}

/** Takes the request out of the queue, however its wait has ended. */
function leaveQueue(exchange: Exchange): void {
  const { queue } = exchange;
  exchange.queue = null;
  queue?.leave(exchange);
}

/** Ends the exchange. If a retry could not even begin, the client gets the failure of the attempt before. */
export function giveUp(exchange: Exchange, error: unknown): void {
  const isUnavailable = error instanceof PhotonError && error.status === 503;
  failExchange(exchange, isUnavailable ? (exchange.failure ?? error) : error);
}

/**
 * Sends the request on the private connection of its client. Returns false if there is none. Requests of other clients in the queue cannot
 * use such a connection.
 */
function sendOnPrivate(exchange: Exchange): boolean {
  const upstream = backendOf(exchange).pickPrivate(peerOf(exchange), exchange.attempted);
  return upstream !== null && send(exchange, upstream, false);
}

/** Sound: `downstream` is set before an exchange begins. */
function peerOf({ downstream }: Exchange): DownstreamPeer {
  return (downstream as DownstreamStream).peer;
}

/**
 * Sends the request to an upstream below its limit. Returns false if there is none. Other workers may be quicker to take its last
 * connection: then the next upstream is tried.
 */
function sendToAvailable(exchange: Exchange): boolean {
  const backend = backendOf(exchange);
  for (;;) {
    const upstream = backend.pick(exchange, exchange.attempted);
    if (upstream === null) return false;
    if (send(exchange, upstream, false)) return true;
  }
}

/** Sends the request on a connection of this upstream. Returns false if it is at its limit. */
export function send(exchange: Exchange, upstream: Upstream, newConnection: boolean): boolean {
  if (exchange.replyStarted || exchange.held !== null || exchange.stream !== null) {
    throw new Error('a request was about to be sent although it has an upstream or a response');
  }
  exchange.upstream = upstream;
  beginAttempt(exchange, upstream);
  if (exchange.generation?.recordsTimings) exchange.sentMs = exchange.services.nowMs;
  exchange.outgoingAuthority = settledAuthority(exchange) ?? upstream.config.authority;
  const stream = upstream.acquire(exchange, newConnection, peerOf(exchange));
  if (stream === null) {
    attemptAbandoned(exchange);
    return false;
  }
  exchange.attempts++;
  exchange.stream = stream;
  if (exchange.request.framing !== FRAMING.NONE) exchange.sentBody ??= [];
  stream.sendHead(exchange);
  sendKept(exchange, stream);
  return true;
}

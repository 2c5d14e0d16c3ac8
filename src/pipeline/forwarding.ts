import { PhotonError } from '../base/errors.ts';
import type { DownstreamStream } from '../net/streams.ts';
import { TimerWheel } from '../net/timer-wheel.ts';
import type { Backend } from '../upstream/backend.ts';
import type { PendingRequest, RequestQueue } from '../upstream/request-queue.ts';
import { retryPauseMs } from '../upstream/retry-backoff.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';
import { settledAuthority } from './field-values.ts';
import type { RoutePlan } from './generation.ts';
import { NEXT, nextAttempt } from './next-attempt.ts';
import { PHASE } from './phase.ts';

/** A shorter pause is none for the wheel's timers. */
const SHORTEST_PAUSE_MS = TimerWheel.tickMs / 2;

const NONE: readonly Upstream[] = [];

/**
 * The part of an exchange that brings its request to an upstream: the phases DISPATCHING, QUEUED, BACKOFF and ATTEMPTING, until the head of
 * a reply comes or the request has failed for good.
 *
 *   begin --> dispatch --(free)--> attempt --> the head of a reply, or a failure (`next-attempt.ts`)
 *                |   ^                                              |
 *            (all full)                                             |
 *                v   |                                              v
 *           request queue <---------------- dispatch <--- at once, or after a pause
 */
export class Forwarding implements PendingRequest {
  readonly #exchange: Exchange;
  /** QUEUED: the queue in which it waits for a connection. */
  #queue: RequestQueue | null = null;
  /** ATTEMPTING: the attempt under way. Afterwards the last one: the source of the reply, and for the log. */
  attempt: Attempt | null = null;
  #retries = 0;
  #retriedOnNewConnection = false;
  /** The upstreams of the attempts that failed, and the last failure. */
  #attempted: readonly Upstream[] = NONE;
  #failure: PhotonError | null = null;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  clear(): void {
    if (this.attempt !== null) this.#exchange.services.attempts.release(this.attempt);
    this.attempt = null;
    this.#retries = 0;
    this.#retriedOnNewConnection = false;
    this.#attempted = NONE;
    this.#failure = null;
  }

  /** The request hooks have let the request go on. Throws PhotonError. */
  begin(): void {
    const exchange = this.#exchange;
    exchange.body.checkLength(exchange.request);
    this.#route().backend.overload.retryBudget.countRequest(exchange.services.wheel.nowMs);
    exchange.enter(PHASE.DISPATCHING);
    this.#dispatch();
  }

  /** Sound: called after routing. */
  #route(): RoutePlan {
    return this.#exchange.route as RoutePlan;
  }

  /** The backend of its route, with the servers that it has now. */
  #backend(): Backend {
    return this.#route().backend.current;
  }

  /** Sound: the exchange has begun. */
  #downstream(): DownstreamStream {
    return this.#exchange.downstream as DownstreamStream;
  }

  /**
   * Sends the request on the private connection of its client, where it has one, or to an upstream that is below its limit. Where none is,
   * or others wait already, it joins the request queue. Throws PhotonError.
   */
  #dispatch(): void {
    const backend = this.#backend();
    const { queue } = backend.overload;
    if (this.#sendOnPrivate(backend) || (!queue.hasPending && this.#sendToAvailable(backend))) return;
    if (!queue.join(this)) throw new PhotonError('upstreams_full', 'No upstream can take another connection.');
    this.#queue = queue;
    this.#exchange.enter(PHASE.QUEUED);
    if (this.#downstream().clientHalfClosed) throw halfClosedInQueue();
    this.#exchange.waitTimer.arm(queue.timeoutMs);
    this.#exchange.body.hold();
  }

  /**
   * Sends the request on the private connection of its client. Returns false if there is none. Requests of other clients in the queue
   * cannot use such a connection.
   */
  #sendOnPrivate(backend: Backend): boolean {
    const upstream = backend.pickPrivate(this.#downstream().peer, this.#attempted);
    return upstream !== null && this.#send(upstream, null);
  }

  /**
   * Sends the request to an upstream below its limit. Returns false if there is none. Other workers may be quicker to take its last
   * connection: then the next upstream is tried.
   */
  #sendToAvailable(backend: Backend): boolean {
    for (;;) {
      const upstream = backend.pick(this.#exchange, this.#attempted);
      if (upstream === null) return false;
      if (this.#send(upstream, null)) return true;
    }
  }

  /**
   * Sends the request to `upstream`. `before`: the attempt on a connection that turned out to be dead; this one takes a new connection.
   * Returns false if the upstream is at its limit.
   */
  #send(upstream: Upstream, before: Attempt | null): boolean {
    const exchange = this.#exchange;
    const { services } = exchange;
    const { attempts } = services;
    const attempt = attempts.acquire(exchange.maxHeaders);
    exchange.outgoingAuthority = settledAuthority(exchange) ?? upstream.config.authority;
    if (exchange.generation?.recordsTimings) attempt.sentMs = services.nowMs;
    if (!attempt.acquire(exchange, upstream, this.#route().backend.breaker, this.#downstream().peer, before)) {
      attempts.release(attempt);
      return false;
    }
    exchange.enter(PHASE.ATTEMPTING);
    if (this.attempt !== null) attempts.release(this.attempt);
    this.attempt = attempt;
    exchange.attempts++;
    attempt.sendHead(exchange);
    exchange.body.sendTo(attempt);
    return true;
  }

  /** An upstream may have a connection for this request of the queue. Returns false if none has. */
  tryDispatch(): boolean {
    try {
      return this.#sendToAvailable(this.#backend());
    } catch (error) {
      this.#fail(error);
      return true;
    }
  }

  moved(queue: RequestQueue): void {
    this.#queue = queue;
  }

  /** The exchange waits no longer, for whatever reason. */
  leaveQueue(): void {
    const queue = this.#queue;
    this.#queue = null;
    queue?.leave(this);
  }

  queueTimedOut(): void {
    this.#fail(new PhotonError('upstreams_full', 'No connection to an upstream became free in time.'));
  }

  /** The pause before a retry is over. */
  redispatch(): void {
    try {
      this.#exchange.enter(PHASE.DISPATCHING);
      this.#dispatch();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** If a retry could not even begin, the client gets the failure of the attempt before. */
  #fail(error: unknown): void {
    const isUnavailable = error instanceof PhotonError && error.status === 503;
    this.#exchange.fail(isUnavailable ? (this.#failure ?? error) : error);
  }

  /** The attempt has failed before the head of its reply: the request is sent again, or the client gets an error response. */
  attemptFailed(attempt: Attempt, error: PhotonError): void {
    try {
      this.#judge(attempt, error);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #judge(attempt: Attempt, error: PhotonError): void {
    const exchange = this.#exchange;
    const { retries, backend } = this.#route();
    const next = nextAttempt(attempt, error, {
      method: exchange.request.method,
      bodyKept: exchange.body.repeatable,
      retriedOnNewConnection: this.#retriedOnNewConnection,
      retriesLeft: retries - this.#retries,
    });
    if (next === NEXT.NEW_CONNECTION) {
      this.#sendOnNewConnection(attempt, error);
      return;
    }
    attempt.concluded(error);
    if (next === NEXT.NONE || !backend.overload.retryBudget.tryAcquire(exchange.services.wheel.nowMs))
      exchange.fail(error);
    else this.#retry(attempt.upstream as Upstream, error);
  }

  #sendOnNewConnection(attempt: Attempt, error: PhotonError): void {
    this.#retriedOnNewConnection = true;
    this.#failure = error;
    this.#exchange.body.hold();
    this.#exchange.enter(PHASE.DISPATCHING);
    if (!this.#send(attempt.upstream as Upstream, attempt)) this.#dispatch();
  }

  #retry(upstream: Upstream, error: PhotonError): void {
    const exchange = this.#exchange;
    this.#retries++;
    this.#failure = error;
    this.#attempted = [...this.#attempted, upstream];
    exchange.body.hold();
    const { retryBackoff } = this.#route().backend.overload;
    const pauseMs = retryPauseMs(retryBackoff, this.#retries, exchange.services.random());
    if (pauseMs < SHORTEST_PAUSE_MS) {
      this.redispatch();
      return;
    }
    exchange.enter(PHASE.BACKOFF);
    // A timer never runs out early, so it runs out late; the pause may be a little shorter than drawn.
    exchange.waitTimer.arm(pauseMs - TimerWheel.lateMs);
  }
}

/**
 * A client that has shut down its side has probably gone: when it closes its connection, that looks the same. Its request does not wait in
 * the queue, which would fill with requests of clients that are gone.
 */
export function halfClosedInQueue(): PhotonError {
  return new PhotonError('client_closed', 'The client closed its side while its request waited for an upstream.');
}

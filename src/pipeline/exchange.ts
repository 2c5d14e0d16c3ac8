import type { PhotonError } from '../base/errors.ts';
import type { FieldDrops } from '../http/field-drops.ts';
import { FieldList } from '../http/field-list.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING, type Framing } from '../http/framing.ts';
import type { OutgoingRequest, OutgoingResponse } from '../http/outgoing.ts';
import { RequestHead } from '../http/request-head.ts';
import type { RequestIdGenerator } from '../http/request-id.ts';
import { ResponseHead } from '../http/response-head.ts';
import { RequestTarget } from '../http/target.ts';
import type { DownstreamStream, RequestListener, ResponseListener, UpstreamStream } from '../net/streams.ts';
import { Timer, type TimerOwner, type TimerWheel } from '../net/timer-wheel.ts';
import type { RoutedRequest } from '../routing/routed-request.ts';
import { NO_CLAIM } from '../upstream/circuit-breaker.ts';
import type { PendingRequest, RequestQueue } from '../upstream/request-queue.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { BodyCoding } from './body-coding.ts';
import { cameSecurely } from './client-identity.ts';
import type { CodedBody } from './coded-body.ts';
import type { FailedHook } from './failed-hook.ts';
import { failExchange, loseRequest, missDeadline, refuseRequest } from './failure.ts';
import { keyValue, ownValue, receivedValue } from './field-values.ts';
import { dispatchQueued, halfClosedInQueue } from './forward.ts';
import type { Generation, RoutePlan } from './generation.ts';
import type { HeldReply } from './hold-reply.ts';
import { boundWait, type PendingHook } from './pending-hook.ts';
import { beginExchange } from './phases.ts';
import { finishForwarding, forwardData, forwardTrailers } from './request-body.ts';
import { beginReply, endReply, passInformational, replyData, replyTrailers } from './respond.ts';
import { judgeFailure, waitTimedOut } from './retry.ts';

/** The services that all exchanges of a worker share. */
export interface PipelineServices {
  readonly wheel: TimerWheel;
  readonly requestIds: RequestIdGenerator;
  /** The configuration to begin new exchanges with. */
  readonly generation: Generation;
  /** The time of the event under way, in milliseconds of a monotonic clock. */
  readonly nowMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** The value of Date for a reply made now. */
  readonly date: string;
  /** Takes back an exchange that is over, for the next request. */
  exchangeFinished(exchange: Exchange, error: PhotonError | null): void;
  /** Reports an error that is a bug of ours. */
  fault(error: unknown): void;
  /** Reports an error that a middleware let through. */
  middlewareFailed(hook: FailedHook, error: unknown): void;
  /** Flushes the output of an event that did not come from a socket. */
  settle(): void;
}

const NONE: readonly Upstream[] = [];

/** The head of the reply that is being sent. */
class Reply implements OutgoingResponse {
  drops: FieldDrops | null = null;
  status = 0;
  source: ResponseHead | null = null;
  readonly additions: FieldList = new FieldList();
  framing: Framing = FRAMING.NONE;
  contentLength = -1;
  /** The content coding of the body; null for none. Set by `codeBody`. */
  coding: BodyCoding | null = null;
}

/**
 * One request and its reply, with all of their state from the head's arrival to `finish`. It listens to both sides and calls the step for
 * each event; the steps are in `phases.ts`, `forward.ts`, `respond.ts` and `failure.ts`.
 *
 * Exchanges are used again for later requests of the worker: no other object may keep one.
 */
export class Exchange
  implements RequestListener, ResponseListener, RoutedRequest, OutgoingRequest, TimerOwner, PendingRequest
{
  readonly services: PipelineServices;
  readonly request: RequestHead;
  readonly response: ResponseHead;
  readonly target: RequestTarget = new RequestTarget();
  readonly reply: Reply = new Reply();
  readonly deadline: Timer;
  /** For the queue timeout, the pause before a retry, or the time for a pending hook: one at a time. */
  readonly waitTimer: Timer;

  downstream: DownstreamStream | null = null;
  generation: Generation | null = null;
  route: RoutePlan | null = null;
  upstream: Upstream | null = null;
  stream: UpstreamStream | null = null;
  /** The breaker of `upstream` has still to get the outcome of this attempt; and the claim of the attempt, if it is the probe. */
  outcomeDue = false;
  probeClaim: number = NO_CLAIM;
  /** If the deadline passes before the head of a reply, that is the upstream's fault. */
  deadlineCounts = false;

  id = '';
  /** The host that the request is for, normalised; empty when an HTTP/1.0 client named none. */
  host = '';
  clientAddress = '';
  /** The name of the authenticated client; empty before authentication. */
  consumer = '';
  /** The peer of the connection is a trusted proxy. */
  peerTrusted = false;

  /** Set while a preflight looks for the route of the request that it asks about; null otherwise. */
  methodAskedFor: string | null = null;

  /** The parts of the head that goes upstream. */
  outgoingTarget = '';
  outgoingAuthority = '';
  readonly requestAdditions: FieldList = new FieldList();
  requestDrops: FieldDrops | null = null;
  /** The Host that a middleware has set for the upstream; null for none. */
  hostSet: string | null = null;

  /** Fields of rate limits for the reply, also for one of the gateway. */
  readonly rateLimitFields: FieldList = new FieldList();
  /** The most bytes of the request's body; null for no limit. */
  maxBodyBytes: number | null = null;
  /** Bytes of the request's body that came, and of the reply's body that went out, both without their framing. */
  requestBodyBytes = 0;
  replyBodyBytes = 0;
  requestEnd = false;
  replyStarted = false;
  /** The hook that the exchange waits for; null for none. Only `waitForHook` sets it. */
  pendingHook: PendingHook | null = null;
  /** The reply whose head waits for a response hook; null for none. */
  held: HeldReply | null = null;
  /** The coder that the upstream's body goes through; null for none. */
  codedBody: CodedBody | null = null;
  retriedOnNewConnection = false;
  /** An interim reply was passed on to the client. */
  interimPassed = false;
  /** The part of the body that has come so far, to be sent later or again; null if it is too large to keep. */
  sentBody: Buffer[] | null = null;
  /** Trailers that came while there was no upstream to send them to. */
  keptTrailers: Fields | null = null;

  /** The queue in which it waits for a connection; null while it does not wait. */
  queue: RequestQueue | null = null;
  /** How often the request was retried, the upstreams of the attempts that failed, and the last failure. */
  retries = 0;
  attempted: readonly Upstream[] = NONE;
  failure: PhotonError | null = null;

  /** For how many middleware of the route the request hook has run, and for how many of them the response hook is still to run. */
  requestHooksRun = 0;
  responseHooksLeft = 0;
  /**
   * Counts the requests that this object has been used for. Code that waits for something can see by it whether the request is still the
   * same.
   */
  useCount = 0;

  /** How often the request was sent upstream. */
  attempts = 0;
  /** The status of the upstream's reply; 0 before there is one. */
  upstreamStatus = 0;
  /** When it began, was sent upstream last, and was answered there: of `services.nowMs`, if the generation records timings. */
  begunMs = 0;
  sentMs = 0;
  answeredMs = 0;

  /** The most fields of each head. */
  readonly maxHeaders: number;

  constructor(services: PipelineServices, maxHeaders: number) {
    this.services = services;
    this.maxHeaders = maxHeaders;
    this.request = new RequestHead(maxHeaders);
    this.response = new ResponseHead(maxHeaders);
    this.deadline = new Timer(services.wheel, this);
    this.waitTimer = new Timer(services.wheel, this);
  }

  /** Resets all state for the next request. */
  clear(): void {
    this.request.clear();
    // The decoder clears it before every reply. Until then only its text would be kept in memory.
    this.response.text = '';
    this.downstream = null;
    this.generation = null;
    this.route = null;
    this.upstream = null;
    this.stream = null;
    this.outcomeDue = false;
    this.probeClaim = NO_CLAIM;
    this.deadlineCounts = false;
    this.reply.source = null;
    this.reply.status = 0;
    this.host = '';
    this.clientAddress = '';
    this.requestBodyBytes = 0;
    this.replyBodyBytes = 0;
    this.attempts = 0;
    this.upstreamStatus = 0;
    this.requestEnd = false;
    this.replyStarted = false;
    this.held = null;
    this.pendingHook = null;
    this.codedBody = null;
    this.reply.coding = null;
    this.retriedOnNewConnection = false;
    this.interimPassed = false;
    this.sentBody = null;
    this.keptTrailers = null;
    this.queue = null;
    this.retries = 0;
    this.attempted = NONE;
    this.failure = null;
    this.consumer = '';
    this.requestAdditions.clear();
    this.rateLimitFields.clear();
    this.reply.additions.clear();
    this.requestDrops = null;
    this.hostSet = null;
    this.reply.drops = null;
    this.requestHooksRun = 0;
    this.responseHooksLeft = 0;
    this.useCount++;
  }

  // --- the request, as the router sees it ------------------------------------------------------------------------------

  /** While a preflight looks for its route, the method that it asks about. */
  get method(): string {
    return this.methodAskedFor ?? this.request.method;
  }

  get path(): string {
    return this.target.path;
  }

  get query(): string {
    return this.target.query;
  }

  /** The client's connection, or its connection to a trusted proxy, is one of TLS. */
  get cameSecurely(): boolean {
    return cameSecurely(this);
  }

  headerValue(lowerCaseName: string): string | undefined {
    return receivedValue(this, lowerCaseName);
  }

  ownValue(lowerCaseName: string): string | undefined {
    return ownValue(this, lowerCaseName);
  }

  keyValue(lowerCaseName: string): string | undefined {
    return keyValue(this, lowerCaseName);
  }

  get editedByMiddleware(): boolean {
    return this.requestHooksRun > 0;
  }

  /** The reply waits for a response hook, and the rest of the request has no receiver. */
  get requestUnwanted(): boolean {
    return this.held !== null && this.stream === null;
  }

  // --- from the client -------------------------------------------------------------------------------------------------

  requestBegun(downstream: DownstreamStream): void {
    this.downstream = downstream;
    beginExchange(this);
  }

  requestRefused(downstream: DownstreamStream, error: PhotonError): void {
    this.downstream = downstream;
    refuseRequest(this, error);
  }

  requestData(bytes: Buffer, start: number, end: number): void {
    forwardData(this, bytes, start, end);
  }

  requestTrailers(trailers: Fields): void {
    forwardTrailers(this, trailers);
  }

  requestEnded(): void {
    finishForwarding(this);
  }

  requestFailed(error: PhotonError): void {
    loseRequest(this, error);
  }

  clientHalfClosed(): void {
    if (this.queue !== null) this.fail(halfClosedInQueue());
    else boundWait(this);
  }

  responseWritable(): void {
    if (this.held !== null) return;
    if (this.codedBody === null) this.stream?.resumeResponse();
    else this.codedBody.resume();
  }

  // --- from the upstream -----------------------------------------------------------------------------------------------

  responseInformational(): void {
    passInformational(this);
  }

  responseBegun(): void {
    beginReply(this);
  }

  responseData(bytes: Buffer, start: number, end: number): void {
    replyData(this, bytes, start, end);
  }

  responseTrailers(trailers: Fields): void {
    replyTrailers(this, trailers);
  }

  responseEnded(): void {
    endReply(this);
  }

  responseFailed(error: PhotonError): void {
    judgeFailure(this, error);
  }

  requestWritable(): void {
    this.downstream?.resumeRequest();
  }

  tryDispatch(): boolean {
    return dispatchQueued(this);
  }

  moved(queue: RequestQueue): void {
    this.queue = queue;
  }

  timerExpired(timer: Timer): void {
    if (timer === this.deadline) missDeadline(this);
    else waitTimedOut(this);
  }

  /** Ends the exchange for a reason that comes from neither side. */
  fail(error: unknown): void {
    failExchange(this, error);
  }

  timerFailed(): void {
    this.stream?.cancel();
    this.downstream?.abort();
  }
}

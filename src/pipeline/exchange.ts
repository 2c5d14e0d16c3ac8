import { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import { FIELD } from '../http/field-names.ts';
import type { Fields } from '../http/fields.ts';
import type { DownstreamStream, RequestListener } from '../net/streams.ts';
import { Timer, type TimerOwner, type TimerWheel } from '../net/timer-wheel.ts';
import { answerHead } from './answer.ts';
import type { Attempt, AttemptOwner } from './attempt.ts';
import type { AttemptPool } from './attempt-pool.ts';
import { cameSecurely } from './client-identity.ts';
import type { ClientSinkOwner } from './client-sink.ts';
import { CodedBody, type CoderOwner } from './coded-body.ts';
import { DATE } from './date-field.ts';
import { errorHead } from './error-response.ts';
import { isEventStream } from './event-stream.ts';
import { type ContextServices, ExchangeContext } from './exchange-context.ts';
import { keyValue, ownValue, receivedValue } from './field-values.ts';
import { Forwarding, halfClosedInQueue } from './forwarding.ts';
import type { RoutePlan } from './generation.ts';
import { HookWait } from './hook-wait.ts';
import type { Answer, Verdict } from './middleware.ts';
import { OwnReply } from './own-reply.ts';
import { checkTransition, PHASE, type Phase, phaseName } from './phase.ts';
import { ReplyPath } from './reply-path.ts';
import { BODY } from './request-body.ts';
import { routeRequest } from './route-request.ts';
import { runFinishHooks } from './run-finish-hooks.ts';
import { lastRequestHook, runRequestHooks } from './run-request-hooks.ts';
import { type AsyncHook, runErrorResponseHooks, runResponseHooks } from './run-response-hooks.ts';
import { addTraceFields } from './trace-fields.ts';

/** The services that all exchanges of a worker share. */
export interface PipelineServices extends ContextServices {
  readonly wheel: TimerWheel;
  readonly attempts: AttemptPool;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Takes back an exchange that is over, for the next request. */
  exchangeFinished(exchange: Exchange, error: PhotonError | null): void;
  /** Flushes the output of an event that did not come from a socket. */
  settle(): void;
}

const SET_COOKIE = new FieldGroup([], 'Set-Cookie');

/**
 * The share of a route's deadline that has to be left when the upstream has the whole request. With less, hooks, the queue, pauses before
 * retries, other upstreams or the client have taken the rest, and a deadline that passes says nothing about this upstream.
 */
const MOST_OF_DEADLINE = 0.75;

/**
 * One request and its reply, from the head's arrival to the end. What may happen now is its phase (`phase.ts` draws them), which `enter`
 * alone changes. What each event does in each of them:
 *
 *   event              REQUEST_HOOKS    QUEUED, BACKOFF  ATTEMPTING       RESPONSE_HOOKS             REPLYING
 *   body piece         kept, paused     kept, paused     sent and kept    to an attempt, or dropped  the same
 *   body bad or slow   400, 408         400, 408         cancel, 400/408  attempt: 400/408 in its    attempt: cut;
 *                                                                         place; own: ignored        own: ignored
 *   client gone        OVER             OVER             OVER, cancel     OVER                       OVER
 *   deadline           504              504              504 or 408,      504 in its place; error    cut
 *                                                        cancel           response: sent now
 *   hook settles       next hook        dropped          dropped          next hook                  dropped
 *   client half-closed 2 s for a hook   client_closed    -                2 s for a hook             -
 *   room in the queue  dropped          ATTEMPTING       dropped          dropped                    dropped
 *   wait is over       504              503, dispatch    -                504, own: sent now         -
 *   1xx                -                -                passed           -                          -
 *   head               -                -                RESPONSE_HOOKS   -                          -
 *   data, trailers,    -                -                -                kept, source paused        to the sinks
 *   end of the reply
 *   attempt fails      -                -                again, 502/504   502 in its place           cut
 *   client takes all   -                -                -                -                          source resumed
 *
 * The first failure decides the response; a later one changes it only while the response is still the upstream's. What settles late
 * (a hook) finds another pending hook, or none, and is dropped; timers are disarmed by the phase that is left.
 */
export class Exchange
  extends ExchangeContext
  implements RequestListener, AttemptOwner, ClientSinkOwner, CoderOwner, TimerOwner
{
  declare readonly services: PipelineServices;
  readonly #forwarding: Forwarding = new Forwarding(this);
  readonly #hookWait: HookWait = new HookWait(this);
  readonly #replyPath: ReplyPath = new ReplyPath(this);
  readonly deadline: Timer;
  /** For the queue timeout, the pause before a retry, or the time for a pending hook: one at a time. */
  readonly waitTimer: Timer;

  #phase: Phase = PHASE.FREE;
  /** RESPONSE_HOOKS, REPLYING: the reply that no upstream made; null for an upstream's. */
  #own: OwnReply | null = null;

  constructor(services: PipelineServices, maxHeaders: number) {
    super(services, maxHeaders);
    this.deadline = new Timer(services.wheel, this);
    this.waitTimer = new Timer(services.wheel, this);
  }

  /** Resets all state for the next request. */
  override clear(): void {
    super.clear();
    this.#forwarding.clear();
    this.#own = null;
    this.#phase = PHASE.FREE;
  }

  /** The attempt under way, or the last one; null before the first. */
  get attempt(): Attempt | null {
    return this.#forwarding.attempt;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get replyStarted(): boolean {
    return this.#phase === PHASE.REPLYING || this.#phase === PHASE.OVER;
  }

  /** Goes over to another phase. What the phase before held is given up. Throws an Error for a transition that must not be. */
  enter(next: Phase): void {
    checkTransition(this.#phase, next);
    switch (this.#phase) {
      case PHASE.REQUEST_HOOKS:
      case PHASE.RESPONSE_HOOKS:
        this.#hookWait.stop();
        break;
      case PHASE.QUEUED:
        this.#forwarding.leaveQueue();
        this.waitTimer.disarm();
        break;
      case PHASE.BACKOFF:
        this.waitTimer.disarm();
        break;
      default:
    }
    this.#phase = next;
  }

  // --- the request -----------------------------------------------------------------------------------------------------

  requestBegun(downstream: DownstreamStream): void {
    try {
      this.#begin(downstream);
      this.body.begin(this.request, downstream);
      const verdict = routeRequest(this);
      if (verdict !== undefined) this.#conclude(verdict);
      else this.#enterRoute(this.route as RoutePlan);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The head could not be decoded: the request is refused. */
  requestRefused(downstream: DownstreamStream, error: PhotonError): void {
    this.#begin(downstream);
    // The fields of a head without text are not valid: an Accept among them would accept no type.
    if (this.request.text === '') this.request.clear();
    this.id = this.services.requestIds.next();
    // If the peer is a trusted proxy, the client was named in the head that could not be decoded.
    this.clientAddress = downstream.peer.address;
    this.fail(error);
  }

  #begin(downstream: DownstreamStream): void {
    this.enter(PHASE.ROUTING);
    this.downstream = downstream;
    this.generation = this.services.generation;
    if (this.generation.recordsTimings) this.begunMs = this.services.nowMs;
  }

  /** The deadline of a route begins before its middleware. */
  #enterRoute({ timeoutMs, chain }: RoutePlan): void {
    if (timeoutMs !== null) this.deadline.arm(timeoutMs);
    if (chain.middleware.length === 0) {
      this.#forwarding.begin();
      return;
    }
    this.enter(PHASE.REQUEST_HOOKS);
    this.#runRequestHooks();
  }

  #runRequestHooks(): void {
    const verdict = runRequestHooks(this);
    if (verdict === undefined) this.#forwarding.begin();
    else if (verdict instanceof Promise) this.#waitForVerdict(verdict);
    else this.#conclude(verdict);
  }

  #waitForVerdict(promise: Promise<Verdict>): void {
    this.body.hold();
    this.#hookWait.begin(lastRequestHook(this), 'onRequest', promise);
  }

  #conclude(verdict: Answer | PhotonError): void {
    if (verdict instanceof PhotonError) this.fail(verdict);
    else this.#respond(new OwnReply(this.#replyPath, answerHead(this, verdict), null), null);
  }

  requestData(bytes: Buffer, start: number, end: number): void {
    if (!this.body.data(bytes, start, end)) this.fail(this.body.tooLarge());
  }

  requestTrailers(trailers: Fields): void {
    this.body.trailers(trailers);
  }

  requestEnded(): void {
    this.body.end();
  }

  /** A reply that does not need the rest of the request goes out all the same, unless the client is gone. */
  requestFailed(error: PhotonError): void {
    const isUnwanted = this.body.state === BODY.UNWANTED;
    this.body.lose();
    if (error.code === 'client_closed' || !isUnwanted) this.fail(error);
  }

  clientHalfClosed(): void {
    switch (this.#phase) {
      case PHASE.QUEUED:
        this.fail(halfClosedInQueue());
        break;
      case PHASE.REQUEST_HOOKS:
      case PHASE.RESPONSE_HOOKS:
        this.#hookWait.bound();
        break;
      default:
    }
  }

  responseWritable(): void {
    if (this.#phase === PHASE.REPLYING) this.#replyPath.writable();
  }

  get hasMostOfDeadline(): boolean {
    const timeoutMs = this.route?.timeoutMs ?? null;
    return timeoutMs !== null && this.deadline.leftMs >= timeoutMs * MOST_OF_DEADLINE;
  }

  // --- from the attempt ------------------------------------------------------------------------------------------------

  attemptWritable(): void {
    this.body.resume();
  }

  attemptInformed(): void {
    this.downstream?.sendInformational((this.attempt as Attempt).response);
  }

  /** The upstream's head is here: the reply begins. */
  attemptAnswered(): void {
    try {
      const attempt = this.attempt as Attempt;
      if (this.generation?.recordsTimings) attempt.answeredMs = this.services.nowMs;
      this.enter(PHASE.RESPONSE_HOOKS);
      this.#replyPath.begin(attempt);
      this.#passHead(attempt);
      this.#runResponseHooks();
    } catch (error) {
      this.fail(error);
    }
  }

  #passHead({ response }: Attempt): void {
    const { reply } = this;
    reply.status = response.status;
    reply.source = response;
    reply.framing = response.framing;
    reply.contentLength = response.contentLength;
    reply.additions.clear();
    addTraceFields(reply.additions, response.versionMinor, this.id);
    // RFC 9110 6.6.1: a recipient with a clock dates a reply that came without.
    if (response.find(FIELD.DATE) === -1) reply.additions.addGroup(DATE, this.services.date);
  }

  attemptData(bytes: Buffer, start: number, end: number): void {
    this.#replyPath.data(bytes, start, end);
  }

  attemptTrailers(trailers: Fields): void {
    this.#replyPath.trailers(trailers);
  }

  /** A part of the reply may still be on its way to the client. The rest of the request has no receiver. */
  attemptEnded(): void {
    this.#replyPath.sourceEnded();
    if (this.#phase !== PHASE.RESPONSE_HOOKS && this.#phase !== PHASE.REPLYING) return;
    this.body.drop();
    this.body.pause();
  }

  /** The upstream failed. The request is sent again, or the client gets an error response, or its reply is cut. */
  attemptFailed(error: PhotonError): void {
    if (this.#phase === PHASE.ATTEMPTING) this.#forwarding.attemptFailed(this.attempt as Attempt, error);
    else this.fail(error);
  }

  // --- the reply -------------------------------------------------------------------------------------------------------

  /** A reply that no upstream made is the source now, instead of any other. `error`: why. */
  #respond(own: OwnReply, error: PhotonError | null): void {
    if (error !== null) this.attempt?.cancel(error);
    this.enter(PHASE.RESPONSE_HOOKS);
    this.#own = own;
    this.#replyPath.begin(own);
    this.body.drop();
    this.#runResponseHooks();
  }

  /** Runs the response hooks that are left, and sends the reply when all have run. Throws PhotonError for one that is still to be replaced. */
  #runResponseHooks(): void {
    const isError = this.#own !== null && this.#own.error !== null;
    const hook = isError ? runErrorResponseHooks(this, this.#isLate()) : runResponseHooks(this);
    if (hook === null) this.#startReply();
    else this.#waitWithReply(hook);
  }

  /** The deadline of the route has passed: nothing would end another wait. */
  #isLate(): boolean {
    return this.route !== null && this.route.timeoutMs !== null && !this.deadline.armed;
  }

  /** Without an upstream the rest of the request has no receiver. */
  #waitWithReply({ middleware, promise }: AsyncHook): void {
    this.#replyPath.hold();
    if (!this.attempt?.open) this.body.pause();
    this.#hookWait.begin(middleware, 'onResponse', promise);
  }

  #startReply(): void {
    this.enter(PHASE.REPLYING);
    if (this.#own === null) this.#startPassing();
    else this.#startOwn(this.#own);
  }

  #startPassing(): void {
    const { reply, downstream, deadline } = this;
    const path = this.#replyPath;
    this.#addStickyCookie();
    const coder = reply.coding === null ? null : new CodedBody(this, reply.coding, path.client);
    if (deadline.armed && isEventStream((this.attempt as Attempt).response)) deadline.disarm();
    // A reply that comes before its request is complete may also end before it: then the rest of the request would be read as another
    // request.
    downstream?.sendHead(reply, !downstream.requestComplete);
    path.release(coder);
  }

  /** Sets the sticky cookie of the upstream that answers, if sessions are sticky and the client does not have it. */
  #addStickyCookie(): void {
    const { sticky } = (this.route as RoutePlan).backend.current;
    const upstream = this.attempt?.upstream ?? null;
    const cookie = sticky === null || upstream === null ? null : sticky.cookieFor(this, upstream);
    if (cookie !== null) this.reply.additions.addGroup(SET_COOKIE, cookie);
  }

  #startOwn(own: OwnReply): void {
    const { reply, downstream, request } = this;
    const path = this.#replyPath;
    // A body that still comes would be taken for the next request: the connection ends with this reply.
    downstream?.sendHead(reply, (own.error?.closesConnection ?? false) || !downstream.requestComplete);
    path.release(null);
    own.start(reply, request.method !== 'HEAD');
  }

  /** All of the reply is on its way to the client. */
  replyComplete(): void {
    this.#over(this.#own?.error ?? null);
  }

  pauseSource(): void {
    this.#replyPath.pauseSource();
  }

  resumeSource(): void {
    this.#replyPath.resumeSource();
  }

  settle(): void {
    this.services.settle();
  }

  // --- hooks that take their time --------------------------------------------------------------------------------------

  /** `failure`: the hook failed, and `verdict` means nothing. */
  hookSettled(failure: PhotonError | null, verdict: Verdict): void {
    try {
      switch (this.#phase) {
        case PHASE.REQUEST_HOOKS:
          this.#requestHookSettled(failure, verdict);
          break;
        case PHASE.RESPONSE_HOOKS:
          this.#responseHookSettled(failure);
          break;
        default:
          throw new Error(`a hook of an exchange in ${phaseName(this.#phase)} settled`);
      }
    } catch (error) {
      this.fail(error);
    }
    this.services.settle();
  }

  #requestHookSettled(failure: PhotonError | null, verdict: Verdict): void {
    if (failure !== null) throw failure;
    this.body.resume();
    if (verdict === undefined) this.#runRequestHooks();
    else this.#conclude(verdict);
  }

  /** An error response goes out although its hook failed. */
  #responseHookSettled(failure: PhotonError | null): void {
    const isError = this.#own !== null && this.#own.error !== null;
    if (failure !== null && !isError) throw failure;
    this.#runResponseHooks();
  }

  // --- time ------------------------------------------------------------------------------------------------------------

  timerExpired(timer: Timer): void {
    if (timer === this.deadline) this.#missDeadline();
    else this.#waitIsOver();
  }

  #missDeadline(): void {
    switch (this.#phase) {
      case PHASE.ATTEMPTING:
      case PHASE.REPLYING:
        this.fail(this.body.state === BODY.COMING ? requestTooSlow() : deadlineExceeded());
        break;
      default:
        this.fail(deadlineExceeded());
    }
  }

  /** The pause before a retry is over, or the queue timeout, or the time for a hook. */
  #waitIsOver(): void {
    switch (this.#phase) {
      case PHASE.QUEUED:
        this.#forwarding.queueTimedOut();
        break;
      case PHASE.BACKOFF:
        this.#forwarding.redispatch();
        break;
      case PHASE.REQUEST_HOOKS:
      case PHASE.RESPONSE_HOOKS:
        this.#hookWait.timedOut();
        break;
      default:
        throw new Error(`the wait of an exchange in ${phaseName(this.#phase)} was over`);
    }
  }

  timerFailed(): void {
    if (this.#phase === PHASE.FREE || this.#phase === PHASE.OVER) return;
    this.#cut(new PhotonError('internal_error', 'The gateway failed on this request.'));
  }

  // --- failures and the end --------------------------------------------------------------------------------------------

  /**
   * Ends an exchange that failed, whatever failed: the attempt is cancelled, and the client gets an error response, or, if a reply has begun
   * already, a cut that it cannot take for the end of the reply.
   */
  fail(failure: unknown): void {
    const error = failure instanceof PhotonError ? failure : this.#internalError(failure);
    if (error.code === 'client_closed') {
      this.#cut(error);
      return;
    }
    switch (this.#phase) {
      case PHASE.FREE:
      case PHASE.OVER:
        throw new Error(`an exchange in ${phaseName(this.#phase)} failed: ${error.code}`);
      case PHASE.REPLYING:
        this.#cut(error);
        break;
      case PHASE.RESPONSE_HOOKS:
        this.#failInHooks(error);
        break;
      default:
        this.#respondWithError(error);
    }
  }

  #respondWithError(error: PhotonError): void {
    this.#respond(new OwnReply(this.#replyPath, errorHead(this, error), error), error);
  }

  /**
   * The first failure decides the response. While a hook holds an error response, the time for hooks may end; any other failure changes
   * nothing.
   */
  #failInHooks(error: PhotonError): void {
    const own = this.#own;
    if (own === null || own.error === null) this.#respondWithError(error);
    else if (error.code === 'deadline_exceeded' || error.code === 'middleware_timeout') {
      runErrorResponseHooks(this, true);
      this.#startReply();
    }
  }

  #internalError(failure: unknown): PhotonError {
    this.services.fault(failure);
    return new PhotonError('internal_error', 'The gateway failed on this request.');
  }

  #cut(error: PhotonError): void {
    this.attempt?.cancel(error);
    this.downstream?.abort();
    this.#over(error);
  }

  /** The one end of every exchange: completed, refused, failed or abandoned. Both sides have let go of it. */
  #over(error: PhotonError | null): void {
    this.enter(PHASE.OVER);
    this.deadline.disarm();
    this.#replyPath.close();
    if (this.attempt?.open) this.#reportLeftAttempt(this.attempt);
    runFinishHooks(this, error);
    this.services.exchangeFinished(this, error);
  }

  /** An exchange that ends while it has the stream of an upstream is a bug: later events of the stream would reach the next request. */
  #reportLeftAttempt(attempt: Attempt): void {
    attempt.cancel(this.#internalError(new Error('an exchange ended while it had an upstream')));
  }

  // --- as the router and the algorithms see the request ----------------------------------------------------------------

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
}

/** The client owes the rest of its request: nobody asked it to wait. */
function requestTooSlow(): PhotonError {
  return new PhotonError('request_timeout', 'The whole request did not come in time.');
}

function deadlineExceeded(): PhotonError {
  return new PhotonError('deadline_exceeded', 'The whole reply did not come in time.');
}

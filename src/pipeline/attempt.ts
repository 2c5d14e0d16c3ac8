import type { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { OutgoingRequest } from '../http/outgoing.ts';
import { ResponseHead } from '../http/response-head.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from '../net/streams.ts';
import { type CircuitBreaker, NO_CLAIM } from '../upstream/circuit-breaker.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { isEventStream } from './event-stream.ts';
import type { ReplySource } from './reply-path.ts';
import type { BodyReceiver } from './request-body.ts';

/** The exchange, as its attempt sees it. */
export interface AttemptOwner {
  /** So much of the route's deadline is left that a deadline that passes from here on is the upstream's fault. */
  readonly hasMostOfDeadline: boolean;
  /** `response` of the attempt is an interim reply (1xx). */
  attemptInformed(): void;
  /** `response` of the attempt is the head of its reply. */
  attemptAnswered(): void;
  attemptData(bytes: Buffer, start: number, end: number): void;
  attemptTrailers(trailers: Fields): void;
  attemptEnded(): void;
  /** The reply will not come, or not to its end. */
  attemptFailed(error: PhotonError): void;
  /** The upstream has taken all that was sent to it. */
  attemptWritable(): void;
}

/** What an upstream can have done about a request whose attempt failed. */
export const PROGRESS = {
  /** Nothing of the request can have reached it. */
  UNSENT: 0,
  /** It may have processed the request. */
  SENT: 1,
  /** An interim reply was passed on, which counts as a part of the reply. */
  INTERIM: 2,
  /** The head of its reply was passed on, or a response hook has seen it. */
  HEAD: 3,
} as const;

export type Progress = (typeof PROGRESS)[keyof typeof PROGRESS];

/**
 * One sending of a request to one upstream. It listens to its stream; the exchange never does.
 *
 *   free --acquire--> open --head--> answered --end of the reply---> over --release--> free
 *                       \________________\----failure, cancel------^
 *
 * Its stream lets go of it when it is over: before that it does not return to its pool.
 *
 * The circuit breaker of the upstream gets the outcome of each attempt, exactly once:
 *
 *   acquire --> due --+-- reply complete ------------------------------------------> succeeded
 *                     +-- head of 5xx (isServerFailure) ---------------------------> failed
 *                     +-- error that is the upstream's fault ----------------------> failed
 *                     +-- an event stream ends, however it does -------------------> succeeded: by its head
 *                     +-- error of the client or the gateway, the client is gone,
 *                         the deadline of the route in mid-reply, or when the
 *                         upstream had less than most of it ----------------------> abandoned
 *
 * A request that is sent again on a new connection, because its pooled one was dead, has one outcome for both attempts.
 */
export class Attempt implements ResponseListener, ReplySource, BodyReceiver {
  readonly response: ResponseHead;
  #owner: AttemptOwner | null = null;
  #stream: UpstreamStream | null = null;
  upstream: Upstream | null = null;
  /** The breaker has still to get the outcome; and the claim of the attempt, if it is the probe. */
  #breaker: CircuitBreaker | null = null;
  #outcomeDue = false;
  #claim: number = NO_CLAIM;
  /** If the deadline passes before the head of a reply, that is the upstream's fault. */
  #deadlineCounts = false;
  #informed = false;
  /** The status of the reply; 0 before its head. */
  status = 0;
  /** How far it came, once it has failed. */
  progress: Progress = PROGRESS.UNSENT;
  /** It failed on a connection that was used before, and nothing of a reply came: the connection may have been dead already. */
  onDeadConnection = false;
  /** When it was sent, and answered: of `services.nowMs`, if the generation records timings. */
  sentMs = 0;
  answeredMs = 0;

  constructor(maxHeaders: number) {
    this.response = new ResponseHead(maxHeaders);
  }

  /**
   * Acquires a connection of `upstream` for a request of `peer`; `isNew`: a new one. `before`: the attempt on a connection that turned out
   * to be dead, whose outcome this one takes over. Returns false if the upstream is at its limit. Throws PhotonError gateway_full.
   */
  acquire(
    owner: AttemptOwner,
    upstream: Upstream,
    breaker: CircuitBreaker | null,
    peer: DownstreamPeer,
    before: Attempt | null,
  ): boolean {
    this.#owner = owner;
    this.upstream = upstream;
    this.#breaker = breaker;
    this.#claim = before === null ? upstream.takeClaim() : before.#passClaim();
    this.#outcomeDue = true;
    const stream = this.#tryAcquire(upstream, before !== null, peer);
    if (stream === null) this.#abandoned();
    this.#stream = stream;
    return stream !== null;
  }

  #tryAcquire(upstream: Upstream, newConnection: boolean, peer: DownstreamPeer): UpstreamStream | null {
    try {
      return upstream.acquire(this, newConnection, peer);
    } catch (error) {
      this.#abandoned();
      throw error;
    }
  }

  /** Its stream has not let go of it. */
  get open(): boolean {
    return this.#stream !== null;
  }

  /** Sends the head of the request. Sound: called once, right after `acquire`. */
  sendHead(outgoing: OutgoingRequest): void {
    this.#stream?.sendHead(outgoing);
  }

  /** Makes it ready for its pool. Throws an Error while its stream may still report to it. */
  release(): void {
    if (this.#stream !== null) throw new Error('an attempt was released while it had a stream');
    if (this.#outcomeDue) throw new Error('an attempt was released without an outcome');
    this.#owner = null;
    this.upstream = null;
    this.#breaker = null;
    this.#deadlineCounts = false;
    this.#informed = false;
    this.status = 0;
    // The decoder clears it before every reply. Until then only its text would be kept in memory.
    this.response.text = '';
  }

  // --- the request, for the upstream -----------------------------------------------------------------------------------

  get unsent(): boolean {
    return this.#stream?.unsent ?? false;
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    return this.#stream?.sendData(bytes, start, end) ?? true;
  }

  sendTrailers(trailers: Fields): void {
    this.#stream?.sendTrailers(trailers);
  }

  /** The upstream gets the last of the request: from here on it owes the reply. */
  sendEnd(): void {
    this.#deadlineCounts = this.#owner?.hasMostOfDeadline ?? false;
    this.#stream?.sendEnd();
  }

  // --- the reply, from its stream --------------------------------------------------------------------------------------

  responseInformational(): void {
    this.#informed = true;
    this.#owner?.attemptInformed();
  }

  responseBegun(): void {
    this.status = this.response.status;
    this.#judgeHead();
    this.#owner?.attemptAnswered();
  }

  responseData(bytes: Buffer, start: number, end: number): void {
    this.#owner?.attemptData(bytes, start, end);
  }

  responseTrailers(trailers: Fields): void {
    this.#owner?.attemptTrailers(trailers);
  }

  responseEnded(): void {
    this.#stream = null;
    this.#succeeded();
    this.#owner?.attemptEnded();
  }

  responseFailed(error: PhotonError): void {
    const stream = this.#stream;
    this.#stream = null;
    this.progress = this.#progressOf(stream);
    this.onDeadConnection = (stream?.reused ?? false) && (stream?.replyUntouched ?? false);
    this.#owner?.attemptFailed(error);
  }

  requestWritable(): void {
    this.#owner?.attemptWritable();
  }

  #progressOf(stream: UpstreamStream | null): Progress {
    if (this.status !== 0) return PROGRESS.HEAD;
    if (this.#informed) return PROGRESS.INTERIM;
    return stream?.unsent ? PROGRESS.UNSENT : PROGRESS.SENT;
  }

  // --- as the source of a reply ----------------------------------------------------------------------------------------

  pause(): void {
    this.#stream?.pauseResponse();
  }

  resume(): void {
    this.#stream?.resumeResponse();
  }

  /** The exchange has no more use for it because of `error`. Does nothing when it is over. */
  cancel(error: PhotonError): void {
    this.concluded(error);
    const stream = this.#stream;
    this.#stream = null;
    stream?.cancel();
  }

  // --- its outcome -----------------------------------------------------------------------------------------------------

  /**
   * The head of the reply is here. A failure is reported to the breaker at once, a success only at the end, since the reply may break off.
   * For a probe the head is reported too.
   */
  #judgeHead(): void {
    if (isServerFailure(this.status)) this.#failed(`status ${this.status}`);
    else if (this.#claim !== NO_CLAIM) this.#judgeProbeHead();
  }

  #judgeProbeHead(): void {
    if (this.upstream !== null) this.#breaker?.answered(this.upstream, this.#claim);
    if (isEventStream(this.response)) this.#succeeded();
  }

  /** It ends without a complete reply, because of `error`. */
  concluded(error: PhotonError): void {
    if (!this.#outcomeDue) return;
    if (!this.#isUpstreamsFault(error)) this.#abandoned();
    else if (this.status !== 0 && isEventStream(this.response)) this.#succeeded();
    else this.#failed(error.code);
  }

  /**
   * A deadline that passes in mid-reply may be due to a client that takes it slowly, or to a middleware that holds it. Before the head the
   * upstream was silent, which counts if it had most of the deadline for itself.
   */
  #isUpstreamsFault({ fault, code }: PhotonError): boolean {
    if (code === 'deadline_exceeded') return this.#deadlineCounts && this.status === 0;
    return fault === 'upstream';
  }

  #succeeded(): void {
    if (!this.#outcomeDue || this.upstream === null) return;
    this.#outcomeDue = false;
    this.#breaker?.succeeded(this.upstream, this.#claim);
  }

  #failed(reason: string): void {
    if (!this.#outcomeDue || this.upstream === null) return;
    this.#outcomeDue = false;
    this.#breaker?.failed(this.upstream, this.#claim, reason);
  }

  /** Another attempt reports the outcome of both. */
  #passClaim(): number {
    this.#outcomeDue = false;
    return this.#claim;
  }

  #abandoned(): void {
    this.#outcomeDue = false;
    if (this.upstream !== null) this.#breaker?.abandoned(this.upstream, this.#claim);
  }
}

/** 501 and 505 are about the request: an upstream that sends them is well. */
function isServerFailure(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

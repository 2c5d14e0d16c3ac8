import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { isIdempotent } from '../http/methods.ts';
import type { RequestHead } from '../http/request-head.ts';
import type { DownstreamStream } from '../net/streams.ts';

/** A body up to this size is kept while it is sent, so that it can be sent again. */
const MAX_KEPT_BODY_BYTES = 16 * 1024;

/** The place that a request's body goes to: an attempt. */
export interface BodyReceiver {
  /** Nothing of the request can have reached it yet. */
  readonly unsent: boolean;
  /** Returns false to ask for a pause. */
  sendData(bytes: Buffer, start: number, end: number): boolean;
  sendTrailers(trailers: Fields): void;
  sendEnd(): void;
}

/**
 * COMING <--> PAUSED          the client was asked to send no more for now
 *    \           /
 *     \-- last piece --> WHOLE
 *      \- bad, slow, client gone --> LOST       nothing more comes
 *       \ reply without an upstream --> UNWANTED    what still comes is counted and dropped
 */
export const BODY = { COMING: 0, PAUSED: 1, WHOLE: 2, LOST: 3, UNWANTED: 4 } as const;
type BodyState = (typeof BODY)[keyof typeof BODY];

/**
 * The body of a request on its way to an attempt. Pieces that come while there is none are kept; the client is paused then, so that these
 * are only bytes that had been read already. With an attempt they are kept as long as the request may be sent again.
 */
export class RequestBody {
  #state: BodyState = BODY.WHOLE;
  #downstream: DownstreamStream | null = null;
  #receiver: BodyReceiver | null = null;
  #framed = false;
  #idempotent = false;
  /** What has come so far, to be sent later or again; null if it is too large to keep. */
  #kept: Buffer[] | null = null;
  /** Trailers that came while there was no receiver. */
  #keptTrailers: Fields | null = null;
  /** All of it has come. */
  #ended = false;
  /** The most bytes; null for no limit. */
  maxBytes: number | null = null;
  /** Bytes that came, without framing. */
  bytes = 0;

  get state(): BodyState {
    return this.#state;
  }

  /** A request begins. */
  begin({ framing, method }: RequestHead, downstream: DownstreamStream): void {
    this.#downstream = downstream;
    this.#framed = framing !== FRAMING.NONE;
    this.#state = this.#framed ? BODY.COMING : BODY.WHOLE;
    this.#ended = !this.#framed;
    this.#idempotent = isIdempotent(method);
    this.#kept = this.#framed ? [] : null;
  }

  clear(): void {
    this.#state = BODY.WHOLE;
    this.#downstream = null;
    this.#receiver = null;
    this.#kept = null;
    this.#keptTrailers = null;
    this.maxBytes = null;
    this.bytes = 0;
  }

  /** Throws PhotonError body_too_large for a Content-Length that is too large. */
  checkLength({ contentLength }: RequestHead): void {
    if (this.maxBytes !== null && contentLength > this.maxBytes) throw this.tooLarge();
  }

  tooLarge(): PhotonError {
    return new PhotonError('body_too_large', `The request body is larger than ${this.maxBytes} bytes.`);
  }

  /** All of it can be sent to another receiver. */
  get repeatable(): boolean {
    return !this.#framed || this.#kept !== null;
  }

  // --- from the client -------------------------------------------------------------------------------------------------

  /** A piece has come, in bytes that are valid during this call only. Returns false if the body is too large by now. */
  data(bytes: Buffer, start: number, end: number): boolean {
    this.bytes += end - start;
    if (this.#state === BODY.UNWANTED) return true;
    if (this.maxBytes !== null && this.bytes > this.maxBytes) return false;
    const receiver = this.#receiver;
    if (this.#kept !== null) this.#keep(receiver, bytes, start, end);
    if (receiver !== null && !receiver.sendData(bytes, start, end)) this.pause();
    return true;
  }

  /** A request that must not be repeated is kept as long as nothing of it has left. */
  #keep(receiver: BodyReceiver | null, bytes: Buffer, start: number, end: number): void {
    if (this.#mayBeSentAgain(receiver)) this.#kept?.push(Buffer.from(bytes.subarray(start, end)));
    else this.#kept = null;
  }

  #mayBeSentAgain(receiver: BodyReceiver | null): boolean {
    return receiver === null || (this.bytes <= MAX_KEPT_BODY_BYTES && (receiver.unsent || this.#idempotent));
  }

  trailers(trailers: Fields): void {
    if (this.#state === BODY.UNWANTED) return;
    if (this.#receiver === null) this.#keptTrailers = trailers.copy();
    else this.#sendTrailers(this.#receiver, trailers);
  }

  /** A request whose trailers were sent cannot be sent again. */
  #sendTrailers(receiver: BodyReceiver, trailers: Fields): void {
    this.#kept = null;
    receiver.sendTrailers(trailers);
  }

  /** All of it has come. */
  end(): void {
    this.#ended = true;
    if (this.#state === BODY.UNWANTED) return;
    this.#state = BODY.WHOLE;
    this.#receiver?.sendEnd();
  }

  /** The rest will not come. */
  lose(): void {
    this.#state = BODY.LOST;
  }

  // --- from the exchange -----------------------------------------------------------------------------------------------

  /** Sends what has come so far, for the first time or again; what follows goes there as it comes. */
  sendTo(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    if (!this.#framed) {
      receiver.sendEnd();
      return;
    }
    for (const piece of this.#kept ?? []) receiver.sendData(piece, 0, piece.length);
    if (!this.#mayBeSentAgain(receiver)) this.#kept = null;
    const trailers = this.#keptTrailers;
    this.#keptTrailers = null;
    if (trailers !== null) this.#sendTrailers(receiver, trailers);
    if (this.#ended) receiver.sendEnd();
    this.resume();
  }

  /** There is no receiver for now: the client waits. */
  hold(): void {
    this.#receiver = null;
    this.pause();
  }

  /** No receiver will take the rest. */
  drop(): void {
    this.#receiver = null;
    this.#kept = null;
    this.#keptTrailers = null;
    if (this.#state === BODY.COMING || this.#state === BODY.PAUSED) this.#state = BODY.UNWANTED;
  }

  /** Asks the client to send no more for now, whoever would take it. */
  pause(): void {
    if (this.#state === BODY.COMING) this.#state = BODY.PAUSED;
    this.#downstream?.pauseRequest();
  }

  /** The receiver has taken all that was sent to it. */
  resume(): void {
    if (this.#state === BODY.PAUSED) this.#state = BODY.COMING;
    if (this.#state === BODY.COMING) this.#downstream?.resumeRequest();
  }
}

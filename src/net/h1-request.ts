import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { BodyDecoder, type BodySink } from '../wire/h1/body-decoder.ts';
import { INCOMPLETE } from '../wire/h1/field-lines.ts';
import { decodeRequestHead } from '../wire/h1/request-decoder.ts';
import { CLIENT_TIMEOUT, type ClientTimeout } from './client-timeouts.ts';
import type { Connection } from './connection.ts';
import type { CurrentTimeout } from './current-timeout.ts';
import type { DownstreamService } from './downstream-service.ts';
import type { H1Reply } from './h1-reply.ts';
import type { DownstreamStream, RequestListener } from './streams.ts';

/**
 *          head complete, body due            body complete
 *   HEAD ------------------------> BODY ------------------> WHOLE
 *    ^ \______________head complete, no body; refused_________^ |
 *    |                               |                          | next(): the reply is complete, the connection persists
 *    +-------------------------------|--------------------------+
 *                                    +--malformed, too slow, cut off--> LOST: further bytes are discarded, the reply is the last
 *
 *   any of them --stop()--> DISCARDING: further bytes are discarded
 */
const STATE = { HEAD: 0, BODY: 1, WHOLE: 2, LOST: 3, DISCARDING: 4 } as const;
type State = (typeof STATE)[keyof typeof STATE];

const CR = 0x0d;
const LF = 0x0a;

/** The incoming half of a connection from a client: its requests one after the other, in order, pipelined or not. */
export class H1Request implements BodySink {
  readonly #service: DownstreamService;
  /** Given to the listener of each request. */
  readonly #downstream: DownstreamStream;
  readonly #reply: H1Reply;
  /** It has to watch whenever `dueTimeout` may have changed. */
  readonly #timeout: CurrentTimeout<ClientTimeout>;
  readonly #body: BodyDecoder = new BodyDecoder('malformed_message');
  #connection: Connection | null = null;
  #state: State = STATE.HEAD;
  /** The listener of the request under way until its reply is complete; null for none. */
  listener: RequestListener | null = null;
  /** Bytes of an unfinished head, or of requests that came before their turn: copied out of the read buffer. */
  #kept: Buffer | null = null;
  #paused = false;
  /** The request under way, or the next one, is the first one of the connection. */
  #isFirst = true;

  constructor(
    service: DownstreamService,
    downstream: DownstreamStream,
    reply: H1Reply,
    timeout: CurrentTimeout<ClientTimeout>,
  ) {
    this.#service = service;
    this.#downstream = downstream;
    this.#reply = reply;
    this.#timeout = timeout;
  }

  open(connection: Connection): void {
    this.#connection = connection;
  }

  /** The timeout that counts until `stop`. */
  dueTimeout(): ClientTimeout {
    switch (this.#state) {
      case STATE.HEAD:
        if (this.begun) return CLIENT_TIMEOUT.HEAD;
        if (this.#isFirst) return this.#service.draining ? CLIENT_TIMEOUT.DRAIN_FIRST : CLIENT_TIMEOUT.HEAD;
        return this.#service.draining ? CLIENT_TIMEOUT.DRAIN_NEXT : CLIENT_TIMEOUT.IDLE;
      case STATE.BODY:
        return this.#paused ? CLIENT_TIMEOUT.NONE : CLIENT_TIMEOUT.BODY;
      case STATE.WHOLE:
      case STATE.LOST:
      case STATE.DISCARDING:
        return CLIENT_TIMEOUT.NONE;
    }
  }

  get inHead(): boolean {
    return this.#state === STATE.HEAD;
  }

  get inBody(): boolean {
    return this.#state === STATE.BODY;
  }

  /** The whole request has come. */
  get whole(): boolean {
    return this.#state === STATE.WHOLE;
  }

  /** The client was asked to send no more for now. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Between two requests, with nothing of the next one here. */
  get idle(): boolean {
    return this.#state === STATE.HEAD && this.#kept === null;
  }

  /** A part of the next request, or of an unfinished head, is here. */
  get begun(): boolean {
    return this.#kept !== null;
  }

  received(bytes: Buffer, start: number, end: number): void {
    if (this.#kept === null) {
      this.#consume(bytes, start, end);
      return;
    }
    const all = Buffer.concat([this.#kept, bytes.subarray(start, end)]);
    this.#kept = all;
    if (this.#state === STATE.HEAD && !this.#mayCompleteHead(bytes, start, end, all.length)) return;
    if (this.#state === STATE.WHOLE) {
      this.#boundPipeline();
      return;
    }
    this.#kept = null;
    this.#consume(all, 0, all.length);
  }

  /** Only a line's end can complete a head: without one there is nothing new to decode, unless it has grown too large. */
  #mayCompleteHead(bytes: Buffer, start: number, end: number, keptBytes: number): boolean {
    const { maxHeadBytes, maxTargetBytes } = this.#service.limits;
    if (keptBytes > Math.min(maxHeadBytes, maxTargetBytes)) return true;
    const lineEnd = bytes.indexOf(LF, start);
    return lineEnd !== -1 && lineEnd < end;
  }

  #consume(bytes: Buffer, start: number, end: number): void {
    let position = start;
    while (position < end) {
      const before = position;
      switch (this.#state) {
        case STATE.HEAD:
          position = this.#consumeHead(bytes, position, end);
          break;
        case STATE.BODY:
          position = this.#consumeBody(bytes, position, end);
          break;
        case STATE.WHOLE:
          this.#keep(bytes, position, end);
          this.#boundPipeline();
          return;
        case STATE.LOST:
        case STATE.DISCARDING:
          return;
      }
      if (position === before)
        throw new Error(`the decoder of requests made no progress in ${Object.keys(STATE)[this.#state]}`);
    }
  }

  // --- the head --------------------------------------------------------------------------------------------------------

  #consumeHead(bytes: Buffer, start: number, end: number): number {
    // RFC 9112 2.2: some clients send an empty line after a body. By itself it is not the beginning of a request.
    if (end - start === 2 && bytes[start] === CR && bytes[start + 1] === LF) return end;
    const { limits } = this.#service;
    const listener = this.#service.takeListener();
    let position: number;
    try {
      position = decodeRequestHead(bytes, start, end, listener.request, limits);
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      this.#refuse(listener, error);
      return end;
    }
    if (position === INCOMPLETE) {
      this.#service.returnListener(listener);
      this.#keep(bytes, start, end);
      this.#timeout.watch();
      return end;
    }
    this.#begin(listener);
    return position;
  }

  #begin(listener: RequestListener): void {
    const { request } = listener;
    this.listener = listener;
    this.#reply.begin(request.versionMinor, request.persistent);
    if (request.framing === FRAMING.NONE) {
      this.#state = STATE.WHOLE;
    } else {
      this.#state = STATE.BODY;
      this.#body.begin(request.framing, request.contentLength);
    }
    this.#timeout.watch();
    listener.requestBegun(this.#downstream);
  }

  /** Answers with an error before any request; nothing follows. */
  refuse(error: PhotonError): void {
    this.#refuse(this.#service.takeListener(), error);
  }

  #refuse(listener: RequestListener, error: PhotonError): void {
    this.listener = listener;
    this.#reply.begin(1, false);
    this.#state = STATE.WHOLE;
    this.#timeout.watch();
    listener.requestRefused(this.#downstream, error);
  }

  // --- the body --------------------------------------------------------------------------------------------------------

  #consumeBody(bytes: Buffer, start: number, end: number): number {
    let position: number;
    try {
      position = this.#body.decode(bytes, start, end, this);
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      this.fail(error);
      return end;
    }
    // The listener may have ended the exchange in `requestData`.
    if (this.#state !== STATE.BODY) return position;
    if (!this.#body.done) {
      this.#timeout.restart();
      return position;
    }
    this.#state = STATE.WHOLE;
    this.#timeout.watch();
    // Its last piece may have paused the client: it is read from again, or we would not notice that it leaves.
    this.#readOn();
    this.listener?.requestEnded();
    return position;
  }

  bodyData(bytes: Buffer, start: number, end: number): void {
    this.listener?.requestData(bytes, start, end);
  }

  bodyTrailers(trailers: Fields): void {
    this.listener?.requestTrailers(trailers);
  }

  /** The rest of the body will not come. */
  fail(error: PhotonError): void {
    this.#state = STATE.LOST;
    this.#timeout.watch();
    this.#body.abandon();
    this.#reply.persistent = false;
    // While the connection is paused we would not notice that the client leaves.
    this.#readOn();
    this.listener?.requestFailed(error);
  }

  pause(): void {
    if (this.#paused || this.#state !== STATE.BODY) return;
    this.#paused = true;
    this.#timeout.watch();
    this.#connection?.pause();
  }

  resume(): void {
    if (this.#state !== STATE.BODY || !this.#paused) return;
    this.#readOn();
    this.#timeout.watch();
  }

  // --- pipelined requests ----------------------------------------------------------------------------------------------

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#kept = Buffer.from(bytes.subarray(start, end));
  }

  /** A client may send requests ahead, but we hold no more of them than one head may be large. */
  #boundPipeline(): void {
    if (this.#paused || this.#kept === null || this.#kept.length < this.#service.limits.maxHeadBytes) return;
    this.#paused = true;
    this.#connection?.pause();
  }

  #readOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection?.resume();
  }

  /** The reply is complete: another request may follow, or has come already. */
  next(): void {
    const kept = this.#kept;
    this.#kept = null;
    this.#isFirst = false;
    this.#state = STATE.HEAD;
    this.#readOn();
    if (kept !== null) this.#consume(kept, 0, kept.length);
    this.#timeout.watch();
  }

  // --- the end ---------------------------------------------------------------------------------------------------------

  headTooLate(): void {
    this.refuse(requestTimeout('The request head did not come in time.'));
  }

  bodyTooLate(): void {
    this.fail(requestTimeout('The request body stopped coming.'));
  }

  /** All bytes that still come are discarded. */
  stop(): void {
    this.#state = STATE.DISCARDING;
    this.#kept = null;
    this.#body.abandon();
  }

  /** Reads the bytes that still come and drops them. */
  discard(): void {
    this.#readOn();
  }

  /** The connection is gone: the listener of the request under way fails. */
  close(): void {
    const { listener } = this;
    this.listener = null;
    this.stop();
    this.#connection = null;
    listener?.requestFailed(new PhotonError('client_closed', 'The client closed the connection.'));
  }
}

function requestTimeout(detail: string): PhotonError {
  return new PhotonError('request_timeout', detail);
}

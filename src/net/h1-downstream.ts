import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import type { OutgoingResponse } from '../http/outgoing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { BodyDecoder, type BodySink } from '../wire/h1/body-decoder.ts';
import { INCOMPLETE } from '../wire/h1/field-lines.ts';
import { decodeRequestHead } from '../wire/h1/request-decoder.ts';
import type { Endpoints } from '../wire/proxy-protocol/header.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import type { DownstreamConnection, DownstreamService } from './downstream-service.ts';
import { H1Output } from './h1-output.ts';
import { H1Reply } from './h1-reply.ts';
import type { IoContext } from './io-context.ts';
import type { DownstreamPeer, DownstreamStream, RequestListener } from './streams.ts';
import { Timer, type TimerOwner } from './timer-wheel.ts';

/**
 *          head complete, body due            body complete
 *   HEAD ------------------------> BODY ------------------> REPLYING
 *    ^ \________________head complete, no body________________^ |
 *    |                                                          | reply complete, connection persists
 *    +----------------------------------------------------------+
 *
 *   any of them --(reply complete, connection must not persist; reply cut)--> LINGERING --> CLOSED
 *
 * LINGERING: our FIN is on its way, what still comes is thrown away. Closing at once instead could make the kernel send RST
 * and lose the reply on its way (RFC 9112 9.6).
 */
const STATE = { HEAD: 0, BODY: 1, REPLYING: 2, LINGERING: 3, CLOSED: 4 } as const;
type State = (typeof STATE)[keyof typeof STATE];

const LINGER_MS = 2000;
const CR = 0x0d;
const LF = 0x0a;

/** An HTTP/1.x connection from a client: its requests one after the other, in order, pipelined or not. */
export class H1Downstream
  implements ByteReceiver, BodySink, DownstreamStream, DownstreamPeer, DownstreamConnection, TimerOwner
{
  readonly #service: DownstreamService;
  readonly #body: BodyDecoder = new BodyDecoder('malformed_message');
  readonly #output: H1Output;
  readonly #readTimer: Timer;
  #connection: Connection | null = null;
  #state: State = STATE.HEAD;
  #listener: RequestListener | null = null;
  /** Bytes of an unfinished head, or of requests that came before their turn: copied out of the read buffer. */
  #kept: Buffer | null = null;
  #readPaused = false;
  /** Waiting for a next request of which nothing has come: the time for its head has not begun. */
  #betweenRequests = false;
  /** The client has sent FIN: it may still read the reply. */
  #peerEnded = false;
  readonly #reply: H1Reply;
  #address: string | null = null;
  /** The ends that a PROXY header told of; null for those of the connection. */
  #announced: Endpoints | null = null;

  readonly scheme: 'http' | 'https';
  identity: unknown = null;

  constructor(io: IoContext, service: DownstreamService, scheme: 'http' | 'https' = 'http') {
    this.#service = service;
    this.scheme = scheme;
    this.#output = new H1Output(io, this);
    this.#reply = new H1Reply(this.#output);
    this.#readTimer = new Timer(io.wheel, this);
  }

  /** Begins to serve the connection, which must hear nothing before. `announced`: what a PROXY header that counts said. */
  open(connection: Connection, announced: Endpoints | null = null): void {
    this.#connection = connection;
    this.#announced = announced;
    this.#output.open(connection);
    this.#readTimer.arm(this.#service.limits.connectionTimeoutMs);
  }

  // --- who the client is -----------------------------------------------------------------------------------------------

  get peer(): DownstreamPeer {
    return this;
  }

  get address(): string {
    this.#address ??= this.#announced?.sourceAddress ?? this.#connection?.remoteAddress ?? '';
    return this.#address;
  }

  get port(): number {
    return this.#announced?.sourcePort ?? this.#connection?.remotePort ?? 0;
  }

  get localAddress(): string {
    return this.#announced?.destinationAddress ?? this.#connection?.localAddress ?? '';
  }

  get localPort(): number {
    return this.#announced?.destinationPort ?? this.#connection?.localPort ?? 0;
  }

  get certificateSubject(): string | null {
    return this.#connection?.certificateSubject ?? null;
  }

  // --- what comes in ---------------------------------------------------------------------------------------------------

  get inBody(): boolean {
    return this.#state === STATE.BODY;
  }

  /** Between two requests, with nothing of the next one here. */
  get idle(): boolean {
    return this.#state === STATE.HEAD && this.#kept === null;
  }

  connected(): void {
    // Accepted connections are open from the start.
  }

  received(bytes: Buffer, start: number, end: number): void {
    if (this.#kept === null) {
      this.#consume(bytes, start, end);
      return;
    }
    const all = Buffer.concat([this.#kept, bytes.subarray(start, end)]);
    this.#kept = all;
    if (this.#state === STATE.HEAD && !this.#mayCompleteHead(bytes, start, end, all.length)) return;
    if (this.#state === STATE.REPLYING) {
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
      switch (this.#state) {
        case STATE.HEAD:
          position = this.#consumeHead(bytes, position, end);
          break;
        case STATE.BODY:
          position = this.#consumeBody(bytes, position, end);
          break;
        case STATE.REPLYING:
          this.#keep(bytes, position, end);
          this.#boundPipeline();
          return;
        default:
          return;
      }
    }
  }

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
      const begins = this.#betweenRequests;
      this.#betweenRequests = false;
      this.#keep(bytes, start, end);
      if (begins) this.#readTimer.arm(limits.connectionTimeoutMs);
      return end;
    }
    this.#begin(listener);
    return position;
  }

  #begin(listener: RequestListener): void {
    const { request } = listener;
    this.#listener = listener;
    this.#startExchange(request.versionMinor, request.persistent);
    if (request.framing === FRAMING.NONE) {
      this.#state = STATE.REPLYING;
      this.#readTimer.disarm();
      listener.requestBegun(this);
      return;
    }
    this.#state = STATE.BODY;
    this.#body.begin(request.framing, request.contentLength);
    this.#readTimer.arm(this.#service.limits.bodyTimeoutMs);
    listener.requestBegun(this);
  }

  #startExchange(versionMinor: number, persistent: boolean): void {
    this.#reply.begin(versionMinor, persistent);
    this.#betweenRequests = false;
  }

  /** Answers with an error before anything was asked, and closes. */
  refuse(error: PhotonError): void {
    this.#refuse(this.#service.takeListener(), error);
  }

  #refuse(listener: RequestListener, error: PhotonError): void {
    this.#listener = listener;
    this.#startExchange(1, false);
    this.#state = STATE.REPLYING;
    this.#readTimer.disarm();
    listener.requestRefused(this, error);
  }

  #consumeBody(bytes: Buffer, start: number, end: number): number {
    let position: number;
    try {
      position = this.#body.decode(bytes, start, end, this);
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      this.#failRequest(error);
      return end;
    }
    // The listener may have ended the exchange while it heard the data.
    if (this.#state !== STATE.BODY) return position;
    if (!this.#body.done) {
      if (!this.#readPaused) this.#readTimer.arm(this.#service.limits.bodyTimeoutMs);
      return position;
    }
    this.#state = STATE.REPLYING;
    this.#readTimer.disarm();
    // Its last piece may have paused the client: it is listened to again, or we would not hear it go.
    this.#resumeReading();
    this.#listener?.requestEnded();
    return position;
  }

  bodyData(bytes: Buffer, start: number, end: number): void {
    this.#listener?.requestData(bytes, start, end);
  }

  bodyTrailers(trailers: Fields): void {
    this.#listener?.requestTrailers(trailers);
  }

  #failRequest(error: PhotonError): void {
    this.#body.abandon();
    this.#reply.persistent = false;
    this.#listener?.requestFailed(error);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#kept = Buffer.from(bytes.subarray(start, end));
  }

  /** A client may send requests ahead, but we hold no more of them than one head may be large. */
  #boundPipeline(): void {
    if (this.#readPaused || this.#kept === null || this.#kept.length < this.#service.limits.maxHeadBytes) return;
    this.#readPaused = true;
    this.#connection?.pause();
  }

  ended(): void {
    this.#peerEnded = true;
    switch (this.#state) {
      case STATE.HEAD:
        this.#linger();
        break;
      case STATE.REPLYING:
        // What was pipelined before the FIN is still answered.
        break;
      case STATE.BODY:
        this.#failRequest(new PhotonError('client_closed', 'The client ended its request early.'));
        break;
      default:
        // What is unwritten when we linger still goes to a client that only ended its sending.
        if (this.#connection?.pendingBytes === 0) this.#connection.destroy();
    }
  }

  writable(): void {
    this.#output.drained();
  }

  holdOver(): void {
    this.#listener?.responseWritable();
  }

  writingFailed(): boolean {
    // Whoever takes no reply has nothing to ask.
    return false;
  }

  closed(_failure: string | null): void {
    const listener = this.#listener;
    this.#listener = null;
    this.#state = STATE.CLOSED;
    this.#kept = null;
    this.#readTimer.release();
    this.#output.close();
    this.#connection = null;
    listener?.requestFailed(new PhotonError('client_closed', 'The client closed the connection.'));
    this.#service.connectionClosed(this);
  }

  timerExpired(): void {
    switch (this.#state) {
      case STATE.HEAD:
        // Not closed at once: the end of the last reply may still be on its way to a slow reader.
        if (this.#kept === null) this.#linger();
        else this.refuse(requestTimeout('The request head did not come in time.'));
        break;
      case STATE.BODY:
        this.#failRequest(requestTimeout('The request body stopped coming.'));
        break;
      case STATE.LINGERING:
        // A reader that is slow but takes bytes is the output's to judge.
        if (this.#connection !== null && this.#connection.pendingBytes > 0) this.#readTimer.arm(LINGER_MS);
        else this.#connection?.destroy();
        break;
      default:
    }
  }

  timerFailed(): void {
    this.#connection?.destroy();
  }

  // --- what goes out ---------------------------------------------------------------------------------------------------

  get requestComplete(): boolean {
    return this.#state === STATE.REPLYING;
  }

  pauseRequest(): void {
    if (this.#readPaused || this.#state !== STATE.BODY) return;
    this.#readPaused = true;
    this.#readTimer.disarm();
    this.#connection?.pause();
  }

  resumeRequest(): void {
    if (this.#state !== STATE.BODY || !this.#readPaused) return;
    this.#readTimer.arm(this.#service.limits.bodyTimeoutMs);
    this.#resumeReading();
  }

  #resumeReading(): void {
    if (!this.#readPaused) return;
    this.#readPaused = false;
    this.#connection?.resume();
  }

  sendInformational(source: ResponseHead): void {
    this.#reply.sendInformational(source);
  }

  sendHead(outgoing: OutgoingResponse, close: boolean): void {
    this.#reply.sendHead(outgoing, close || this.#service.draining || !this.#mayHearMore);
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    return this.#reply.sendData(bytes, start, end);
  }

  sendText(text: string): void {
    this.#reply.sendText(text);
  }

  sendTrailers(trailers: Fields): void {
    this.#reply.sendTrailers(trailers);
  }

  sendEnd(): void {
    this.#listener = null;
    this.#reply.sendEnd();
  }

  abort(): void {
    this.#listener = null;
    if (this.#reply.headSent && this.#reply.untilClose) this.#connection?.reset();
    else this.#linger();
  }

  /** Everything said in this event has been written. */
  flushed(): void {
    if (!this.#reply.complete) return;
    this.#reply.complete = false;
    if (this.#reply.persistent && this.#state === STATE.REPLYING && this.#mayHearMore) this.#awaitNext();
    else this.#linger();
  }

  /** The client may send another request, or has done so already. */
  get #mayHearMore(): boolean {
    return !this.#peerEnded || this.#kept !== null;
  }

  #awaitNext(): void {
    const kept = this.#kept;
    this.#kept = null;
    this.#state = STATE.HEAD;
    this.#resumeReading();
    this.#betweenRequests = true;
    if (kept !== null) {
      this.#readTimer.arm(this.#service.limits.connectionTimeoutMs);
      this.#consume(kept, 0, kept.length);
    }
    // A head that the client's FIN cut off will never be complete.
    if (this.#state === STATE.HEAD && this.#peerEnded) this.#linger();
    else if (this.idle) this.#becomeIdle();
  }

  #becomeIdle(): void {
    if (this.#service.draining) this.#linger();
    else this.#readTimer.arm(this.#service.limits.keepaliveTimeoutMs);
  }

  /** Closes the connection if no request is under way; one that is will be the last. */
  drain(): void {
    if (this.idle) this.#linger();
  }

  /** Closes the connection at once. */
  close(): void {
    this.#connection?.destroy();
  }

  /** The client has stopped taking bytes. */
  stalled(): void {
    this.#connection?.reset();
  }

  #linger(): void {
    if (this.#state === STATE.LINGERING || this.#state === STATE.CLOSED) return;
    this.#state = STATE.LINGERING;
    this.#kept = null;
    this.#body.abandon();
    this.#output.end();
    if (this.#peerEnded && this.#connection?.pendingBytes === 0) {
      this.#connection.destroy();
      return;
    }
    this.#resumeReading();
    this.#readTimer.arm(LINGER_MS);
  }

  get sendTimeoutMs(): number {
    return this.#service.limits.sendTimeoutMs;
  }
}

function requestTimeout(detail: string): PhotonError {
  return new PhotonError('request_timeout', detail);
}

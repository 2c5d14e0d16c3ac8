import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { OutgoingResponse } from '../http/outgoing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { Endpoints } from '../wire/proxy-protocol/header.ts';
import { ClientPeer } from './client-peer.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import type { DownstreamConnection, DownstreamService } from './downstream-service.ts';
import { H1Output } from './h1-output.ts';
import { H1Reply } from './h1-reply.ts';
import { H1Request } from './h1-request.ts';
import type { IoContext } from './io-context.ts';
import { Lingering } from './lingering.ts';
import type { DownstreamStream } from './streams.ts';
import { Timer, type TimerOwner } from './timer-wheel.ts';

/**
 * How long a draining gateway waits for the next request of an idle connection: requests are served that have come by now, or were sent
 * before the client could know of the drain. The timers are coarse: it is about a tenth of a second.
 */
const NEXT_REQUEST_MS = 50;

/**
 * An HTTP/1.x connection from a client: exchanges one after the other, each a request (`H1Request`) and its reply (`H1Reply`).
 *
 *            reply complete,
 *            connection persists
 *                 +----+
 *                 |    v       reply complete, connection must not persist; reply cut;
 *   open() --> EXCHANGING -----------------------------------------------------------------> LINGERING --> CLOSED
 *                 |            nothing under way, and the client's end or its time has come                  ^
 *                 +------------------- the connection is gone -----------------------------------------------+
 */
export class H1Downstream implements ByteReceiver, DownstreamStream, DownstreamConnection, TimerOwner {
  readonly #service: DownstreamService;
  readonly #output: H1Output;
  readonly #request: H1Request;
  readonly #reply: H1Reply;
  readonly #readTimer: Timer;
  /** Null: CLOSED, or not open yet. */
  #connection: Connection | null = null;
  /** Null but for LINGERING. */
  #lingering: Lingering | null = null;
  /** The client has sent FIN: it may still read the reply. */
  #peerEnded = false;
  readonly peer: ClientPeer;

  constructor(io: IoContext, service: DownstreamService, scheme: 'http' | 'https' = 'http') {
    this.#service = service;
    this.peer = new ClientPeer(scheme);
    this.#output = new H1Output(io, this);
    this.#reply = new H1Reply(this.#output);
    this.#readTimer = new Timer(io.wheel, this);
    this.#request = new H1Request(service, this, this.#reply, this.#readTimer);
  }

  /** Begins to serve the connection, before its first event. `announced`: the ends from a PROXY header of a trusted proxy. */
  open(connection: Connection, announced: Endpoints | null = null): void {
    this.#connection = connection;
    this.peer.open(connection, announced);
    this.#output.open(connection);
    this.#request.open(connection);
  }

  /** Answers with an error before any request, and closes. */
  refuse(error: PhotonError): void {
    this.#request.refuse(error);
  }

  /** Between two requests, with nothing of the next one here. */
  get idle(): boolean {
    return this.#request.idle;
  }

  // --- from the connection ---------------------------------------------------------------------------------------------

  get inBody(): boolean {
    return this.#request.inBody;
  }

  connected(): void {
    // Accepted connections are open from the start.
  }

  received(bytes: Buffer, start: number, end: number): void {
    this.#request.received(bytes, start, end);
  }

  ended(): void {
    this.#peerEnded = true;
    if (this.#lingering !== null) this.#lingering.peerEnded();
    else if (this.#request.inHead) this.#linger();
    else if (this.#request.inBody) this.#failCut();
    // Requests that were pipelined before the FIN are still answered.
    else this.#request.listener?.clientHalfClosed();
  }

  /** The client has sent FIN in the middle of a body. */
  #failCut(): void {
    this.#request.fail(new PhotonError('client_closed', 'The client ended its request early.'));
  }

  writable(): void {
    this.#output.drained();
    // The client has all of its last reply only now.
    if (this.idle && this.#lingering === null) this.#becomeIdle();
  }

  writingFailed(): boolean {
    // The requests of a client that takes no reply are not read.
    return false;
  }

  closed(_failure: string | null): void {
    this.#connection = null;
    this.#lingering = null;
    this.peer.close();
    this.#output.close();
    this.#request.close();
    this.#service.connectionClosed(this);
  }

  timerExpired(): void {
    if (this.#lingering !== null) this.#lingering.timeOver();
    else if (this.idle) this.#idleTooLong();
    else this.#request.timeOver();
  }

  /**
   * A slow reader that still takes the end of its last reply is not idle: its idle time begins when it has all of the reply. The output
   * decides whether it has stalled.
   */
  #idleTooLong(): void {
    if ((this.#connection?.pendingBytes ?? 0) > 0) this.#becomeIdle();
    else this.#linger();
  }

  timerFailed(): void {
    this.#connection?.destroy();
  }

  // --- from the exchange -----------------------------------------------------------------------------------------------

  get requestComplete(): boolean {
    return this.#request.whole;
  }

  get requestPaused(): boolean {
    return this.#request.paused;
  }

  get clientHalfClosed(): boolean {
    return this.#peerEnded;
  }

  pauseRequest(): void {
    this.#request.pause();
  }

  resumeRequest(): void {
    this.#request.resume();
  }

  sendInformational(source: ResponseHead): void {
    this.#reply.sendInformational(source);
  }

  sendHead(outgoing: OutgoingResponse, close: boolean): void {
    this.#reply.sendHead(outgoing, close || this.#service.draining || !this.#mayRequestMore);
    if (this.#reply.untilClose && this.#connection !== null) this.#connection.endsMessage = true;
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
    this.#request.listener = null;
    this.#reply.sendEnd();
  }

  abort(): void {
    this.#request.listener = null;
    if (this.#reply.untilClose) this.#connection?.destroy();
    else this.#linger();
  }

  // --- from the output -------------------------------------------------------------------------------------------------

  get sendTimeoutMs(): number {
    return this.#service.limits.sendTimeoutMs;
  }

  holdOver(): void {
    this.#request.listener?.responseWritable();
  }

  /** Everything that was sent in this event has been written. */
  flushed(): void {
    if (!this.#reply.complete) return;
    this.#reply.complete = false;
    if (this.#reply.persistent && this.#request.whole && this.#mayRequestMore) this.#awaitNext();
    else this.#linger();
  }

  /** The client has stopped taking bytes. */
  stalled(): void {
    this.#connection?.reset();
  }

  // --- after an exchange -----------------------------------------------------------------------------------------------

  /** The client may send another request, or has sent one already. */
  get #mayRequestMore(): boolean {
    return !this.#peerEnded || this.#request.begun;
  }

  #awaitNext(): void {
    this.#request.next();
    // A request that the client's FIN has cut off will never be complete.
    if (this.#peerEnded && this.#request.inHead) this.#linger();
    else if (this.#peerEnded && this.#request.inBody) this.#failCut();
    else if (this.idle) this.#becomeIdle();
  }

  #becomeIdle(): void {
    const { draining, limits } = this.#service;
    this.#readTimer.arm(draining ? Math.min(NEXT_REQUEST_MS, limits.keepaliveTimeoutMs) : limits.keepaliveTimeoutMs);
  }

  /** The request under way, or one that comes in a moment, is the last; without one the connection closes. */
  drain(): void {
    if (this.#request.fresh) this.#request.hurry();
    else if (this.idle) this.#becomeIdle();
  }

  /** Closes the connection at once. */
  close(): void {
    this.#connection?.destroy();
  }

  #linger(): void {
    const connection = this.#connection;
    if (this.#lingering !== null || connection === null) return;
    this.#lingering = new Lingering(connection, this.#readTimer);
    this.#request.stop();
    this.#output.end();
    if (this.#peerEnded && connection.pendingBytes === 0) {
      connection.destroy();
      return;
    }
    this.#request.discard();
    this.#lingering.begin();
  }
}

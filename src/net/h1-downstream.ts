import { PhotonError } from '../base/errors.ts';
import type { Fields } from '../http/fields.ts';
import type { OutgoingResponse } from '../http/outgoing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { Endpoints } from '../wire/proxy-protocol/header.ts';
import { ClientPeer } from './client-peer.ts';
import { CLIENT_TIMEOUT, type ClientTimeout, clientTimeoutMs } from './client-timeouts.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import { CurrentTimeout, type TimeoutOwner } from './current-timeout.ts';
import type { DownstreamConnection, DownstreamService } from './downstream-service.ts';
import { H1Output } from './h1-output.ts';
import { H1Reply } from './h1-reply.ts';
import { H1Request } from './h1-request.ts';
import type { IoContext } from './io-context.ts';
import type { DownstreamStream } from './streams.ts';

/**
 *            reply complete,
 *            connection persists
 *                 +----+
 *                 |    v       reply complete, connection must not persist; reply cut;
 *   open() --> EXCHANGING -----------------------------------------------------------------> LINGERING --> CLOSED
 *                 |            nothing under way, and the client's end or its time has come                  ^
 *                 +------------------- the connection is gone -----------------------------------------------+
 *
 * LINGERING: our FIN is on its way, and bytes that still come are discarded. Closing at once instead could make the kernel send RST and lose
 * the reply on its way (RFC 9112 9.6). It is over when the client has sent FIN too and has taken everything, or when it has nothing to take
 * after two seconds. The output decides about a reader that is slow but takes bytes. A client that has not finished its TLS handshake by
 * then can be sent nothing.
 */
const STATE = { EXCHANGING: 0, LINGERING: 1, CLOSED: 2 } as const;
type State = (typeof STATE)[keyof typeof STATE];

/** An HTTP/1.x connection from a client: exchanges one after the other, each a request (`H1Request`) and its reply (`H1Reply`). */
export class H1Downstream implements ByteReceiver, DownstreamStream, DownstreamConnection, TimeoutOwner<ClientTimeout> {
  readonly #service: DownstreamService;
  readonly #output: H1Output;
  readonly #request: H1Request;
  readonly #reply: H1Reply;
  readonly #timeout: CurrentTimeout<ClientTimeout>;
  #state: State = STATE.EXCHANGING;
  /** Null: not open yet, or CLOSED. */
  #connection: Connection | null = null;
  /** The client has sent FIN: it may still read the reply. */
  #peerEnded = false;
  readonly peer: ClientPeer;

  constructor(io: IoContext, service: DownstreamService, scheme: 'http' | 'https' = 'http') {
    this.#service = service;
    this.peer = new ClientPeer(scheme);
    this.#output = new H1Output(io, this);
    this.#reply = new H1Reply(this.#output);
    this.#timeout = new CurrentTimeout(io, this, CLIENT_TIMEOUT);
    this.#request = new H1Request(service, this, this.#reply, this.#timeout);
  }

  /** Begins to serve the connection, before its first event. `announced`: the ends from a PROXY header of a trusted proxy. */
  open(connection: Connection, announced: Endpoints | null = null): void {
    this.#connection = connection;
    this.peer.open(connection, announced);
    this.#output.open(connection);
    this.#request.open(connection);
    this.#timeout.watch();
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
    if (this.#state === STATE.LINGERING) this.#endLingering();
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
    if (this.idle) this.#timeout.restart();
  }

  writingFailed(): boolean {
    // The requests of a client that takes no reply are not read.
    return false;
  }

  closed(_failure: string | null): void {
    this.#state = STATE.CLOSED;
    this.#connection = null;
    this.#timeout.close();
    this.peer.close();
    this.#output.close();
    this.#request.close();
    this.#service.connectionClosed(this);
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
    this.#reply.sendHead(outgoing, close || this.#service.draining || !this.#mayRequestMore());
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
    if (this.#reply.persistent && this.#request.whole && this.#mayRequestMore()) this.#awaitNext();
    else this.#linger();
  }

  /** The client has stopped taking bytes. */
  stalled(): void {
    this.#connection?.reset();
  }

  // --- the timeout ------------------------------------------------------------------------------------------------------

  dueTimeout(): ClientTimeout {
    switch (this.#state) {
      case STATE.EXCHANGING:
        return this.#request.dueTimeout();
      case STATE.LINGERING:
        return CLIENT_TIMEOUT.LINGER;
      case STATE.CLOSED:
        return CLIENT_TIMEOUT.NONE;
    }
  }

  timeoutMs(kind: ClientTimeout): number {
    return clientTimeoutMs(kind, this.#service.limits);
  }

  timedOut(kind: ClientTimeout): void {
    switch (kind) {
      case CLIENT_TIMEOUT.LINGER:
        this.#endLingering();
        break;
      case CLIENT_TIMEOUT.HEAD:
        if (this.#request.begun) this.#request.headTooLate();
        else this.#linger();
        break;
      case CLIENT_TIMEOUT.BODY:
        this.#request.bodyTooLate();
        break;
      case CLIENT_TIMEOUT.IDLE:
      case CLIENT_TIMEOUT.DRAIN_FIRST:
      case CLIENT_TIMEOUT.DRAIN_NEXT:
        this.#idleTooLong();
        break;
    }
  }

  /**
   * A slow reader that still takes the end of its last reply is not idle: its idle time begins when it has all of the reply. The output
   * decides whether it has stalled.
   */
  #idleTooLong(): void {
    if ((this.#connection?.pendingBytes ?? 0) > 0) this.#timeout.watch();
    else this.#linger();
  }

  timerFailed(): void {
    this.#connection?.destroy();
  }

  // --- after an exchange -----------------------------------------------------------------------------------------------

  /** The client may send another request, or has sent one already. */
  #mayRequestMore(): boolean {
    return !this.#peerEnded || this.#request.begun;
  }

  #awaitNext(): void {
    this.#request.next();
    // A request that the client's FIN has cut off will never be complete.
    if (this.#peerEnded && this.#request.inHead) this.#linger();
    else if (this.#peerEnded && this.#request.inBody) this.#failCut();
  }

  /** The request under way, or one that comes in a moment, is the last; without one the connection closes. */
  drain(): void {
    this.#timeout.watch();
  }

  /** Closes the connection at once. */
  close(): void {
    this.#connection?.destroy();
  }

  #linger(): void {
    const connection = this.#connection;
    if (this.#state !== STATE.EXCHANGING || connection === null) return;
    this.#state = STATE.LINGERING;
    this.#timeout.watch();
    this.#request.stop();
    this.#output.end();
    if (this.#peerEnded && connection.pendingBytes === 0) connection.destroy();
    else this.#request.discard();
  }

  /** The client will send no more, or its time is over. Unwritten bytes still go to a client that can take them. */
  #endLingering(): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (connection.pendingBytes > 0 && !connection.handshaking) this.#timeout.watch();
    else connection.destroy();
  }
}

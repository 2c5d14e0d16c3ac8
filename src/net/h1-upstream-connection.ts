import { PhotonError } from '../base/errors.ts';
import { challengesConnection } from '../http/connection-authentication.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import { CurrentTimeout, type TimeoutOwner } from './current-timeout.ts';
import { H1Output, type OutputOwner } from './h1-output.ts';
import { H1UpstreamReply, type ReplyOwner } from './h1-upstream-reply.ts';
import { H1UpstreamStream, type StreamCarrier } from './h1-upstream-stream.ts';
import type { IoContext } from './io-context.ts';
import { PrivateConnections } from './private-connections.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from './streams.ts';
import type { UpstreamConnection, UpstreamConnectionOwner } from './upstream-connection.ts';
import {
  connectFailed,
  endedEarly,
  notConnectedInTime,
  reset,
  silentTooLong,
  spokeUnasked,
  stoppedTaking,
} from './upstream-failure.ts';
import { UPSTREAM_TIMEOUT, type UpstreamTimeout, upstreamTimeoutMs } from './upstream-timeouts.ts';

/**
 *                 connected               not to be used again, or failed, or closed by its pool
 *   CONNECTING --------------> OPEN -----------------------------------------------------------------> CLOSED: bytes that come are dropped
 *        |                                                                                                ^
 *        +------------ not connected in time, or failed, or closed by its pool ---------------------------+
 *
 * In each state but CLOSED it carries one stream or none. A stream may begin while it still connects: bytes that are sent meanwhile go out
 * when it is open.
 */
const STATE = { CONNECTING: 0, OPEN: 1, CLOSED: 2 } as const;
type State = (typeof STATE)[keyof typeof STATE];

/** An HTTP/1.1 connection to an upstream, which carries one stream after the other (`H1UpstreamStream`). */
export class H1UpstreamConnection
  implements UpstreamConnection, ByteReceiver, StreamCarrier, ReplyOwner, OutputOwner, TimeoutOwner<UpstreamTimeout>
{
  readonly owner: UpstreamConnectionOwner;
  readonly openedMs: number;
  privateTo: PrivateConnections | null = null;
  evicting = false;
  opened = false;
  readonly #output: H1Output;
  readonly #stream: H1UpstreamStream;
  readonly #reply: H1UpstreamReply;
  readonly #timeout: CurrentTimeout<UpstreamTimeout>;
  #state: State = STATE.CONNECTING;
  /** Null: not given yet, or gone. */
  #connection: Connection | null = null;
  #readPaused = false;
  /** The upstream takes no more bytes, and the connection is read only for those that it sent before. */
  #writingFailed = false;
  /** The last request of its client was answered with a challenge, and the client's next request continues the authentication here. */
  #challenged = false;

  constructor(io: IoContext, owner: UpstreamConnectionOwner) {
    this.owner = owner;
    this.openedMs = io.wheel.nowMs;
    this.#output = new H1Output(io, this);
    this.#stream = new H1UpstreamStream(this, this.#output);
    this.#reply = new H1UpstreamReply(this, this.#stream);
    this.#timeout = new CurrentTimeout(io, this, UPSTREAM_TIMEOUT);
  }

  /** Takes the connection, which is being opened. */
  open(connection: Connection): void {
    this.#connection = connection;
    this.#output.open(connection);
    this.#timeout.watch();
  }

  // --- as its pool uses it ---------------------------------------------------------------------------------------------

  get capacity(): number {
    return this.#state !== STATE.CLOSED && this.#connection?.alive === true ? 1 : 0;
  }

  get streams(): number {
    return this.#stream.listener === null ? 0 : 1;
  }

  acquire(listener: ResponseListener, peer: DownstreamPeer, isLast: boolean): UpstreamStream {
    if (this.streams > 0 || this.#state === STATE.CLOSED) {
      this.close();
      const state = `${Object.keys(STATE)[this.#state]}, with ${this.streams} streams`;
      throw new Error(`a stream was begun on a connection that cannot carry it: ${state}`);
    }
    this.evicting = false;
    this.#stream.begin(listener, peer, isLast);
    this.#reply.begin();
    this.#timeout.watch();
    return this.#stream;
  }

  /**
   * If its client is about to answer a challenge, it is closed only if the answer does not come soon: otherwise no client could authenticate
   * while requests wait.
   */
  evict(): void {
    this.evicting = true;
    if (this.#challenged) this.#timeout.watch();
    else this.close();
  }

  close(): void {
    this.#state = STATE.CLOSED;
    // It may be called while the reply is being decoded: the rest of the reply must not complete anything.
    this.#reply.abandon();
    this.#timeout.watch();
    this.#connection?.destroy();
  }

  // --- as its stream uses it -------------------------------------------------------------------------------------------

  makePrivate(): void {
    const { peer } = this.#stream;
    if (peer === null || this.privateTo !== null) return;
    peer.privateConnections ??= new PrivateConnections();
    this.privateTo = peer.privateConnections;
    this.privateTo.add(this);
  }

  pauseReading(): void {
    if (this.#readPaused) return;
    this.#readPaused = true;
    this.#connection?.pause();
    this.#timeout.watch();
    this.#output.watch();
  }

  resumeReading(): void {
    if (!this.#readPaused) return;
    this.#readPaused = false;
    this.#connection?.resume();
    this.#timeout.watch();
    this.#output.watch();
  }

  cancelled(): void {
    this.close();
    this.#release();
  }

  /** The stream is over. Returns its listener, which gets its last event when the pool knows. */
  #release(): ResponseListener | null {
    const listener = this.#stream.end();
    if (listener !== null) this.owner.streamReleased(this);
    return listener;
  }

  #fail(error: PhotonError): void {
    this.close();
    this.#release()?.responseFailed(error);
  }

  // --- the reply -------------------------------------------------------------------------------------------------------

  get inBody(): boolean {
    return this.#reply.inBody;
  }

  get maxHeadBytes(): number {
    return this.owner.limits.maxHeadBytes;
  }

  headCame(head: ResponseHead): void {
    this.#challenged = challengesConnection(head);
    if (this.#challenged) this.makePrivate();
  }

  received(bytes: Buffer, start: number, end: number): void {
    if (this.#state === STATE.CLOSED) return;
    if (this.streams === 0) {
      this.#reportUnsolicited(bytes.subarray(start, end));
      this.close();
      return;
    }
    if (this.#stream.unsent) {
      if (this.#stream.reused) this.#reportUnsolicited(bytes.subarray(start, end));
      this.#fail(spokeUnasked());
      return;
    }
    try {
      this.#readReply(bytes, start, end);
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      this.#fail(error);
    }
  }

  #readReply(bytes: Buffer, start: number, end: number): void {
    this.#stream.replyUntouched = false;
    const surplus = this.#reply.decode(bytes, start, end);
    if (this.#reply.complete) this.#complete(surplus === 0 ? null : bytes.subarray(end - surplus, end));
    else this.#timeout.restart();
  }

  /** `surplus`: bytes behind the reply that no request asked for: the connection is not trusted again. Null: none. */
  #complete(surplus: Buffer | null): void {
    this.resumeReading();
    const reusable = this.#reply.persistent && this.#mayCarryAnother();
    if (surplus !== null && reusable) this.#reportUnsolicited(surplus);
    if (surplus !== null || !reusable) this.close();
    const listener = this.#release();
    this.#timeout.watch();
    listener?.responseEnded();
  }

  /**
   * A server that answers before it has taken the whole request may never take the rest, and the next request would come after that rest.
   * Under TLS a write is not done at once: only bytes that the system has surely not taken count.
   */
  #mayCarryAnother(): boolean {
    return this.#stream.requestOver && !this.#writingFailed && (this.#connection?.untakenBytes ?? 0) === 0;
  }

  /** RFC 9110 15.5.9: a server may send 408 before it closes an idle connection, which is no reply to a request that it got. */
  #reportUnsolicited(bytes: Buffer): void {
    if (!/^HTTP\/1\.[01] 408/.test(bytes.toString('latin1', 0, 12))) this.owner.unsolicitedBytes();
  }

  // --- from the connection ---------------------------------------------------------------------------------------------

  connected(): void {
    this.opened = true;
    if (this.#state === STATE.CONNECTING) this.#state = STATE.OPEN;
    this.#output.watch();
    this.#timeout.watch();
  }

  ended(): void {
    if (this.#reply.endsHere()) this.#complete(null);
    else if (!this.opened)
      this.close(); // `closed` reports why it did not come about.
    else this.#fail(endedEarly());
  }

  closed(failure: string | null): void {
    const error = this.#endedBy(failure);
    this.close();
    this.#timeout.close();
    this.#output.close();
    this.#connection = null;
    this.privateTo?.delete(this);
    const listener = this.#release();
    this.owner.connectionClosed(this, error);
    if (error !== null) listener?.responseFailed(error);
  }

  /** The failure; null if the connection was open and had no stream. */
  #endedBy(failure: string | null): PhotonError | null {
    if (!this.opened) return connectFailed(failure, this.#connection?.handshaking ?? false);
    return this.streams === 0 ? null : reset(failure);
  }

  writable(): void {
    this.#output.drained();
    this.#timeout.watch();
  }

  /** RFC 9112 9.6: a server may answer and close before it has read the request. The answer is still passed on. */
  writingFailed(): boolean {
    if (this.streams === 0) return false;
    this.#writingFailed = true;
    this.#stream.requestOver = true;
    this.#timeout.watch();
    return true;
  }

  // --- the timeouts ----------------------------------------------------------------------------------------------------

  dueTimeout(): UpstreamTimeout {
    switch (this.#state) {
      case STATE.CONNECTING:
        return UPSTREAM_TIMEOUT.CONNECT;
      case STATE.OPEN:
        if (this.streams === 0) return this.evicting ? UPSTREAM_TIMEOUT.EVICT : UPSTREAM_TIMEOUT.IDLE;
        return this.#requestTaken() && !this.#readPaused ? UPSTREAM_TIMEOUT.READ : UPSTREAM_TIMEOUT.NONE;
      case STATE.CLOSED:
        return UPSTREAM_TIMEOUT.NONE;
    }
  }

  /** The system has all of the request, or takes no more. */
  #requestTaken(): boolean {
    return this.#stream.requestOver && (this.#writingFailed || !this.#output.unwritten);
  }

  timeoutMs(kind: UpstreamTimeout): number {
    return upstreamTimeoutMs(kind, this.owner.limits);
  }

  timedOut(kind: UpstreamTimeout): void {
    switch (kind) {
      case UPSTREAM_TIMEOUT.CONNECT:
        this.#fail(notConnectedInTime());
        break;
      case UPSTREAM_TIMEOUT.READ:
        this.#fail(silentTooLong());
        break;
      case UPSTREAM_TIMEOUT.IDLE:
      case UPSTREAM_TIMEOUT.EVICT:
        this.close();
        break;
    }
  }

  timerFailed(): void {
    this.#connection?.destroy();
  }

  /**
   * Until the connection is open, the connect timeout decides, however short this one is. A server that answers while it reads (an echo, a
   * filter) reads no further while its reply is not taken: the time in which we do not read is not its time. Then the timeouts of the
   * client, the hooks or the route end the exchange.
   */
  get sendTimeoutMs(): number | null {
    return this.opened && !this.#readPaused ? this.owner.limits.writeTimeoutMs : null;
  }

  stalled(): void {
    this.#fail(stoppedTaking());
  }

  holdOver(): void {
    this.#stream.listener?.requestWritable();
  }

  flushed(): void {
    this.#timeout.watch();
  }
}

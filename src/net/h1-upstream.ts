import { PhotonError } from '../base/errors.ts';
import { authenticatesConnection, challengesConnection } from '../http/connection-authentication.ts';
import type { FieldDrops } from '../http/field-drops.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { REQUEST_TRAILER_DROPS } from '../http/hop-by-hop.ts';
import type { OutgoingRequest } from '../http/outgoing.ts';
import { BodyDecoder, type BodySink } from '../wire/h1/body-decoder.ts';
import { CHUNK_CONTENT_END, chunkedEnd, chunkPrefix } from '../wire/h1/chunk-encoder.ts';
import { encodePassingFields } from '../wire/h1/field-encoder.ts';
import { INCOMPLETE } from '../wire/h1/field-lines.ts';
import { encodeRequestHead } from '../wire/h1/head-encoder.ts';
import { decodeResponseHead } from '../wire/h1/response-decoder.ts';
import type { ByteReceiver, Connection } from './connection.ts';
import { H1Output } from './h1-output.ts';
import type { IoContext } from './io-context.ts';
import { PrivateConnections } from './private-connections.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from './streams.ts';
import { Timer, type TimerOwner } from './timer-wheel.ts';

/** The pool of an upstream. */
export interface UpstreamOwner {
  readonly limits: UpstreamLimits;
  /** Each connection carries one exchange only: the request says so with `Connection: close` (RFC 9112 9.6). */
  readonly singleUse: boolean;
  /** The exchange is over, and the connection can be acquired again. */
  connectionIdle(connection: H1Upstream): void;
  /** The upstream has sent unsolicited bytes on a connection that may be used again. */
  unsolicitedBytes(): void;
  /** The connection is gone, in whatever state. `error`: the failure; null if it was open and had no exchange. */
  connectionClosed(connection: H1Upstream, error: PhotonError | null): void;
}

/** Limits of an upstream's connections; all times in milliseconds. */
export interface UpstreamLimits {
  readonly connectTimeoutMs: number;
  /** Longest silence while a reply is due. */
  readonly readTimeoutMs: number;
  /** Longest time without the upstream taking a byte. */
  readonly writeTimeoutMs: number;
  /** How long a connection may wait in the pool. */
  readonly idleTimeoutMs: number;
  /** Bytes of a reply's head. */
  readonly maxHeadBytes: number;
}

/** RFC 9110 15.2 sets no limit to interim replies; a flood of them would keep an exchange alive for ever. */
const MAX_INFORMATIONAL = 32;

/** How long a client has to answer a challenge of its upstream while requests of others wait for a connection. */
const CHALLENGE_TIMEOUT_MS = 500;

/**
 *   CONNECTING --> IDLE --(acquire)--> AWAITING_HEAD --(head)--> READING_BODY --(body complete)--> IDLE
 *       \____________________________^                                                      \--> CLOSED, unless both sides
 *                                                                                                let it persist
 * A connection is acquired while it still connects; bytes that are sent meanwhile go out when it is open.
 */
const STATE = { IDLE: 0, AWAITING_HEAD: 1, READING_BODY: 2, CLOSED: 3 } as const;
type State = (typeof STATE)[keyof typeof STATE];

/** An HTTP/1.1 connection to an upstream, acquired by one exchange after the other. */
export class H1Upstream implements ByteReceiver, BodySink, UpstreamStream, TimerOwner {
  readonly owner: UpstreamOwner;
  readonly #body: BodyDecoder = new BodyDecoder('upstream_malformed');
  readonly #output: H1Output;
  readonly #readTimer: Timer;
  #connection: Connection | null = null;
  #state: State = STATE.IDLE;
  #connecting = true;
  #listener: ResponseListener | null = null;
  /** The client of the exchange under way. */
  #peer: DownstreamPeer | null = null;
  /** Bytes of an unfinished head: copied out of the read buffer. */
  #kept: Buffer | null = null;
  /** Of the exchange under way: */
  #toHead = false;
  #requestChunked = false;
  #requestDrops: FieldDrops | null = null;
  /** No more of the request will be sent. */
  #requestOver = false;
  /** The number of writes of the output before this exchange. */
  #writesBefore = 0;
  /** The upstream takes no more bytes, and the connection is read only for those that it sent before. */
  #writingFailed = false;
  #replyPersistent = false;
  #informationals = 0;
  #readPaused = false;
  replyUntouched = true;
  reused = false;
  /** An exchange has it. Its owner releases it. */
  acquired = false;
  /**
   * The private connections of the client connection that it belongs to, because it has carried NTLM or Negotiate: the upstream takes later
   * requests for requests of the same user. Null: any client may use it next.
   */
  privateTo: PrivateConnections | null = null;
  /** The last request of its client was answered with a challenge, and the client's next request continues the authentication here. */
  #challenged = false;
  /** It is to be closed for requests that wait. */
  evicting = false;
  /** When it was opened, in milliseconds of the wheel's clock. */
  readonly openedMs: number;

  constructor(io: IoContext, owner: UpstreamOwner) {
    this.owner = owner;
    this.#output = new H1Output(io, this);
    this.#readTimer = new Timer(io.wheel, this);
    this.openedMs = io.wheel.nowMs;
  }

  /** Takes the connection, which is being opened. */
  open(connection: Connection): void {
    this.#connection = connection;
    this.#output.open(connection);
    this.#readTimer.arm(this.owner.limits.connectTimeoutMs);
  }

  /** False from the moment that it fails, which is before `connectionClosed` of its owner. */
  get alive(): boolean {
    return this.#connection?.alive ?? false;
  }

  /** Begins an exchange on the connection. */
  acquire(listener: ResponseListener, peer: DownstreamPeer): UpstreamStream {
    this.#listener = listener;
    this.#peer = peer;
    this.evicting = false;
    this.acquired = true;
    this.#state = STATE.AWAITING_HEAD;
    this.#requestOver = false;
    this.#writesBefore = this.#output.writes;
    this.#informationals = 0;
    this.replyUntouched = true;
    if (!this.#connecting) this.reused = true;
    this.#watchSilence();
    return this;
  }

  /**
   * Decides from the facts whether the upstream's silence counts now, and how long it may last from now on. Called when one of the facts
   * has changed, and when bytes have come.
   *
   *   connecting                            connect timeout, which `open` armed: nothing makes it longer
   *   in the pool                           idle timeout
   *   acquired, and the request is not complete, or not all written, or we do not read
   *                                         does not count: the upstream owes nothing, or could not show it. The client has its own
   *                                         timeouts, and the output has the write timeout, which counts while we read
   *   acquired otherwise                    read timeout
   *   closing                               does not count
   */
  #watchSilence(): void {
    if (this.#connecting) return;
    const { limits } = this.owner;
    if (this.#state === STATE.IDLE) this.#readTimer.arm(limits.idleTimeoutMs);
    else if (this.#listener !== null && this.#requestTaken && !this.#readPaused)
      this.#readTimer.arm(limits.readTimeoutMs);
    else this.#readTimer.disarm();
  }

  /** The system has all of the request, or takes no more. */
  get #requestTaken(): boolean {
    return this.#requestOver && (this.#writingFailed || !this.#output.unwritten);
  }

  get unsent(): boolean {
    return this.#connecting || this.#output.writes === this.#writesBefore;
  }

  // --- the request -----------------------------------------------------------------------------------------------------

  sendHead(outgoing: OutgoingRequest): void {
    if (authenticatesConnection(outgoing)) this.#makePrivate();
    this.#toHead = outgoing.method === 'HEAD';
    this.#requestChunked = outgoing.request.framing === FRAMING.CHUNKED;
    this.#requestDrops = outgoing.requestDrops;
    this.#output.text(encodeRequestHead(outgoing, this.owner.singleUse));
  }

  /** From now on it serves the client connection of the exchange under way, and no other. */
  #makePrivate(): void {
    const peer = this.#peer;
    if (peer === null || this.privateTo !== null) return;
    peer.privateConnections ??= new PrivateConnections();
    this.privateTo = peer.privateConnections;
    this.privateTo.add(this);
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    if (start === end) return true;
    if (!this.#requestChunked) return this.#output.bytes('', bytes, start, end, '');
    return this.#output.bytes(chunkPrefix(end - start), bytes, start, end, CHUNK_CONTENT_END);
  }

  sendTrailers(trailers: Fields): void {
    if (!this.#requestChunked) return;
    this.#output.text(chunkedEnd(encodePassingFields(trailers, REQUEST_TRAILER_DROPS, false, this.#requestDrops)));
    this.#requestChunked = false;
  }

  sendEnd(): void {
    if (this.#requestChunked) this.#output.text(chunkedEnd(''));
    this.#requestOver = true;
    this.#output.callWhenFlushed();
  }

  cancel(): void {
    this.#listener = null;
    // It may be called while the reply that it ends is being decoded: the rest of the reply must not complete anything.
    this.#close();
  }

  // --- the reply -------------------------------------------------------------------------------------------------------

  get inBody(): boolean {
    return this.#state === STATE.READING_BODY;
  }

  pauseResponse(): void {
    if (this.#readPaused || this.#listener === null) return;
    this.#readPaused = true;
    this.#connection?.pause();
    this.#watchSilence();
    this.#output.watch();
  }

  resumeResponse(): void {
    if (!this.#readPaused) return;
    this.#readPaused = false;
    this.#connection?.resume();
    this.#watchSilence();
    this.#output.watch();
  }

  connected(): void {
    this.#connecting = false;
    this.#output.connected();
    this.#watchSilence();
  }

  received(bytes: Buffer, start: number, end: number): void {
    if (this.#state === STATE.AWAITING_HEAD && this.unsent) {
      // RFC 9112 9.2: these bytes are no reply to a request of ours.
      if (this.reused) this.#reportUnsolicited(bytes, start, end);
      this.#fail(new PhotonError('upstream_reset', 'The upstream spoke before it was asked.'));
      return;
    }
    if (this.#kept === null) {
      this.#consume(bytes, start, end);
      return;
    }
    const all = Buffer.concat([this.#kept, bytes.subarray(start, end)]);
    this.#kept = null;
    this.#consume(all, 0, all.length);
  }

  #consume(bytes: Buffer, start: number, end: number): void {
    this.replyUntouched = false;
    try {
      let position = start;
      while (position < end && (this.#state === STATE.AWAITING_HEAD || this.#state === STATE.READING_BODY)) {
        const before = position;
        if (this.#state === STATE.AWAITING_HEAD) position = this.#consumeHead(bytes, position, end);
        else position = this.#consumeBody(bytes, position, end);
        if (position === before) throw new Error('the decoder of replies made no progress');
      }
      if (this.#listener !== null) this.#watchSilence();
      // Bytes that no request asked for: a second reply, or more than the length. The connection is not trusted again.
      if (position < end) {
        if (this.#state === STATE.IDLE) this.#reportUnsolicited(bytes, position, end);
        this.#connection?.destroy();
      }
    } catch (error) {
      if (!(error instanceof PhotonError)) throw error;
      this.#fail(error);
    }
  }

  /** RFC 9110 15.5.9: a server may send 408 before it closes an idle connection, which is no reply to a request that it got. */
  #reportUnsolicited(bytes: Buffer, start: number, end: number): void {
    if (!/^HTTP\/1\.[01] 408/.test(bytes.toString('latin1', start, Math.min(end, start + 12))))
      this.owner.unsolicitedBytes();
  }

  #consumeHead(bytes: Buffer, start: number, end: number): number {
    // Sound: a connection that awaits a head has a listener until it fails, and then it is closed.
    const listener = this.#listener as ResponseListener;
    const head = listener.response;
    const position = decodeResponseHead(bytes, start, end, head, this.owner.limits.maxHeadBytes, this.#toHead);
    if (position === INCOMPLETE) {
      this.#kept = Buffer.from(bytes.subarray(start, end));
      return end;
    }
    if (head.status < 200) {
      this.#takeInformational(listener, head.status);
      return position;
    }
    this.#challenged = challengesConnection(head);
    if (this.#challenged) this.#makePrivate();
    this.#replyPersistent = head.persistent;
    this.#body.begin(head.framing, head.contentLength);
    this.#state = STATE.READING_BODY;
    listener.responseBegun();
    if (this.#body.done && this.#state === STATE.READING_BODY) this.#complete();
    return position;
  }

  #takeInformational(listener: ResponseListener, status: number): void {
    // We never ask to switch protocols, so an upstream may not.
    if (status === 101) throw malformed('The upstream switched protocols without being asked.');
    if (++this.#informationals > MAX_INFORMATIONAL) throw malformed('The upstream sends interim replies without end.');
    listener.responseInformational();
  }

  #consumeBody(bytes: Buffer, start: number, end: number): number {
    const position = this.#body.decode(bytes, start, end, this);
    if (this.#body.done && this.#state === STATE.READING_BODY) this.#complete();
    return position;
  }

  bodyData(bytes: Buffer, start: number, end: number): void {
    this.#listener?.responseData(bytes, start, end);
  }

  bodyTrailers(trailers: Fields): void {
    this.#listener?.responseTrailers(trailers);
  }

  /** The reply is complete: the connection is released to the pool, if it may, before `responseEnded` of the listener. */
  #complete(): void {
    const listener = this.#listener;
    this.#listener = null;
    this.#watchSilence();
    if (this.#readPaused) this.resumeResponse();
    if (this.#replyPersistent && this.#mayCarryAnother) this.#becomeIdle();
    else this.#close();
    listener?.responseEnded();
  }

  /**
   * A server that answers before it has taken the whole request may never take the rest, and the next request would come after that rest.
   * Under TLS a write is not done at once: only bytes that the system has surely not taken count.
   */
  get #mayCarryAnother(): boolean {
    return this.#requestOver && !this.#writingFailed && (this.#connection?.untakenBytes ?? 0) === 0;
  }

  #becomeIdle(): void {
    this.#state = STATE.IDLE;
    this.#peer = null;
    this.#watchSilence();
    this.owner.connectionIdle(this);
  }

  /** Bytes that still come are dropped. */
  #close(): void {
    this.#state = STATE.CLOSED;
    this.#body.abandon();
    this.#connection?.destroy();
  }

  #fail(error: PhotonError): void {
    const listener = this.#listener;
    this.#listener = null;
    this.#close();
    listener?.responseFailed(error);
  }

  ended(): void {
    if (this.#state === STATE.READING_BODY && this.#body.endsWithConnection && this.#listener !== null) {
      this.#body.abandon();
      this.#complete();
      return;
    }
    if (this.#connecting) {
      // The upstream left before the handshake was over: `closed` reports it.
      this.#connection?.destroy();
      return;
    }
    this.#fail(new PhotonError('upstream_reset', 'The upstream closed the connection before its reply was complete.'));
  }

  closed(failure: string | null): void {
    const listener = this.#listener;
    const error = this.#endedBy(failure);
    this.#listener = null;
    this.#state = STATE.CLOSED;
    this.#kept = null;
    this.#readTimer.release();
    this.#output.close();
    this.#connection = null;
    this.#peer = null;
    this.privateTo?.delete(this);
    this.owner.connectionClosed(this, error);
    if (error !== null) listener?.responseFailed(error);
  }

  /** The failure; null if the connection was open and had no exchange. */
  #endedBy(failure: string | null): PhotonError | null {
    if (this.#connecting) return connectFailed(failure, this.#connection?.handshaking ?? false);
    return this.#listener === null ? null : reset(failure);
  }

  writable(): void {
    this.#output.drained();
    this.#watchSilence();
  }

  /** RFC 9112 9.6: a server may answer and close before it has read the request. The answer is still passed on. */
  writingFailed(): boolean {
    if (this.#listener === null) return false;
    this.#writingFailed = true;
    this.#requestOver = true;
    this.#watchSilence();
    return true;
  }

  timerExpired(): void {
    if (this.#connecting) {
      this.#fail(new PhotonError('upstream_connect_timeout', 'The upstream did not accept a connection in time.'));
    } else if (this.#listener === null) {
      this.#connection?.destroy();
    } else {
      this.#fail(new PhotonError('upstream_timeout', 'The upstream was silent for too long.'));
    }
  }

  timerFailed(): void {
    this.#connection?.destroy();
  }

  // --- as the owner of its output --------------------------------------------------------------------------------------

  /**
   * A server that answers while it reads (an echo, a filter) reads no further while its reply is not taken: the time in which we do not
   * read is not its time. Then the timeouts of the client, the hooks or the route end the exchange.
   */
  get sendTimeoutMs(): number | null {
    return this.#readPaused ? null : this.owner.limits.writeTimeoutMs;
  }

  holdOver(): void {
    this.#listener?.requestWritable();
  }

  flushed(): void {
    this.#watchSilence();
  }

  stalled(): void {
    // Until it is connected the connect timeout decides, however short this one is.
    if (!this.#connecting)
      this.#fail(new PhotonError('upstream_write_timeout', 'The upstream stopped taking the request.'));
  }

  /**
   * Closes an idle private connection for requests that wait. If its client is about to answer a challenge, it is closed only if the answer
   * does not come soon: otherwise no client could authenticate while requests wait.
   */
  evict(): void {
    this.evicting = true;
    if (this.#challenged) this.#readTimer.arm(CHALLENGE_TIMEOUT_MS);
    else this.close();
  }

  /** Closes the connection. The pool calls it for an idle one. */
  close(): void {
    this.#connection?.destroy();
  }
}

function malformed(detail: string): PhotonError {
  return new PhotonError('upstream_malformed', detail);
}

function connectFailed(failure: string | null, handshaking: boolean): PhotonError {
  if (handshaking) return new PhotonError('upstream_tls_failed', `No TLS with the upstream (${failure ?? 'closed'}).`);
  if (failure === 'EMFILE' || failure === 'ENFILE') return noDescriptors(failure);
  return new PhotonError('upstream_connect_failed', `No connection to the upstream (${failure ?? 'closed'}).`);
}

/** No fault of the upstream: there was no attempt to connect. */
function noDescriptors(failure: string): PhotonError {
  return new PhotonError('gateway_full', `The gateway cannot open another connection (${failure}).`);
}

function reset(failure: string | null): PhotonError {
  return new PhotonError('upstream_reset', `The upstream closed the connection (${failure ?? 'closed'}).`);
}

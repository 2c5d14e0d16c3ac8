import { authenticatesConnection } from '../http/connection-authentication.ts';
import type { FieldDrops } from '../http/field-drops.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { REQUEST_TRAILER_DROPS } from '../http/hop-by-hop.ts';
import type { OutgoingRequest } from '../http/outgoing.ts';
import { CHUNK_CONTENT_END, chunkedEnd, chunkPrefix } from '../wire/h1/chunk-encoder.ts';
import { encodePassingFields } from '../wire/h1/field-encoder.ts';
import { encodeRequestHead } from '../wire/h1/head-encoder.ts';
import type { H1Output } from './h1-output.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from './streams.ts';

/** The connection that an HTTP/1.1 stream is on. */
export interface StreamCarrier {
  /** It has been open: before that, nothing can have reached the upstream. */
  readonly opened: boolean;
  /** It serves the client of the stream from now on, and no other. */
  makePrivate(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The listener has ended the stream. */
  cancelled(): void;
}

/**
 * The stream of an HTTP/1.1 connection to an upstream, for one exchange after the other. It writes the request; `H1UpstreamReply` reads the
 * reply.
 */
export class H1UpstreamStream implements UpstreamStream {
  readonly #carrier: StreamCarrier;
  readonly #output: H1Output;
  /** Null: it is not in use. */
  listener: ResponseListener | null = null;
  /** The client of the exchange. */
  peer: DownstreamPeer | null = null;
  reused = false;
  replyUntouched = true;
  /** The request is a HEAD: its reply has no body. */
  toHead = false;
  /** No more of the request will be sent. */
  requestOver = false;
  /** The connection carries no other stream after it. */
  #isLast = false;
  #requestChunked = false;
  #requestDrops: FieldDrops | null = null;
  /** The number of writes of the output before the exchange. */
  #writesBefore = 0;

  constructor(carrier: StreamCarrier, output: H1Output) {
    this.#carrier = carrier;
    this.#output = output;
  }

  begin(listener: ResponseListener, peer: DownstreamPeer, isLast: boolean): void {
    this.listener = listener;
    this.peer = peer;
    this.#isLast = isLast;
    this.reused = this.#carrier.opened;
    this.replyUntouched = true;
    this.requestOver = false;
    this.#writesBefore = this.#output.writes;
  }

  /** The exchange is over. Returns its listener. */
  end(): ResponseListener | null {
    const { listener } = this;
    this.listener = null;
    this.peer = null;
    return listener;
  }

  get unsent(): boolean {
    return !this.#carrier.opened || this.#output.writes === this.#writesBefore;
  }

  sendHead(outgoing: OutgoingRequest): void {
    this.#assertInUse();
    if (authenticatesConnection(outgoing)) this.#carrier.makePrivate();
    this.toHead = outgoing.method === 'HEAD';
    this.#requestChunked = outgoing.request.framing === FRAMING.CHUNKED;
    this.#requestDrops = outgoing.requestDrops;
    this.#output.text(encodeRequestHead(outgoing, this.#isLast));
  }

  sendData(bytes: Buffer, start: number, end: number): boolean {
    this.#assertInUse();
    if (start === end) return true;
    if (!this.#requestChunked) return this.#output.bytes('', bytes, start, end, '');
    return this.#output.bytes(chunkPrefix(end - start), bytes, start, end, CHUNK_CONTENT_END);
  }

  sendTrailers(trailers: Fields): void {
    this.#assertInUse();
    if (!this.#requestChunked) return;
    this.#output.text(chunkedEnd(encodePassingFields(trailers, REQUEST_TRAILER_DROPS, false, this.#requestDrops)));
    this.#requestChunked = false;
  }

  sendEnd(): void {
    this.#assertInUse();
    if (this.#requestChunked) this.#output.text(chunkedEnd(''));
    this.requestOver = true;
    this.#output.callWhenFlushed();
  }

  /** Bytes that are sent behind the end of a stream would be taken for the next request on its connection. */
  #assertInUse(): void {
    if (this.listener === null) throw new Error('a request was sent on a stream that is over');
  }

  pauseResponse(): void {
    if (this.listener !== null) this.#carrier.pauseReading();
  }

  resumeResponse(): void {
    if (this.listener !== null) this.#carrier.resumeReading();
  }

  cancel(): void {
    if (this.listener !== null) this.#carrier.cancelled();
  }
}

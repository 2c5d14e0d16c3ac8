import type { FieldDrops } from '../http/field-drops.ts';
import type { Fields } from '../http/fields.ts';
import { FRAMING } from '../http/framing.ts';
import { RESPONSE_DROPS } from '../http/hop-by-hop.ts';
import type { OutgoingResponse } from '../http/outgoing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { CHUNK_CONTENT_END, chunkedEnd, chunkPrefix } from '../wire/h1/chunk-encoder.ts';
import { encodePassingFields } from '../wire/h1/field-encoder.ts';
import { encodeInformationalHead, encodeResponseHead } from '../wire/h1/head-encoder.ts';
import type { H1Output } from './h1-output.ts';

/**
 * The replies on one connection to a client, one after the other: how the body of each is framed for this client, and whether
 * the connection may persist after it.
 */
export class H1Reply {
  readonly #output: H1Output;
  #versionMinor = 1;
  #chunked = false;
  /** Fields of this reply and of its trailers that do not go to the client; null: none but those that never do. */
  #drops: FieldDrops | null = null;
  /** False from the moment that this reply has to be the last. */
  persistent = true;
  /** Only the end of the connection says where the body ends. */
  untilClose = false;
  /** The reply is complete, and the next request has not been read yet. */
  complete = false;

  constructor(output: H1Output) {
    this.#output = output;
  }

  /** The next reply, to a request of HTTP/1.`versionMinor`. */
  begin(versionMinor: number, persistent: boolean): void {
    this.#versionMinor = versionMinor;
    this.#chunked = false;
    this.persistent = persistent;
    this.untilClose = false;
    this.complete = false;
  }

  sendInformational(source: ResponseHead): void {
    // RFC 9110 15.2: an HTTP/1.0 client does not know interim replies.
    if (this.#versionMinor === 1) this.#output.text(encodeInformationalHead(source));
  }

  /** `close`: the connection must not be used again after it. */
  sendHead(outgoing: OutgoingResponse, close: boolean): void {
    const { framing } = outgoing;
    const unknownLength = framing === FRAMING.CHUNKED || framing === FRAMING.UNTIL_CLOSE;
    this.#drops = outgoing.drops;
    this.#chunked = unknownLength && this.#versionMinor === 1;
    this.untilClose = unknownLength && !this.#chunked;
    if (close || this.untilClose) this.persistent = false;
    const connection = !this.persistent ? 'close' : this.#versionMinor === 0 ? 'keep-alive' : '';
    this.#output.text(encodeResponseHead(outgoing, { chunked: this.#chunked, connection }));
  }

  /** Returns false to ask for a pause. */
  sendData(bytes: Buffer, start: number, end: number): boolean {
    if (start === end) return true;
    if (!this.#chunked) return this.#output.bytes('', bytes, start, end, '');
    return this.#output.bytes(chunkPrefix(end - start), bytes, start, end, CHUNK_CONTENT_END);
  }

  sendText(text: string): void {
    this.#output.text(this.#chunked ? `${chunkPrefix(text.length)}${text}${CHUNK_CONTENT_END}` : text);
  }

  sendTrailers(trailers: Fields): void {
    if (!this.#chunked) return;
    this.#output.text(chunkedEnd(encodePassingFields(trailers, RESPONSE_DROPS, false, this.#drops)));
    this.#chunked = false;
  }

  sendEnd(): void {
    if (this.#chunked) this.#output.text(chunkedEnd(''));
    this.complete = true;
    // A pipelined request is read once everything that was sent in this event has been written.
    this.#output.callWhenFlushed();
  }
}

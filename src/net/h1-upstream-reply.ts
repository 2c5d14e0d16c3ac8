import type { Fields } from '../http/fields.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { BodyDecoder, type BodySink } from '../wire/h1/body-decoder.ts';
import { INCOMPLETE } from '../wire/h1/field-lines.ts';
import { decodeResponseHead } from '../wire/h1/response-decoder.ts';
import type { H1UpstreamStream } from './h1-upstream-stream.ts';
import type { ResponseListener } from './streams.ts';
import { malformed } from './upstream-failure.ts';

/** RFC 9110 15.2 sets no limit to interim replies; a flood of them would keep an exchange alive for ever. */
const MAX_INFORMATIONAL = 32;

/** The connection that a reply comes on. */
export interface ReplyOwner {
  /** Bytes of a reply's head. */
  readonly maxHeadBytes: number;
  /** The head of the final reply has come. Its listener is called next. */
  headCame(head: ResponseHead): void;
}

/**
 *             begin            head, final               body complete
 *   COMPLETE -------> HEAD ----------------> BODY --------------------------> COMPLETE
 *                    |    ^                    |
 *                    +----+ head, interim      |
 *                    |                         |
 *                    +------- abandon ---------+----> ABANDONED: no other reply follows
 */
const STATE = { COMPLETE: 0, HEAD: 1, BODY: 2, ABANDONED: 3 } as const;
type State = (typeof STATE)[keyof typeof STATE];

/** Reads the replies on an HTTP/1.1 connection to an upstream, one after the other. Its owner reports that one has ended or failed. */
export class H1UpstreamReply implements BodySink {
  readonly #owner: ReplyOwner;
  readonly #stream: H1UpstreamStream;
  readonly #body: BodyDecoder = new BodyDecoder('upstream_malformed');
  #state: State = STATE.COMPLETE;
  /** Bytes of an unfinished head: copied out of the read buffer. */
  #kept: Buffer | null = null;
  #informationals = 0;
  /** The upstream lets the connection persist after this reply. */
  persistent = false;

  constructor(owner: ReplyOwner, stream: H1UpstreamStream) {
    this.#owner = owner;
    this.#stream = stream;
  }

  /** A reply is due. */
  begin(): void {
    this.#state = STATE.HEAD;
    this.#informationals = 0;
  }

  get complete(): boolean {
    return this.#state === STATE.COMPLETE;
  }

  get inBody(): boolean {
    return this.#state === STATE.BODY;
  }

  /** Nothing else of this reply is read. */
  abandon(): void {
    this.#state = STATE.ABANDONED;
    this.#kept = null;
    this.#body.abandon();
  }

  /** The upstream has sent FIN. Returns whether that completes the reply. */
  endsHere(): boolean {
    if (this.#state !== STATE.BODY || !this.#body.endsWithConnection) return false;
    this.#body.abandon();
    this.#state = STATE.COMPLETE;
    this.persistent = false;
    return true;
  }

  /** Decodes bytes that have come. Returns how many of them are left at their end, behind the reply. Throws PhotonError upstream_malformed. */
  decode(bytes: Buffer, start: number, end: number): number {
    if (this.#kept === null) return end - this.#decode(bytes, start, end);
    const all = Buffer.concat([this.#kept, bytes.subarray(start, end)]);
    this.#kept = null;
    return all.length - this.#decode(all, 0, all.length);
  }

  /** The listener may abandon the reply meanwhile. */
  #decode(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (position < end && (this.#state === STATE.HEAD || this.#state === STATE.BODY)) {
      const before = position;
      if (this.#state === STATE.HEAD) position = this.#decodeHead(bytes, position, end);
      else position = this.#body.decode(bytes, position, end, this);
      if (this.inBody && this.#body.done) this.#state = STATE.COMPLETE;
      if (position === before)
        throw new Error(`the decoder of replies made no progress in ${Object.keys(STATE)[this.#state]}`);
    }
    return position;
  }

  #decodeHead(bytes: Buffer, start: number, end: number): number {
    // Sound: a stream has a listener until its reply is complete or abandoned.
    const listener = this.#stream.listener as ResponseListener;
    const head = listener.response;
    const position = decodeResponseHead(bytes, start, end, head, this.#owner.maxHeadBytes, this.#stream.toHead);
    if (position === INCOMPLETE) {
      this.#kept = Buffer.from(bytes.subarray(start, end));
      return end;
    }
    if (head.status < 200) {
      this.#takeInformational(listener, head.status);
      return position;
    }
    this.persistent = head.persistent;
    this.#owner.headCame(head);
    this.#body.begin(head.framing, head.contentLength);
    this.#state = STATE.BODY;
    listener.responseBegun();
    return position;
  }

  #takeInformational(listener: ResponseListener, status: number): void {
    // We never ask to switch protocols, so an upstream may not.
    if (status === 101) throw malformed('The upstream switched protocols without being asked.');
    if (++this.#informationals > MAX_INFORMATIONAL) throw malformed('The upstream sends interim replies without end.');
    listener.responseInformational();
  }

  bodyData(bytes: Buffer, start: number, end: number): void {
    this.#stream.listener?.responseData(bytes, start, end);
  }

  bodyTrailers(trailers: Fields): void {
    this.#stream.listener?.responseTrailers(trailers);
  }
}

import { PhotonError } from '../../base/errors.ts';
import type { StatusRange } from '../../config/http-option-types.ts';
import { ResponseHead } from '../../http/response-head.ts';
import { BodyDecoder, type BodySink } from '../../wire/h1/body-decoder.ts';
import { INCOMPLETE } from '../../wire/h1/field-lines.ts';
import { decodeResponseHead } from '../../wire/h1/response-decoder.ts';

/** What the reply to a check has to be like. */
export interface ReplyExpectation {
  readonly status: readonly StatusRange[];
  /** What has to be in the body; null: it is not looked at. */
  readonly body: Buffer | null;
}

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_HEAD_FIELDS = 256;
/** So far a body is looked at, and so far it is read for the sake of the connection. */
const MAX_BODY_BYTES = 64 * 1024;
/** RFC 9110 15.2 sets no limit to interim replies. */
const MAX_INFORMATIONAL = 32;

/** Is used within one call of `take` only, and so by all checks in turn. */
const head = new ResponseHead(MAX_HEAD_FIELDS);

/**
 * The reply to one check, read as it comes, cut anywhere:
 *
 *   head --status is not wanted--> judged, failed
 *     \---no text is wanted------> judged, passed
 *      \--------------------------> body --text found--> judged, passed
 *                                     \--end of the body, or of its first 64 KiB--> judged, failed
 *
 * A redirect is a reply like any other: nothing is followed. What comes after the verdict is read all the same, within bounds: a
 * server that is hung up on in the middle of its reply takes it for an error.
 */
export class CheckReply implements BodySink {
  readonly #expectation: ReplyExpectation;
  readonly #body: BodyDecoder = new BodyDecoder('upstream_malformed');
  /** Bytes of an unfinished head. */
  #kept: Buffer | null = null;
  #headRead = false;
  #informationals = 0;
  /** The text that is looked for can begin in these, which came last. */
  #tail: Buffer | null = null;
  #bodyBytes = 0;
  /** The status says how the check went, and so does the text, if one is wanted. */
  judged = false;
  /** With `judged`: why the check failed, null when it passed. */
  failure: string | null = null;
  /** Something has come. */
  begun = false;
  /** The connection may serve another check after this reply. */
  persistent = false;

  constructor(expectation: ReplyExpectation) {
    this.#expectation = expectation;
  }

  /** The whole reply has come. */
  get complete(): boolean {
    return this.#headRead && this.#body.done;
  }

  /** There is more of it than anybody wants to read. */
  get excessive(): boolean {
    return this.#bodyBytes > MAX_BODY_BYTES;
  }

  /** Takes what came; returns where it stopped: `end`, or earlier when the reply is complete. Throws PhotonError when malformed. */
  take(bytes: Buffer, start: number, end: number): number {
    this.begun = true;
    if (this.#headRead) return this.#takeBody(bytes, start, end);
    if (this.#kept === null) return this.#takeHeads(bytes, start, end);
    const all = Buffer.concat([this.#kept, bytes.subarray(start, end)]);
    const before = this.#kept.length;
    this.#kept = null;
    return this.#takeHeads(all, 0, all.length) - before + start;
  }

  /** The server has closed the connection in good order. */
  end(): void {
    if (!this.#headRead || !this.#body.endsWithConnection) return;
    this.#body.abandon();
    this.#bodyEnded();
  }

  #takeHeads(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (!this.#headRead) {
      if (position === end) return end;
      const headEnd = decodeResponseHead(bytes, position, end, head, MAX_HEAD_BYTES, false);
      if (headEnd === INCOMPLETE) {
        this.#kept = Buffer.from(bytes.subarray(position, end));
        return end;
      }
      position = headEnd;
      if (head.status >= 200) this.#beginBody();
      else this.#takeInformational(head.status);
    }
    return this.#takeBody(bytes, position, end);
  }

  #takeInformational(status: number): void {
    // Nobody asked for another protocol.
    if (status === 101) throw new PhotonError('upstream_malformed', 'It switches protocols without being asked.');
    if (++this.#informationals <= MAX_INFORMATIONAL) return;
    throw new PhotonError('upstream_malformed', 'There are interim replies without end.');
  }

  #beginBody(): void {
    const { status, framing, contentLength } = head;
    this.#headRead = true;
    this.persistent = head.persistent;
    this.#body.begin(framing, contentLength);
    if (!this.#expectation.status.some(({ min, max }) => status >= min && status <= max))
      this.#judge(`status ${status}`);
    else if (this.#expectation.body === null) this.#judge(null);
    if (this.#body.done) this.#bodyEnded();
  }

  #takeBody(bytes: Buffer, start: number, end: number): number {
    if (this.#body.done) return start;
    const position = this.#body.decode(bytes, start, end, this);
    if (this.#body.done || this.excessive) this.#bodyEnded();
    return position;
  }

  bodyData(bytes: Buffer, start: number, end: number): void {
    const within = Math.min(end, start + Math.max(0, MAX_BODY_BYTES - this.#bodyBytes));
    this.#bodyBytes += end - start;
    if (!this.judged) this.#search(bytes.subarray(start, within));
  }

  bodyTrailers(): void {
    // Nobody asks for them.
  }

  #search(bytes: Buffer): void {
    const wanted = this.#expectation.body as Buffer;
    const text = this.#tail === null ? bytes : Buffer.concat([this.#tail, bytes]);
    if (text.includes(wanted)) this.#judge(null);
    // A copy: the bytes are lent.
    else this.#tail = Buffer.from(text.subarray(Math.max(0, text.length - wanted.length + 1)));
  }

  #bodyEnded(): void {
    if (!this.judged) this.#judge('the body lacks the expected text');
  }

  #judge(failure: string | null): void {
    this.judged = true;
    this.failure = failure;
    this.#tail = null;
  }
}

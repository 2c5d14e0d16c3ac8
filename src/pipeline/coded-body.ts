import type { Transform } from 'node:stream';
import type { Fields } from '../http/fields.ts';
import type { BodyCoding } from './body-coding.ts';
import type { ReplySink } from './reply-path.ts';

/** What a coder gets from the exchange. */
export interface CoderOwner {
  pauseSource(): void;
  resumeSource(): void;
  /** Ends the exchange. */
  fail(error: unknown): void;
  /** Flushes the output of an event that did not come from a socket. */
  settle(): void;
}

/** Up to this size a body that is complete before its stream was opened is coded at once: a stream costs more than such a body. */
const AT_ONCE_BYTES = 16 * 1024;

/**
 * The body of an upstream's reply on its way through a content coding. One piece at a time is with the coder, in another thread:
 *
 *   GATHERING --(the event is over)--> CODING --(all of the piece is out)--> GATHERING
 *       \                                \
 *        (the body ended within its       (client does not keep up) --> HELD --(it does)--> GATHERING
 *         first event: coded on the spot)
 *
 * Invariant: while a piece is being coded or the client does not keep up, the upstream is paused, so that no more waits here than the bytes
 * that were read already: a read or two.
 */
export class CodedBody implements ReplySink {
  /** How many are open in this thread: each may hold close to a megabyte. */
  static open = 0;

  readonly #owner: CoderOwner;
  readonly #next: ReplySink;
  readonly #coding: BodyCoding;
  #stream: Transform | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The pieces of an event are gathered until it is over. */
  #scheduled = false;
  #coded = true;
  #held = false;
  #ended = false;
  #closed = false;
  #trailers: Fields | null = null;

  /** What comes out goes to `next`. */
  constructor(owner: CoderOwner, coding: BodyCoding, next: ReplySink) {
    this.#owner = owner;
    this.#next = next;
    this.#coding = coding;
    CodedBody.open++;
  }

  /** Always returns true: it pauses the source itself, when the event is over. */
  data(bytes: Buffer, start: number, end: number): boolean {
    this.#waiting.push(Buffer.from(bytes.subarray(start, end)));
    this.#waitingBytes += end - start;
    if (this.#scheduled) return true;
    this.#scheduled = true;
    process.nextTick(() => this.#event(this.#goOn));
    return true;
  }

  trailers(trailers: Fields): void {
    this.#trailers = trailers.copy();
  }

  /** The source has sent everything. */
  end(): void {
    this.#ended = true;
    this.#guard(this.#goOn);
  }

  /** The client has taken all that was sent. */
  resume(): void {
    this.#held = false;
    this.#guard(this.#goOn);
  }

  /** The exchange is over, however it ended: the coder is freed. */
  close(): void {
    this.#closed = true;
    CodedBody.open--;
    this.#stream?.destroy();
  }

  /** Runs an event that does not come from a socket, and flushes its output. */
  #event(work: () => void): void {
    if (this.#closed) return;
    this.#guard(work);
    this.#owner.settle();
  }

  /** A throw ends the exchange. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#owner.fail(error);
    }
  }

  readonly #goOn = (): void => {
    this.#scheduled = false;
    if (!this.#coded || this.#held) return;
    if (this.#ended) this.#codeLast();
    else if (this.#waitingBytes === 0) this.#owner.resumeSource();
    else this.#codePiece();
  };

  #codePiece(): void {
    this.#owner.pauseSource();
    this.#coded = false;
    this.#openStream().write(this.#takeWaiting(), (error) => {
      // An error comes as the stream's 'error' event.
      if (!error) this.#event(this.#pieceCoded);
    });
  }

  readonly #pieceCoded = (): void => {
    this.#coded = true;
    this.#goOn();
  };

  #codeLast(): void {
    if (this.#stream === null && this.#waitingBytes <= AT_ONCE_BYTES) {
      this.#send(this.#coding.whole(this.#takeWaiting()));
      this.#finish();
      return;
    }
    this.#coded = false;
    const stream = this.#openStream();
    if (this.#waitingBytes > 0) stream.write(this.#takeWaiting());
    stream.end();
  }

  #openStream(): Transform {
    if (this.#stream !== null) return this.#stream;
    const stream = this.#coding.createStream();
    stream.on('data', (bytes: Buffer) => this.#event(() => this.#send(bytes)));
    stream.on('end', () => this.#event(this.#finish));
    stream.on('error', (error) => this.#event(() => this.#owner.fail(error)));
    this.#stream = stream;
    return stream;
  }

  #takeWaiting(): Buffer {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting.length === 1 ? (waiting[0] as Buffer) : Buffer.concat(waiting);
  }

  #send(bytes: Buffer): void {
    if (!this.#next.data(bytes, 0, bytes.length)) this.#held = true;
  }

  readonly #finish = (): void => {
    if (this.#trailers !== null) this.#next.trailers(this.#trailers);
    this.#next.end();
  };
}

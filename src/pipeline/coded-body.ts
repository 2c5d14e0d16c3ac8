import type { Transform } from 'node:stream';
import type { Fields } from '../http/fields.ts';
import type { BodyCoding } from './body-coding.ts';
import type { Exchange } from './exchange.ts';
import { failExchange } from './failure.ts';
import { finish } from './finish.ts';

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
export class CodedBody {
  /** How many are open in this thread: each may hold close to a megabyte. */
  static open = 0;

  readonly #exchange: Exchange;
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

  constructor(exchange: Exchange, coding: BodyCoding) {
    this.#exchange = exchange;
    this.#coding = coding;
    CodedBody.open++;
  }

  /** A piece of the body, in bytes that are valid during this call only. */
  write(bytes: Buffer, start: number, end: number): void {
    this.#waiting.push(Buffer.from(bytes.subarray(start, end)));
    this.#waitingBytes += end - start;
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.#event(this.#goOn));
  }

  set trailers(trailers: Fields) {
    this.#trailers = trailers.copy();
  }

  /** The upstream has sent everything. The exchange is finished when all of it is on its way to the client. */
  end(): void {
    this.#ended = true;
    this.#guard(this.#goOn);
    // The rest of a request that is not complete is not read any more.
    if (!this.#closed) this.#exchange.downstream?.pauseRequest();
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
    this.#exchange.services.settle();
  }

  /** A throw ends the exchange. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      failExchange(this.#exchange, error);
    }
  }

  readonly #goOn = (): void => {
    this.#scheduled = false;
    if (!this.#coded || this.#held) return;
    if (this.#ended) this.#codeLast();
    else if (this.#waitingBytes === 0) this.#exchange.stream?.resumeResponse();
    else this.#codePiece();
  };

  #codePiece(): void {
    this.#exchange.stream?.pauseResponse();
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
    stream.on('error', (error) => this.#event(() => failExchange(this.#exchange, error)));
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
    const exchange = this.#exchange;
    exchange.replyBodyBytes += bytes.length;
    if (exchange.downstream?.sendData(bytes, 0, bytes.length) === false) this.#held = true;
  }

  readonly #finish = (): void => {
    const { downstream } = this.#exchange;
    if (this.#trailers !== null) downstream?.sendTrailers(this.#trailers);
    downstream?.sendEnd();
    finish(this.#exchange);
  };
}

import type { Fields } from '../http/fields.ts';
import { ClientSink, type ClientSinkOwner } from './client-sink.ts';
import { HeldBody } from './held-body.ts';

/** What a reply's body comes from. It calls the path's `data`, `trailers` and `sourceEnded`, and stops while it is paused. */
export interface ReplySource {
  pause(): void;
  resume(): void;
}

/** A place on the way of a reply's body to the client. In this order: pieces, trailers, end. */
export interface ReplySink {
  /** A piece, in bytes that are valid during this call only. Returns false to ask for a pause: what is before it is resumed later. */
  data(bytes: Buffer, start: number, end: number): boolean;
  /** Valid during this call only. */
  trailers(trailers: Fields): void;
  end(): void;
  /** What comes after it has taken all that was sent to it. */
  resume(): void;
  /** The exchange is over: it frees what it holds. */
  close(): void;
}

/**
 * The way of a reply's body from its source to the client:
 *
 *   source (an attempt, an own reply) --> held, while a response hook is pending --> coder, where there is one --> client
 *           <-- pause, resume -------------------------------------------------------------------- writable <--
 *
 * A source may end before its sinks do: what they hold goes out, and the exchange is over when the client's sink has ended.
 */
export class ReplyPath {
  readonly client: ClientSink;
  /** Null: there is none, or it has ended. */
  #source: ReplySource | null = null;
  /** What the source sends to. */
  #first: ReplySink;
  #held: HeldBody | null = null;
  /** The sink before the client's; null: the source, or what is held. */
  #coder: ReplySink | null = null;

  constructor(owner: ClientSinkOwner) {
    this.client = new ClientSink(owner);
    this.#first = this.client;
  }

  /** A reply begins, perhaps in the place of one that was to go out: its source sends no more. */
  begin(source: ReplySource): void {
    this.#source = source;
    this.#held = null;
    this.#first = this.client;
  }

  /** The head waits: the source is paused, and what it has sent already is kept. */
  hold(): void {
    this.#held ??= new HeldBody();
    this.#first = this.#held;
    this.#source?.pause();
  }

  /** The head is out: the body follows, through `coder` where there is one. */
  release(coder: ReplySink | null): void {
    const held = this.#held;
    this.#held = null;
    this.#coder = coder;
    this.#first = coder ?? this.client;
    if (held === null) return;
    // The source is resumed first, so that a slow client can pause it again.
    this.#source?.resume();
    held.releaseTo(this);
  }

  // --- from the source -------------------------------------------------------------------------------------------------

  data(bytes: Buffer, start: number, end: number): void {
    if (!this.#first.data(bytes, start, end)) this.pauseSource();
  }

  trailers(trailers: Fields): void {
    this.#first.trailers(trailers);
  }

  sourceEnded(): void {
    this.#source = null;
    this.#first.end();
  }

  // --- from the sinks --------------------------------------------------------------------------------------------------

  /** The client has taken all that was sent to it. */
  writable(): void {
    if (this.#held !== null) return;
    if (this.#coder === null) this.resumeSource();
    else this.#coder.resume();
  }

  pauseSource(): void {
    this.#source?.pause();
  }

  resumeSource(): void {
    this.#source?.resume();
  }

  /** The exchange is over. */
  close(): void {
    this.#coder?.close();
    this.#coder = null;
    this.#source = null;
    this.#held = null;
    this.#first = this.client;
  }
}

import type { Fields } from '../http/fields.ts';
import type { DownstreamStream } from '../net/streams.ts';
import type { Reply } from './reply.ts';

/** The exchange, as the last sink of its replies sees it. */
export interface ClientSinkOwner {
  readonly downstream: DownstreamStream | null;
  readonly reply: Reply;
  /** All of the reply is on its way to the client. */
  replyComplete(): void;
}

/** The last sink of every reply: its client. */
export class ClientSink {
  readonly #owner: ClientSinkOwner;

  constructor(owner: ClientSinkOwner) {
    this.#owner = owner;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    const { downstream, reply } = this.#owner;
    reply.bodyBytes += end - start;
    return downstream === null || downstream.sendData(bytes, start, end);
  }

  /** A whole body that was made here: latin1 text. */
  text(text: string): void {
    const { downstream, reply } = this.#owner;
    reply.bodyBytes += text.length;
    downstream?.sendText(text);
  }

  trailers(trailers: Fields): void {
    this.#owner.downstream?.sendTrailers(trailers);
  }

  end(): void {
    this.#owner.downstream?.sendEnd();
    this.#owner.replyComplete();
  }

  resume(): void {
    // The path resumes what is before the client.
  }

  close(): void {
    // The stream of the client belongs to the exchange.
  }
}

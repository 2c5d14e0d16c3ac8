import type { Fields } from '../http/fields.ts';
import type { ReplyPath, ReplySink } from './reply-path.ts';

/**
 * The part of a reply's body that comes while its head waits for a response hook. The source is paused, so that this part is at most one
 * read of its connection.
 */
export class HeldBody implements ReplySink {
  /** Copies: bytes that are read are valid during the call only. */
  readonly #pieces: Buffer[] = [];
  #trailers: Fields | null = null;
  #ended = false;

  data(bytes: Buffer, start: number, end: number): boolean {
    this.#pieces.push(Buffer.from(bytes.subarray(start, end)));
    return true;
  }

  trailers(trailers: Fields): void {
    this.#trailers = trailers.copy();
  }

  end(): void {
    this.#ended = true;
  }

  resume(): void {
    // The head waits: whoever could take bytes now gets none.
  }

  close(): void {
    // It is let go of with the path.
  }

  /** Sends all of it on. */
  releaseTo(path: ReplyPath): void {
    if (this.#pieces.length > 0) {
      const bytes = Buffer.concat(this.#pieces);
      path.data(bytes, 0, bytes.length);
    }
    if (this.#trailers !== null) path.trailers(this.#trailers);
    if (this.#ended) path.sourceEnded();
  }
}

import type { PhotonError } from '../base/errors.ts';
import type { Reply } from './reply.ts';
import type { ReplyPath, ReplySource } from './reply-path.ts';

/** A body up to this size goes out in one piece, whether or not the client keeps up. */
const PIECE_BYTES = 64 * 1024;

/** A reply that no upstream made, as the source of its body. It waits until the head is out, and goes on as the client takes it. */
export class OwnReply implements ReplySource {
  readonly #path: ReplyPath;
  /** Latin1 text, one character a byte; empty for none. */
  readonly #text: string;
  /** The error that it reports; null for an answer. */
  readonly error: PhotonError | null;
  /** What is still to be sent, from `#at` on; null before the first piece. */
  #bytes: Buffer | null = null;
  #at = 0;
  #paused = false;

  constructor(path: ReplyPath, text: string, error: PhotonError | null) {
    this.#path = path;
    this.#text = text;
    this.error = error;
  }

  /** The head is out: sends the body in the coding that it says. */
  start({ coding }: Reply, hasBody: boolean): void {
    const path = this.#path;
    if (!hasBody || this.#text === '') {
      path.sourceEnded();
    } else if (coding === null && this.#text.length <= PIECE_BYTES) {
      path.client.text(this.#text);
      path.sourceEnded();
    } else {
      const bytes = Buffer.from(this.#text, 'latin1');
      this.#bytes = coding === null ? bytes : coding.whole(bytes);
      this.#send(this.#bytes);
    }
  }

  #send(bytes: Buffer): void {
    this.#paused = false;
    while (this.#at < bytes.length) {
      const start = this.#at;
      this.#at = Math.min(bytes.length, start + PIECE_BYTES);
      this.#path.data(bytes, start, this.#at);
      if (this.#paused) return;
    }
    this.#path.sourceEnded();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (this.#bytes !== null) this.#send(this.#bytes);
  }
}

import type { Writable } from 'node:stream';

/** Lines that wait for a slow reader, in UTF-8 bytes. What comes on top is dropped. */
const MAX_WAITING_BYTES = 256 * 1024;

/**
 * Lines to a stream that may be slow, stuck or closed. Writing never waits and never throws: a line that cannot go, or whose
 * write fails, is dropped and counted, and the next one is tried again.
 *
 * Files and terminals are written at once, pipes as their reader makes room (Node, "A note on process I/O").
 */
export class LogOutlet {
  readonly #stream: Writable;
  #lost = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
    // A stream whose error nobody hears ends the process: a log that cannot be written is no reason to stop serving.
    if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
  }

  get isTTY(): boolean {
    return (this.#stream as { readonly isTTY?: boolean }).isTTY === true;
  }

  write(line: string): void {
    if (this.#stream.writableLength >= MAX_WAITING_BYTES) this.#lost++;
    else this.#stream.write(line, this.#written);
  }

  readonly #written = (error?: Error | null): void => {
    if (error) this.#lost++;
  };

  /** How many lines were dropped since the last call; 0 as long as no line could say so. */
  takeLost(): number {
    if (this.#stream.writableLength > 0) return 0;
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** Resolves with true when everything is written, with false after `timeoutMs`: nobody reads. */
  async flush(timeoutMs: number): Promise<boolean> {
    if (this.#stream.writableLength === 0) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, timeoutMs, false);
    // Writes end in their order, so this one ends last.
    this.#stream.write('', () => resolve(true));
    const flushed = await promise;
    clearTimeout(timer);
    return flushed;
  }
}

function ignore(): void {
  // Whoever wrote hears of it in the callback of the write.
}

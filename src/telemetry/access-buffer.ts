import { writeLatin1 } from '../base/latin1.ts';
import { MAX_LINE_BYTES } from './access-line.ts';

/** Where blocks of lines go. */
export interface AccessSink {
  /** Takes a block that begins with `bytes` bytes of whole lines. It comes back with `AccessBuffer.giveBack`. */
  handOver(block: ArrayBuffer, bytes: number, lines: number): void;
  /** So many lines found no room. */
  dropped(lines: number): void;
}

/** About 200 lines: what handing a block over costs is shared by them. A line always fits into an empty one. */
export const BLOCK_BYTES = 64 * 1024;

/** No more than this waits for the control thread, and for the disk behind it: 1 MiB a worker. */
export const MAX_BLOCKS = 16;

/**
 * The lines of one worker on their way to the control thread. Blocks go round:
 *
 *   free ---> current ---full, or flush()---> with the control thread
 *    ^                                            | written
 *    +------------------giveBack()----------------+
 *
 * Invariant: free + current + out <= MAX_BLOCKS. Where all of them are out, lines are dropped and counted.
 */
export class AccessBuffer {
  readonly #sink: AccessSink;
  readonly #free: Buffer[] = [];
  #current: Buffer | null = null;
  #blocks = 0;
  #used = 0;
  #lines = 0;
  #dropped = 0;

  constructor(sink: AccessSink) {
    this.#sink = sink;
  }

  /** Adds a line of ASCII text, at most `MAX_LINE_BYTES` long, with its line feed. */
  add(line: string): void {
    if (line.length > BLOCK_BYTES - this.#used) this.#handOver();
    const block = this.#current ?? this.#takeBlock();
    if (block === null || line.length > MAX_LINE_BYTES) {
      this.#dropped++;
      return;
    }
    this.#used += writeLatin1(block, line, this.#used);
    this.#lines++;
  }

  /** Hands over what there is, and says what had to be dropped. */
  flush(): void {
    this.#handOver();
    if (this.#dropped === 0) return;
    this.#sink.dropped(this.#dropped);
    this.#dropped = 0;
  }

  /** Takes a block back that was handed over and is written. */
  giveBack(block: ArrayBuffer): void {
    this.#free.push(Buffer.from(block));
  }

  #handOver(): void {
    if (this.#current === null || this.#lines === 0) return;
    // Sound: blocks are made below, or came back as ArrayBuffers.
    this.#sink.handOver(this.#current.buffer as ArrayBuffer, this.#used, this.#lines);
    this.#current = null;
    this.#used = 0;
    this.#lines = 0;
  }

  #takeBlock(): Buffer | null {
    this.#current = this.#free.pop() ?? this.#makeBlock();
    return this.#current;
  }

  #makeBlock(): Buffer | null {
    if (this.#blocks === MAX_BLOCKS) return null;
    this.#blocks++;
    return Buffer.from(new ArrayBuffer(BLOCK_BYTES));
  }
}

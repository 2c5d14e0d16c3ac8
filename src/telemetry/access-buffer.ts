import { writeLatin1 } from '../base/latin1.ts';
import { type AccessBlocks, BLOCK_BYTES, BLOCK_COUNT } from './access-blocks.ts';
import { MAX_LINE_BYTES } from './access-line.ts';

/** Hears what becomes of the lines. */
export interface AccessSink {
  /** A block begins with `bytes` bytes of whole lines; it is the sink's until it frees it. */
  handOver(block: number, bytes: number, lines: number): void;
  /** So many lines found no room. */
  dropped(lines: number): void;
}

/**
 * The lines of one worker on their way to the control thread, in one block after the other, round and round:
 *
 *   0 free   1 handed over   2 handed over   3 current   4 free   ...   15 free
 *
 * Where the next block is not free yet, lines are dropped and counted.
 */
export class AccessBuffer {
  readonly #blocks: AccessBlocks;
  readonly #sink: AccessSink;
  /** The number of the current block, or of the next one where there is none. */
  #block = 0;
  #current: Buffer | null = null;
  #used = 0;
  #lines = 0;
  #dropped = 0;

  constructor(blocks: AccessBlocks, sink: AccessSink) {
    this.#blocks = blocks;
    this.#sink = sink;
  }

  /** Adds a line of ASCII text, at most `MAX_LINE_BYTES` long, with its line feed. */
  add(line: string): void {
    if (line.length > BLOCK_BYTES - this.#used) this.#handOver();
    this.#current ??= this.#blocks.take(this.#block);
    if (this.#current === null || line.length > MAX_LINE_BYTES) {
      this.#dropped++;
      return;
    }
    this.#used += writeLatin1(this.#current, line, this.#used);
    this.#lines++;
  }

  /** Hands over what there is, and says what had to be dropped. */
  flush(): void {
    if (this.#lines > 0) this.#handOver();
    if (this.#dropped === 0) return;
    this.#sink.dropped(this.#dropped);
    this.#dropped = 0;
  }

  #handOver(): void {
    this.#sink.handOver(this.#block, this.#used, this.#lines);
    this.#block = (this.#block + 1) % BLOCK_COUNT;
    this.#current = null;
    this.#used = 0;
    this.#lines = 0;
  }
}

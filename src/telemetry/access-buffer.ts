import { writeLatin1 } from '../base/latin1.ts';
import { type AccessBlocks, BLOCK_BYTES, NO_BLOCK } from './access-blocks.ts';
import { MAX_LINE_BYTES } from './access-line.ts';

/** Hears what becomes of the lines. */
export interface AccessSink {
  /** A block begins with `bytes` bytes of whole lines; it is the sink's until it frees it. */
  handOver(block: number, bytes: number, lines: number): void;
  /** So many lines found no room. */
  dropped(lines: number): void;
}

/**
 * The lines of one worker on their way to the control thread:
 *
 *   free block --first line--> current --full, or flush()--> handed over --written--> free block
 *
 * While an output takes nothing, the last block fills up before it is handed over. Then lines are dropped and counted.
 */
export class AccessBuffer {
  readonly #blocks: AccessBlocks;
  readonly #sink: AccessSink;
  #block = NO_BLOCK;
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
    if (this.#lines > 0 && line.length > BLOCK_BYTES - this.#used) this.#handOver();
    const block = this.#current ?? this.#takeBlock();
    if (block === null || line.length > MAX_LINE_BYTES) {
      this.#dropped++;
      return;
    }
    this.#used += writeLatin1(block, line, this.#used);
    this.#lines++;
  }

  /** Hands over what there is, unless the lines after it would have no block; says what had to be dropped. */
  flush(): void {
    if (this.#lines > 0 && this.#blocks.hasFree) this.#handOver();
    this.#reportDropped();
  }

  /** Hands over what there is; no lines are to follow. */
  flushLast(): void {
    if (this.#lines > 0) this.#handOver();
    this.#reportDropped();
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#sink.dropped(this.#dropped);
    this.#dropped = 0;
  }

  #takeBlock(): Buffer | null {
    this.#block = this.#blocks.take();
    this.#current = this.#block === NO_BLOCK ? null : this.#blocks.bytesOf(this.#block);
    return this.#current;
  }

  #handOver(): void {
    this.#sink.handOver(this.#block, this.#used, this.#lines);
    this.#current = null;
    this.#used = 0;
    this.#lines = 0;
  }
}

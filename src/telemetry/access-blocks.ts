/**
 * More than a thousand lines: waking the control thread and the thread that writes is what costs, and they share it. A line always
 * fits into an empty one.
 */
export const BLOCK_BYTES = 512 * 1024;

/** No more than this waits for the control thread, and for the disk behind it: 2 MiB a worker. */
export const BLOCK_COUNT = 4;

const FLAG_BYTES = Int32Array.BYTES_PER_ELEMENT;
const FLAGS_BYTES = BLOCK_COUNT * FLAG_BYTES;

/** What `take` returns when every block is taken. */
export const NO_BLOCK = -1;

const FREE = 0;
const TAKEN = 1;

/**
 * The memory in which one worker's lines go to the control thread, seen from either side:
 *
 *   | flag 0 | flag 1 | ... | flag 3 |  block 0  |  block 1  | ... |  block 3  |
 *     int32                            512 KiB
 *
 * A flag goes from FREE to TAKEN by the worker, before the first line, and back by the control thread, when the last line is
 * written. So each block has one thread at a time that may touch it.
 *
 * It is shared and not handed over as an ArrayBuffer, because the first buffer that is detached makes every loop over bytes of its
 * thread check for that from then on: the parser took twice as long.
 */
export class AccessBlocks {
  readonly #flags: Int32Array;
  readonly #blocks: readonly Buffer[];

  constructor(memory: SharedArrayBuffer) {
    this.#flags = new Int32Array(memory, 0, BLOCK_COUNT);
    this.#blocks = Array.from({ length: BLOCK_COUNT }, (_, block) =>
      Buffer.from(memory, FLAGS_BYTES + block * BLOCK_BYTES, BLOCK_BYTES),
    );
  }

  /** Memory for one worker's life; what is not used of it is only addresses. */
  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(FLAGS_BYTES + BLOCK_COUNT * BLOCK_BYTES);
  }

  /** For the worker: a free block becomes its own; -1 when there is none. The first one, whose memory is in the cache still. */
  take(): number {
    for (let block = 0; block < BLOCK_COUNT; block++) {
      if (Atomics.compareExchange(this.#flags, block, FREE, TAKEN) === FREE) return block;
    }
    return NO_BLOCK;
  }

  /** For the worker: whether `take` would find a block. */
  get hasFree(): boolean {
    for (let block = 0; block < BLOCK_COUNT; block++) {
      if (Atomics.load(this.#flags, block) === FREE) return true;
    }
    return false;
  }

  /** For the control thread: the block is the worker's again. */
  free(block: number): void {
    Atomics.store(this.#flags, block, FREE);
  }

  bytesOf(block: number): Buffer {
    // Sound: block numbers are those of `BLOCK_COUNT`.
    return this.#blocks[block] as Buffer;
  }
}

/** Seeds are asked for in blocks: one message for many runs. */
export const BLOCK = 16;

/** The seeds that are left to play, for several threads. */
export class SeedSupply {
  readonly #end: number;
  readonly #isEnough: () => boolean;
  #next: number;

  /** `count` seeds from `first` on; fewer when `isEnough` is true before. */
  constructor(first: number, count: number, isEnough: () => boolean) {
    this.#next = first;
    this.#end = first + count;
    this.#isEnough = isEnough;
  }

  /** The next block; null when it is over. */
  take(): { readonly from: number; readonly count: number } | null {
    if (this.isStopped || this.#next >= this.#end) return null;
    const from = this.#next;
    const count = Math.min(BLOCK - (from % BLOCK), this.#end - from);
    this.#next += count;
    return { from, count };
  }

  /** Nothing more is to be played, not even of a block that was taken. */
  get isStopped(): boolean {
    return this.#isEnough();
  }
}

/**
 * The token bucket of the textbooks, in whole numbers, so that nothing is rounded: time in quanta (of which there are 2^20 in a
 * millisecond), tokens in parts of which a quantum brings one and a token costs `interval`.
 */
export class ReferenceBucket {
  readonly #interval: bigint;
  readonly #capacity: bigint;
  #parts: bigint;
  #at = 0n;

  /** `interval`: quanta in which a token comes. */
  constructor(interval: bigint, burst: bigint) {
    this.#interval = interval;
    this.#capacity = interval * burst;
    this.#parts = this.#capacity;
  }

  /** 0: taken; above 0: quanta until there is a token. */
  take(at: bigint): bigint {
    this.#parts += at - this.#at;
    if (this.#parts > this.#capacity) this.#parts = this.#capacity;
    this.#at = at;
    if (this.#parts < this.#interval) return this.#interval - this.#parts;
    this.#parts -= this.#interval;
    return 0n;
  }
}

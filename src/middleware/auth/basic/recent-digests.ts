const HALF_ENTRIES = 4096;

/**
 * Digests that mean something until some time, of a monotonic clock. Bounded: when there are too many, those that were put in first are
 * forgotten early.
 *
 *   put --> young --full: becomes the old one--> old --full again: forgotten
 */
export class RecentDigests {
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  /** Until when it counts; 0 when it does not any more, or is not known. */
  untilOf(digest: string, nowMs: number): number {
    const untilMs = this.#young.get(digest) ?? this.#old.get(digest) ?? 0;
    return nowMs < untilMs ? untilMs : 0;
  }

  put(digest: string, untilMs: number): void {
    if (this.#young.size >= HALF_ENTRIES && !this.#young.has(digest)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(digest, untilMs);
  }
}

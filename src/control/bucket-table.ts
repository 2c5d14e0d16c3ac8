import { monotonicClock } from '../base/clock.ts';
import { createTokenBuckets, type TokenBucketMemory, TokenBuckets } from '../memory/token-buckets.ts';

/**
 * The buckets of the rate limits: one table for all workers, which outlives them and changes of the configuration. It only grows: a
 * configuration that wants more gets a larger one, with the buckets as they are when it is prepared; what is taken between that and the
 * commit, a few milliseconds later, is not in it.
 */
export class BucketTable {
  #memory: TokenBucketMemory | null = null;

  /** A table with room for so many keys. The one in use stays as it is. Throws a RangeError where there is not enough memory. */
  memoryFor(keys: number): TokenBucketMemory {
    const nowMs = monotonicClock.nowMs();
    if (this.#memory === null) return createTokenBuckets(keys, nowMs);
    const current = new TokenBuckets(this.#memory);
    if (current.maxKeys >= keys) return this.#memory;
    const larger = createTokenBuckets(keys, nowMs);
    new TokenBuckets(larger).adopt(current, nowMs);
    return larger;
  }

  /** This table is the one that is used. */
  use(memory: TokenBucketMemory): void {
    this.#memory = memory;
  }
}

import type { TokenBuckets } from '../memory/token-buckets.ts';
import type { RateLimitCounts } from '../telemetry/rate-limit-counts.ts';

/** What a middleware is made with, besides its options. */
export interface MiddlewareDeps {
  /** Milliseconds of the monotonic clock, the same in all threads. */
  nowMs(): number;
  readonly log: { warn(event: string, fields?: object): void; error(event: string, fields?: object): void };
  /** What rate limits count in, shared by all threads. */
  readonly buckets: TokenBuckets;
  readonly rateLimitCounts: RateLimitCounts;
}

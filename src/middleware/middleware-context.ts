import type { UserFile } from '../config/config.ts';
import type { TokenBuckets } from '../memory/token-buckets.ts';
import type { RateLimitCounts } from '../telemetry/rate-limit-counts.ts';
import type { PasswordChecks } from './auth/basic/password-checks.ts';
import type { KeySets } from './auth/jwt/key-source.ts';
import type { ContentCodings } from './compress/content-coding.ts';
import type { CustomChain } from './custom/load-custom.ts';

/** The context of a middleware, besides its options. */
export interface MiddlewareContext {
  /** That of users, made before. */
  readonly custom: CustomChain;
  /** Milliseconds of the monotonic clock, the same in all threads. */
  nowMs(): number;
  /** Milliseconds since 1970, as of the event under way. */
  unixMs(): number;
  /** The keys that issuers of tokens publish. */
  readonly keySets: KeySets;
  /** The users of the files that the configuration names. */
  readonly userFiles: readonly UserFile[];
  readonly passwords: PasswordChecks;
  readonly log: {
    info(event: string, fields?: object): void;
    warn(event: string, fields?: object): void;
    error(event: string, fields?: object): void;
  };
  /** How bodies of replies are coded. */
  readonly contentCodings: ContentCodings;
  /** What rate limits count in, shared by all threads. */
  readonly buckets: TokenBuckets;
  readonly rateLimitCounts: RateLimitCounts;
}

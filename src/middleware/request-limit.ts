import type { LimitKey } from '../config/schema/middleware/rate-limiting.ts';
import { fieldText } from '../http/field-text.ts';
import type { BucketLimit } from '../memory/bucket-limit.ts';
import type { TokenBuckets } from '../memory/token-buckets.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import type { ClientNetworks } from './client-network.ts';
import { type KeyReader, keyReader } from './limit-key.ts';

export interface LimitSettings {
  readonly name: string;
  readonly perSecond: number;
  readonly burst: number;
  readonly key: LimitKey;
  readonly dryRun: boolean;
  readonly prefixBits: number;
}

/** What limits of one entry share. */
export interface LimitContext {
  /** Limits of one scope with the same settings are one limit. */
  readonly scope: string;
  readonly networks: ClientNetworks;
  readonly buckets: TokenBuckets;
}

/** The largest Integer of a structured field (RFC 9651 3.3.1). */
const MAX_INTEGER = 999_999_999_999_999;

/** One limit of a stage. What it knows of a request, from `find` on, holds until it finds the next: nothing waits in between. */
export class RequestLimit {
  readonly dryRun: boolean;
  /** As it stands in RateLimit-Policy. */
  readonly policy: string;
  readonly #name: string;
  readonly #limit: BucketLimit;
  readonly #buckets: TokenBuckets;
  readonly #networks: ClientNetworks;
  readonly #readKey: KeyReader | null;
  #low = 0;
  #high = 0;
  /** What `state` was made of last, and was: clients far from the limit, or over it, are told the same again and again. */
  #lastLeft = -1;
  #lastSeconds = -1;
  #lastState = '';
  /** What `TokenBuckets` said. */
  outcome = 0;

  constructor(settings: LimitSettings, { scope, networks, buckets }: LimitContext) {
    this.dryRun = settings.dryRun;
    this.#name = `"${fieldText(settings.name).replace(/["\\]/g, '\\$&')}"`;
    this.policy = `${this.#name}${policyParameters(settings)}`;
    this.#buckets = buckets;
    this.#networks = networks;
    this.#readKey = keyReader(settings.key);
    this.#limit = buckets.limitOf(identityOf(scope, settings), settings);
  }

  /** Finds out whose request it is. Who has not what is counted by is counted by his address, and never as one who has it. */
  find(exchange: ExchangeContext): void {
    const key = this.#readKey?.(exchange);
    const isSubstitute = this.#readKey !== null && (key === undefined || key === '');
    const hash = isSubstitute ? this.#limit.substituteHash : this.#limit.hash;
    hash.hash(key === undefined || key === '' ? this.#networks.of(exchange.clientAddress) : key);
    this.#low = hash.low;
    this.#high = hash.high;
  }

  /** Whether the request may pass, as far as this limit goes. */
  look(nowMs: number): boolean {
    this.outcome = this.#buckets.look(this.#limit, this.#low, this.#high, nowMs);
    return !this.refuses;
  }

  take(nowMs: number): void {
    this.outcome = this.#buckets.take(this.#limit, this.#low, this.#high, nowMs);
  }

  get refuses(): boolean {
    return this.outcome < 0 && !this.dryRun;
  }

  /** As it stands in RateLimit. */
  get state(): string {
    const left = this.outcome < 0 ? 0 : this.#limit.remainingAt(this.outcome);
    const inMs = left > 0 ? this.outcome : this.#nextInMs();
    const seconds = Math.min(MAX_INTEGER, Math.ceil(inMs / 1000));
    if (left !== this.#lastLeft || seconds !== this.#lastSeconds) {
      this.#lastState = `${this.#name};r=${left};t=${seconds}`;
      this.#lastLeft = left;
      this.#lastSeconds = seconds;
    }
    return this.#lastState;
  }

  /** Until there is a token; the last one was taken just now, or before. */
  #nextInMs(): number {
    return this.outcome < 0 ? -this.outcome : this.outcome + this.#limit.intervalMs - this.#limit.spanMs;
  }
}

/** What has to stay the same for buckets to stay what they are. */
function identityOf(scope: string, { name, perSecond, burst, key, prefixBits }: LimitSettings): string {
  return JSON.stringify([scope, name, perSecond, burst, key, prefixBits]);
}

/** A window in which no more than `q` may pass in the long run, in whole seconds. */
function policyParameters({ perSecond, burst }: LimitSettings): string {
  const seconds = Math.ceil(burst / perSecond);
  if (seconds <= 1) return `;q=${Math.max(burst, Math.floor(perSecond))};w=1`;
  return `;q=${burst};w=${Math.min(MAX_INTEGER, seconds)}`;
}

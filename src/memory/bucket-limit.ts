import { utf8Bytes } from '../base/latin1.ts';
import { SipHash } from './sip-hash.ts';

/**
 * Times of buckets are multiples of this part of a millisecond, about a nanosecond: sums of them are exact in a double for the first
 * 99 days of the gateway, and after ten years the rate of a limit of 100,000 a second is still right to half a percent.
 */
export const QUANTA_PER_MS = 2 ** 20;

/** The longest interval between two requests: more than thirty years. */
const MAX_INTERVAL_MS = 1e12;

/** How fast the buckets of one limit fill, and how much they hold. */
export interface BucketRate {
  readonly perSecond: number;
  /** A whole number, at least 1. */
  readonly burst: number;
}

/**
 * One limit: the size of its buckets, and its way of hashing keys, which is its own, so that one text is another key to every limit.
 * All threads derive the same hashing from the same identity and secret.
 */
export class BucketLimit {
  /** The time in which one token comes. */
  readonly intervalMs: number;
  /** The time in which an empty bucket becomes full. */
  readonly spanMs: number;
  /**
   * For keys of the kind that the limit counts by, and for the substitutes of requests without such a key: a key and a substitute are never
   * the same.
   */
  readonly hash: SipHash;
  readonly substituteHash: SipHash;
  /** Where its overflow buckets lie. */
  readonly seed: number;

  /** `secret`: four words. */
  constructor(secret: Int32Array, identity: string, { perSecond, burst }: BucketRate) {
    const intervalMs = Math.min(1000 / perSecond, MAX_INTERVAL_MS);
    this.intervalMs = Math.max(1, Math.round(intervalMs * QUANTA_PER_MS)) / QUANTA_PER_MS;
    this.spanMs = this.intervalMs * burst;
    const words = derivedWords(secret, utf8Bytes(identity));
    this.hash = new SipHash(words.slice(0, 4));
    this.substituteHash = new SipHash(words.slice(4, 8));
    this.seed = words[8] as number;
  }

  /** The tokens in a bucket that becomes full in `debtMs`. */
  remainingAt(debtMs: number): number {
    return Math.max(0, Math.floor((this.spanMs - debtMs) / this.intervalMs));
  }
}

function derivedWords(secret: Int32Array, identity: string): Int32Array {
  const hash = new SipHash(secret);
  const words = new Int32Array(10);
  for (let at = 0; at < words.length; at += 2) {
    hash.hash(`${at} ${identity}`);
    words[at] = hash.low;
    words[at + 1] = hash.high;
  }
  return words;
}

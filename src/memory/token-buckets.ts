import { randomFillSync } from 'node:crypto';
import { monotonicClock } from '../base/clock.ts';
import { BucketLimit, type BucketRate, QUANTA_PER_MS } from './bucket-limit.ts';

/**
 * Token buckets that all threads share, exact over all of them. A bucket is one number: when it will be full (the "theoretical arrival
 * time" of the generic cell rate algorithm, ITU-T I.371), in milliseconds since the table was made. To take a token is to move that time on
 * by the interval of the limit, with one compare-and-exchange of 64 bits and without a wait.
 *
 *   0       header     int32 | 0 .. 3 secret | 4 overflow uses | 5 .. 7 |   float64 | 4 epoch | 5 .. 7 |
 *   64      overflow   float64 x 4096: buckets of those that found no room
 *           sets       16 buckets each, four cache lines:
 *                      int32    | tag 0 low, high | tag 1 low, high | ... | tag 15 low, high |
 *                      float64  | full 0 | full 1 | ...                               | full 15 |
 *           locks      int32 a set, a multiple of a cache line
 *
 *   one bucket of a set:
 *
 *        take: full > now                      take, or time passes
 *        +------------+                        +-------------+
 *        v            |     time passes        |             v
 *      live ----------+------------------->  full  --lock, CAS--> GIVEN AWAY --tag, then time--> live, of another key
 *
 * Invariants: a bucket goes to another key only when it is full, so that no key loses its debt by the requests of others. Its time only
 * ever grows, over all of its owners, GIVEN AWAY apart; so a compare-and-exchange that succeeds has found the same bucket that was read.
 * The tag is written only between GIVEN AWAY and the new time; so a time that is read before a tag that matches is one of that tag.
 *
 * Buckets are given away under the lock of the set, so that a key never gets two of them. An old lock belongs to a thread that died: it is
 * broken, and buckets that were given away but got no key are free. Where all 16 are live, or a lock is not to be had, the request is
 * counted in an overflow bucket, which a limit shares among the keys of the sets of a 64th of the table.
 */
export type TokenBucketMemory = SharedArrayBuffer;

const WAYS = 16;
const SET_INTS = WAYS * 4;
const LINE_INTS = 16;
const OVERFLOW_BUCKETS = 4096;
const OVERFLOW_USES_AT = 4;
const EPOCH_AT = 4;
const OVERFLOW_AT = LINE_INTS / 2;
const SETS_AT = LINE_INTS + OVERFLOW_BUCKETS * 2;

/** A set is half full with as many live buckets as were asked for: then hardly a key in a thousand finds no room. */
const SLACK = 2;

const GIVEN_AWAY = -1;
const NOWHERE = -1;

/**
 * The age at which a lock was left by a thread that died: one that lives holds it for less than a microsecond, and may lose the processor
 * meanwhile.
 */
const DEAD_LOCK_MS = 250;
/** How often a thread tries to get a lock before it sleeps in between, and how often in all. */
const LOCK_SPINS = 200;
const LOCK_TRIES = 2000;
const LOCK_SLEEP_MS = 0.5;

/** `maxKeys`: how many live buckets it has room for. `nowMs`: of the monotonic clock. */
export function createTokenBuckets(maxKeys: number, nowMs: number): TokenBucketMemory {
  const sets = Math.max(1, Math.ceil((maxKeys * SLACK) / WAYS));
  const ints = SETS_AT + sets * SET_INTS + Math.ceil(sets / LINE_INTS) * LINE_INTS;
  const memory = new SharedArrayBuffer(ints * Int32Array.BYTES_PER_ELEMENT);
  randomFillSync(new Int32Array(memory, 0, 4));
  new Float64Array(memory)[EPOCH_AT] = nowMs;
  return memory;
}

/** One thread's view of the buckets. */
export class TokenBuckets {
  readonly #ints: Int32Array;
  readonly #bits: BigInt64Array;
  readonly #epochMs: number;
  readonly #sets: number;
  readonly #locksAt: number;
  /** Turns a time into its bits and back. */
  readonly #float = new Float64Array(1);
  readonly #floatBits = new BigInt64Array(this.#float.buffer);

  constructor(memory: TokenBucketMemory) {
    this.#ints = new Int32Array(memory);
    this.#bits = new BigInt64Array(memory);
    this.#epochMs = new Float64Array(memory)[EPOCH_AT] as number;
    // There is one lock a set: rounding them up adds less than a set.
    this.#sets = Math.floor((this.#ints.length - SETS_AT) / (SET_INTS + 1));
    this.#locksAt = SETS_AT + this.#sets * SET_INTS;
  }

  /** How many live buckets `createTokenBuckets` was asked to have room for, at least. */
  get maxKeys(): number {
    return Math.floor((this.#sets * WAYS) / SLACK);
  }

  /** How often a request was counted in an overflow bucket. */
  get overflowUses(): number {
    return Atomics.load(this.#ints, OVERFLOW_USES_AT) >>> 0;
  }

  /** The limit of this identity: the same in all threads, and over changes of the configuration. */
  limitOf(identity: string, rate: BucketRate): BucketLimit {
    return new BucketLimit(this.#ints.subarray(0, 4), identity, rate);
  }

  /**
   * Takes a token from the bucket of the key whose hash is `low` and `high`. Above 0: taken, and the bucket will be full in so many
   * milliseconds. Below 0: there is none, and the next comes in so many milliseconds, without the sign.
   */
  take(limit: BucketLimit, low: number, high: number, nowMs: number): number {
    const now = this.#timeOf(nowMs);
    const set = (high >>> 0) % this.#sets;
    for (;;) {
      const way = this.#wayOf(set, low, high);
      const outcome =
        way === NOWHERE ? this.#takeFirst(limit, set, low, high, now) : this.#takeAt(limit, set, way, low, high, now);
      if (outcome !== 0) return outcome;
    }
  }

  /** The result that `take` would have, without taking a token. */
  look(limit: BucketLimit, low: number, high: number, nowMs: number): number {
    const now = this.#timeOf(nowMs);
    const set = (high >>> 0) % this.#sets;
    const way = this.#wayOf(set, low, high);
    const fullAt = way === NOWHERE ? GIVEN_AWAY : this.#timeAt(timeIndex(set, way));
    if (way !== NOWHERE && fullAt !== GIVEN_AWAY && this.#isOf(set, way, low, high)) return judge(limit, fullAt, now);
    return this.#hasRoom(set, now) ? limit.intervalMs : judge(limit, this.#timeAt(overflowIndex(limit, set)), now);
  }

  /** Puts the buckets of another table that are not full in here, for the keys that have none here. For one thread, before others use it. */
  adopt(other: TokenBuckets, nowMs: number): void {
    this.#ints.set(other.#ints.subarray(0, 4));
    for (let set = 0; set < other.#sets; set++) {
      for (let way = 0; way < WAYS; way++) this.#adoptOne(other, set, way, nowMs);
    }
  }

  /** Makes all buckets full. For a table that no other thread uses. */
  refill(): void {
    this.#ints.fill(0, LINE_INTS);
  }

  #adoptOne(other: TokenBuckets, set: number, way: number, nowMs: number): void {
    const fullAt = other.#timeAt(timeIndex(set, way));
    if (fullAt <= other.#timeOf(nowMs)) return;
    const tag = tagIndex(set, way);
    const low = other.#ints[tag] as number;
    const high = other.#ints[tag + 1] as number;
    this.#place((high >>> 0) % this.#sets, low, high, fullAt + other.#epochMs - this.#epochMs, this.#timeOf(nowMs));
  }

  /** In milliseconds since the table was made, in whole quanta. */
  #timeOf(nowMs: number): number {
    return Math.max(0, Math.floor((nowMs - this.#epochMs) * QUANTA_PER_MS) / QUANTA_PER_MS);
  }

  #wayOf(set: number, low: number, high: number): number {
    const ints = this.#ints;
    const first = tagIndex(set, 0);
    for (let way = 0; way < WAYS; way++) {
      if (ints[first + 2 * way] === low && ints[first + 2 * way + 1] === high) return way;
    }
    return NOWHERE;
  }

  #isOf(set: number, way: number, low: number, high: number): boolean {
    const tag = tagIndex(set, way);
    return Atomics.load(this.#ints, tag) === low && Atomics.load(this.#ints, tag + 1) === high;
  }

  #timeAt(index: number): number {
    this.#floatBits[0] = Atomics.load(this.#bits, index);
    return this.#float[0] as number;
  }

  #exchange(index: number, from: bigint, to: number): boolean {
    this.#float[0] = to;
    return Atomics.compareExchange(this.#bits, index, from, this.#floatBits[0] as bigint) === from;
  }

  /** 0: the bucket belongs to another key by now, or another thread was faster: look again. */
  #takeAt(limit: BucketLimit, set: number, way: number, low: number, high: number, now: number): number {
    const index = timeIndex(set, way);
    const bits = Atomics.load(this.#bits, index);
    this.#floatBits[0] = bits;
    const fullAt = this.#float[0] as number;
    if (fullAt === GIVEN_AWAY) return this.#takeFirst(limit, set, low, high, now);
    if (!this.#isOf(set, way, low, high)) return 0;
    const outcome = judge(limit, fullAt, now);
    return outcome < 0 || this.#exchange(index, bits, now + outcome) ? outcome : 0;
  }

  /** The key has no bucket: it gets one, of which the first token is taken. 0: it has one by now. */
  #takeFirst(limit: BucketLimit, set: number, low: number, high: number, now: number): number {
    const stamp = this.#lock(set);
    if (stamp === 0) return this.#takeOverflow(limit, set, now);
    try {
      const way = this.#wayOf(set, low, high);
      if (way !== NOWHERE && this.#timeAt(timeIndex(set, way)) !== GIVEN_AWAY) return 0;
      if (this.#place(set, low, high, now + limit.intervalMs, now)) return limit.intervalMs;
    } finally {
      Atomics.compareExchange(this.#ints, this.#locksAt + set, stamp, 0);
    }
    return this.#takeOverflow(limit, set, now);
  }

  /** Gives a bucket that is full to a key. This thread has the lock: a bucket that was given away before got no key. */
  #place(set: number, low: number, high: number, fullAt: number, now: number): boolean {
    for (let way = 0; way < WAYS; way++) {
      const index = timeIndex(set, way);
      const bits = Atomics.load(this.#bits, index);
      this.#floatBits[0] = bits;
      if ((this.#float[0] as number) > now || !this.#exchange(index, bits, GIVEN_AWAY)) continue;
      const tag = tagIndex(set, way);
      Atomics.store(this.#ints, tag, low);
      Atomics.store(this.#ints, tag + 1, high);
      this.#float[0] = fullAt;
      Atomics.store(this.#bits, index, this.#floatBits[0] as bigint);
      return true;
    }
    return false;
  }

  #hasRoom(set: number, now: number): boolean {
    for (let way = 0; way < WAYS; way++) if (this.#timeAt(timeIndex(set, way)) <= now) return true;
    return false;
  }

  #takeOverflow(limit: BucketLimit, set: number, now: number): number {
    Atomics.add(this.#ints, OVERFLOW_USES_AT, 1);
    const index = overflowIndex(limit, set);
    for (;;) {
      const bits = Atomics.load(this.#bits, index);
      this.#floatBits[0] = bits;
      const outcome = judge(limit, this.#float[0] as number, now);
      if (outcome < 0 || this.#exchange(index, bits, now + outcome)) return outcome;
    }
  }

  /** The stamp of the lock, or 0 if the thread could not get it in time. */
  #lock(set: number): number {
    const at = this.#locksAt + set;
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const stamp = stampNow();
      const holder = Atomics.compareExchange(this.#ints, at, 0, stamp);
      if (holder === 0) return stamp;
      const isDead = ((stamp - holder) & STAMP_BITS) > DEAD_LOCK_MS && ((holder - stamp) & STAMP_BITS) > DEAD_LOCK_MS;
      if (isDead && Atomics.compareExchange(this.#ints, at, holder, stamp) === holder) return stamp;
      // The thread that holds the lock has lost the processor: a sleep lets it run.
      if (tries >= LOCK_SPINS) Atomics.wait(this.#ints, at, holder, LOCK_SLEEP_MS);
    }
    return 0;
  }
}

const STAMP_BITS = 0x7fffffff;

/**
 * Milliseconds in 31 bits, of which only differences count; never 0, which means no lock. It is not the time of the event, since a long
 * event must not make a lock look old.
 */
const stampNow = (): number => (Math.floor(monotonicClock.nowMs()) & STAMP_BITS) | 1;

/** Above 0: the time until the bucket is full, with one token less. Below 0: the time until there is a token, without the sign. */
function judge({ intervalMs, spanMs }: BucketLimit, fullAt: number, now: number): number {
  const debtMs = (fullAt > now ? fullAt - now : 0) + intervalMs;
  return debtMs > spanMs ? spanMs - debtMs : debtMs;
}

const tagIndex = (set: number, way: number): number => SETS_AT + set * SET_INTS + way * 2;
const timeIndex = (set: number, way: number): number => (SETS_AT + set * SET_INTS) / 2 + WAYS + way;

/** 64 buckets for each limit, scattered, so that two limits hardly ever share one. */
function overflowIndex({ seed }: BucketLimit, set: number): number {
  return OVERFLOW_AT + (Math.imul(seed + (set & 63), 0x9e3779b1) >>> 20);
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicClock } from '../../src/base/clock.ts';
import type { BucketLimit } from '../../src/memory/bucket-limit.ts';
import { createTokenBuckets, type TokenBucketMemory, TokenBuckets } from '../../src/memory/token-buckets.ts';
import type { TakingReport, TakingTask } from './taking-thread.ts';

const DAY_MS = 86_400_000;

function take(buckets: TokenBuckets, limit: BucketLimit, key: string, nowMs: number): number {
  limit.hash.hash(key);
  return buckets.take(limit, limit.hash.low, limit.hash.high, nowMs);
}

/** Takes until there is none left; returns how many there were. */
function drain(buckets: TokenBuckets, limit: BucketLimit, key: string, nowMs: number): number {
  let taken = 0;
  while (take(buckets, limit, key, nowMs) > 0) taken++;
  return taken;
}

const tableOf = (maxKeys: number): TokenBuckets => new TokenBuckets(createTokenBuckets(maxKeys, 0));

describe('a bucket', () => {
  test('holds the burst, and fills at the rate', () => {
    const buckets = tableOf(64);
    const limit = buckets.limitOf('it', { perSecond: 10, burst: 5 });
    assert.equal(drain(buckets, limit, 'a', 0), 5);
    assert.equal(drain(buckets, limit, 'a', 99), 0);
    assert.equal(drain(buckets, limit, 'a', 100), 1);
    assert.equal(drain(buckets, limit, 'a', 350), 2);
    assert.equal(drain(buckets, limit, 'a', 60_000), 5, 'no more than the burst gathers');
  });

  test('of one key is not that of another, nor that of the same key of another limit', () => {
    const buckets = tableOf(64);
    const rate = { perSecond: 1, burst: 2 };
    const [one, other] = [buckets.limitOf('one', rate), buckets.limitOf('other', rate)];
    assert.equal(drain(buckets, one, 'a', 0), 2);
    assert.equal(drain(buckets, one, 'b', 0), 2);
    assert.equal(drain(buckets, other, 'a', 0), 2);
    assert.equal(drain(buckets, buckets.limitOf('one', rate), 'a', 0), 0, 'the same limit, made again');
  });

  test('of the key of a kind is not that of the same text as a substitute', () => {
    const buckets = tableOf(64);
    const limit = buckets.limitOf('one', { perSecond: 1, burst: 2 });
    assert.equal(drain(buckets, limit, '10.0.0.1', 0), 2);
    limit.substituteHash.hash('10.0.0.1');
    assert.ok(buckets.take(limit, limit.substituteHash.low, limit.substituteHash.high, 0) > 0);
  });

  test('stays as empty as it is when one only looks', () => {
    const buckets = tableOf(64);
    const limit = buckets.limitOf('it', { perSecond: 1, burst: 1 });
    limit.hash.hash('a');
    const { low, high } = limit.hash;
    for (let n = 0; n < 3; n++) assert.equal(buckets.look(limit, low, high, 0), 1000);
    assert.equal(buckets.take(limit, low, high, 0), 1000);
    assert.equal(buckets.look(limit, low, high, 250), -750);
  });

  test('is not filled by a clock that goes back, and is full after a jump', () => {
    const buckets = tableOf(64);
    const limit = buckets.limitOf('it', { perSecond: 1, burst: 3 });
    assert.equal(drain(buckets, limit, 'a', 50_000), 3);
    assert.equal(drain(buckets, limit, 'a', 10_000), 0);
    assert.equal(drain(buckets, limit, 'a', -5), 0);
    assert.equal(drain(buckets, limit, 'a', 51_000), 1);
    assert.equal(drain(buckets, limit, 'a', 51_000 + 400 * DAY_MS), 3);
  });

  for (const { days, perSecond, off } of [
    { days: 25, perSecond: 100_000, off: 0.0001 },
    { days: 99, perSecond: 10_000_000, off: 0.005 },
    { days: 366, perSecond: 1_000_000, off: 0.005 },
    { days: 3660, perSecond: 100_000, off: 0.005 },
    { days: 3660, perSecond: 0.1, off: 0 },
  ]) {
    test(`of ${perSecond} a second is right after ${days} days`, () => {
      const buckets = tableOf(64);
      const burst = 10;
      const limit = buckets.limitOf('it', { perSecond, burst });
      const stepMs = 5000 / perSecond;
      let taken = 0;
      for (let n = 0; n < 2000; n++) taken += drain(buckets, limit, 'a', days * DAY_MS + n * stepMs);
      const due = burst + 1999 * 5;
      assert.ok(Math.abs(taken - due) <= due * off + 1, `${taken} of ${due}`);
    });
  }

  test('of a limit without measure tells a time to wait that is a number', () => {
    const buckets = tableOf(64);
    const limit = buckets.limitOf('it', { perSecond: Number.MIN_VALUE, burst: 1_000_000_000 });
    assert.ok(take(buckets, limit, 'a', 5) > 0);
    const never = buckets.limitOf('never', { perSecond: Number.MIN_VALUE, burst: 1 });
    assert.equal(drain(buckets, never, 'a', 5), 1);
    assert.ok(Number.isFinite(take(buckets, never, 'a', 5)));
  });
});

describe('a table', () => {
  test('gives a bucket that is not full to nobody, however many other keys come', () => {
    const buckets = tableOf(1024);
    const limit = buckets.limitOf('it', { perSecond: 0.1, burst: 3 });
    const victims = Array.from({ length: 200 }, (_none, index) => `victim ${index}`);
    for (const victim of victims) assert.equal(drain(buckets, limit, victim, 0), 3);
    for (let n = 0; n < 200_000; n++) take(buckets, limit, `spray ${n}`, 1 + n / 1000);
    for (const victim of victims) assert.ok(take(buckets, limit, victim, 300) < 0, victim);
    assert.ok(buckets.overflowUses > 190_000);
  });

  test('gives buckets that are full to new keys, so that a million keys need no more memory', () => {
    const memory = createTokenBuckets(1024, 0);
    const buckets = new TokenBuckets(memory);
    const limit = buckets.limitOf('it', { perSecond: 1000, burst: 2 });
    // A thousand keys a second: each bucket is full again after a millisecond.
    for (let n = 0; n < 1_000_000; n++) assert.ok(take(buckets, limit, String(n), n) > 0);
    assert.equal(buckets.overflowUses, 0);
    assert.equal(memory.byteLength, createTokenBuckets(1024, 0).byteLength);
    assert.ok(memory.byteLength < 1024 * 40 + 40_000, `${memory.byteLength} bytes`);
  });

  test('has room for as many keys as it was made for, but for some in a thousand', () => {
    const buckets = tableOf(20_000);
    const limit = buckets.limitOf('it', { perSecond: 0.1, burst: 2 });
    for (let n = 0; n < 20_000; n++) take(buckets, limit, String(n), 0);
    assert.ok(buckets.overflowUses < 100, `${buckets.overflowUses} of 20000 found no room`);
  });

  test('counts what finds no room together: what overflows is limited too', () => {
    const buckets = tableOf(8);
    const limit = buckets.limitOf('it', { perSecond: 0.1, burst: 5 });
    for (let n = 0; n < 16; n++) assert.equal(drain(buckets, limit, `live ${n}`, 0), 5);
    const late = Array.from({ length: 1000 }, (_none, index) => take(buckets, limit, `late ${index}`, 0) > 0);
    assert.equal(late.filter((passed) => passed).length, 5);
    limit.hash.hash('later');
    assert.ok(buckets.look(limit, limit.hash.low, limit.hash.high, 0) < 0, 'looking sees it too');
    assert.ok(take(buckets, limit, 'later', 10_000) > 0, 'a token has come');
  });

  test('hashes with a secret of its own: the same keys lie elsewhere in every other', () => {
    const words = [1, 2].map(() => {
      const limit = tableOf(64).limitOf('it', { perSecond: 1, burst: 1 });
      limit.hash.hash('a');
      return `${limit.hash.low} ${limit.hash.high}`;
    });
    assert.notEqual(words[0], words[1]);
  });

  test('is full after a refill, with the same secret and the same time', () => {
    const memory = createTokenBuckets(64, 5000);
    const words = new Int32Array(memory).slice(0, 16);
    const buckets = new TokenBuckets(memory);
    const limit = buckets.limitOf('it', { perSecond: 1, burst: 3 });
    assert.deepEqual([drain(buckets, limit, 'a', 5000), drain(buckets, limit, 'a', 5000)], [3, 0]);
    buckets.refill();
    assert.deepEqual([...new Int32Array(memory).slice(0, 16)], [...words]);
    assert.equal(drain(buckets, limit, 'a', 5000), 3);
  });

  test('lets one limit that overflows take nothing from another one', () => {
    const buckets = new TokenBuckets(createTokenBuckets(1, 0));
    const rate = { perSecond: 0.001, burst: 2 };
    const [one, other] = [buckets.limitOf('one', rate), buckets.limitOf('other', rate)];
    for (let n = 0; n < 40; n++) drain(buckets, one, `key ${n}`, 0);
    assert.ok(buckets.overflowUses > 0);
    assert.equal(drain(buckets, one, 'late', 0), 0);
    // Two limits share a bucket once in 4096 times.
    const others = Array.from({ length: 5 }, (_none, n) => buckets.limitOf(`other ${n}`, rate));
    const got = [other, ...others].map((each) => drain(buckets, each, 'late', 0));
    assert.ok(got.filter((taken) => taken === 2).length >= 5, got.join(' '));
  });

  test('goes on in a larger one: what is not full is as it was', () => {
    const small = new TokenBuckets(createTokenBuckets(64, 5000));
    const rate = { perSecond: 1, burst: 10 };
    const limit = small.limitOf('it', rate);
    const keys = Array.from({ length: 40 }, (_none, index) => `key ${index}`);
    keys.forEach((key, index) => {
      for (let n = 0; n < index % 11; n++) take(small, limit, key, 6000);
    });
    const large = new TokenBuckets(createTokenBuckets(4096, 7000));
    large.adopt(small, 7000);
    const same = large.limitOf('it', rate);
    keys.forEach((key, index) => {
      assert.equal(drain(large, same, key, 7000), Math.min(10, 10 - (index % 11) + 1), key);
    });
  });
});

describe('a bucket that was given away to nobody', () => {
  /** As a thread leaves it that dies at the worst moment: the lock of the only set is held, and a bucket given away. */
  function halfDone(): { buckets: TokenBuckets; memory: TokenBucketMemory } {
    const memory = createTokenBuckets(8, 0);
    const ints = new Int32Array(memory);
    ints[ints.length - 16] = ((Math.floor(monotonicClock.nowMs()) - 5000) & 0x7fffffff) | 1;
    new Float64Array(memory)[(16 + 8192) / 2 + 16] = -1;
    return { buckets: new TokenBuckets(memory), memory };
  }

  test('is free again, and the lock that was left is broken', () => {
    const { buckets } = halfDone();
    const limit = buckets.limitOf('it', { perSecond: 1, burst: 3 });
    for (let n = 0; n < 16; n++) assert.equal(drain(buckets, limit, `key ${n}`, 0), 3);
    assert.equal(buckets.overflowUses, 0);
  });

  for (const { aheadMs, why } of [
    { aheadMs: 0, why: 'it was taken just now' },
    { aheadMs: 20, why: 'its clock is a little ahead' },
  ]) {
    test(`is waited for as long as who holds the lock may have lost the processor only: ${why}`, () => {
      const { buckets, memory } = halfDone();
      const ints = new Int32Array(memory);
      ints[ints.length - 16] = (Math.floor(monotonicClock.nowMs() + aheadMs) & 0x7fffffff) | 1;
      const limit = buckets.limitOf('it', { perSecond: 1, burst: 3 });
      const startedMs = monotonicClock.nowMs();
      assert.equal(drain(buckets, limit, 'a', 0), 3);
      assert.equal(buckets.overflowUses, 0);
      assert.ok(monotonicClock.nowMs() - startedMs > 200, 'the lock was not broken at once');
    });
  }
});

/** How many tokens the threads got of each key, and how long it took from the first to the last turn of any. */
async function takeInThreads(threads: number, task: Omit<TakingTask, 'gate'>) {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  gate[0] = threads;
  const reports = await Promise.all(
    Array.from({ length: threads }, async () => {
      const workerData: TakingTask = { ...task, gate };
      const worker = new Worker(new URL('./taking-thread.ts', import.meta.url), { workerData });
      const exited = once(worker, 'exit');
      const [report] = (await once(worker, 'message')) as [TakingReport];
      await exited;
      return report;
    }),
  );
  const taken = task.keys.map((_key, at) => reports.reduce((sum, each) => sum + (each.taken[at] as number), 0));
  const begin = Math.min(...reports.map(({ firstMs }) => firstMs));
  return {
    taken,
    lastedMs: Math.max(...reports.map(({ lastMs }) => lastMs)) - begin,
    longestMs: Math.max(...reports.map(({ longestMs }) => longestMs)),
  };
}

/**
 * The same, as often as it takes for no thread to lose the processor for too long: a lock that its thread holds for a
 * quarter of a second counts as left by a dead one, and a bucket that nobody takes from for a second is full.
 */
async function takeUndisturbed(threads: number, maxAwayMs: number, task: () => Omit<TakingTask, 'gate'>) {
  for (;;) {
    const round = await takeInThreads(threads, task());
    if (round.longestMs < maxAwayMs) return round;
  }
}

describe('threads that take from one bucket', () => {
  for (const threads of [2, 3, 4]) {
    test(`get exactly what it holds, ${threads} of them at one moment`, async () => {
      const rate = { perSecond: 0.1, burst: 50_000 };
      for (let round = 0; round < 3; round++) {
        const task = { memory: createTokenBuckets(64, 0), rate, keys: ['one'], forMs: null, turns: 60_000 };
        assert.deepEqual((await takeInThreads(threads, task)).taken, [50_000]);
      }
    });
  }

  test('get exactly what many new ones hold, for each key is given one bucket', async () => {
    let memory = createTokenBuckets(4096, 0);
    const keys = Array.from({ length: 2000 }, (_none, index) => `key ${index}`);
    const { taken } = await takeUndisturbed(3, 200, () => {
      memory = createTokenBuckets(4096, 0);
      return { memory, rate: { perSecond: 0.1, burst: 2 }, keys, forMs: null, turns: 3 * keys.length };
    });
    assert.equal(new TokenBuckets(memory).overflowUses, 0);
    assert.deepEqual(
      taken,
      keys.map(() => 2),
    );
  });

  test('pass burst and rate together, by the clock', async () => {
    const rate = { perSecond: 1000, burst: 1000 };
    const task = () => ({
      ...{ memory: createTokenBuckets(64, monotonicClock.nowMs()), rate, keys: ['one'] },
      ...{ forMs: 2000, turns: 0 },
    });
    const { taken, lastedMs } = await takeUndisturbed(2, 500, task);
    const due = 1000 + lastedMs;
    assert.ok((taken[0] as number) <= due + 1, `${taken} of ${due} passed`);
    assert.ok((taken[0] as number) >= due * 0.995, `${taken} of ${due} passed`);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { QUANTA_PER_MS } from '../../src/memory/bucket-limit.ts';
import { createTokenBuckets, TokenBuckets } from '../../src/memory/token-buckets.ts';
import { ReferenceBucket } from './reference-bucket.ts';

const rates = fc.oneof(
  fc.constantFrom(0.1, 1, 3, 7, 300, 1000, 100_000, 10_000_000),
  fc.double({ min: 0.01, max: 10_000_000, noNaN: true }),
);

/** Gaps between requests as parts of the interval: none, tiny, about one, many. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true }), fc.nat(50)), {
  minLength: 1,
  maxLength: 60,
});

/** How long the gateway has been up: a moment, three weeks, 99 days. */
const uptimesMs = fc.constantFrom(0, 21 * 86_400_000, 90 * 86_400_000);

test('a bucket decides and tells the time to wait exactly as the token bucket of the textbooks', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 20 }), gaps, uptimesMs, (perSecond, burst, steps, uptimeMs) => {
      const buckets = new TokenBuckets(createTokenBuckets(64, 0));
      const limit = buckets.limitOf('it', { perSecond, burst });
      const model = new ReferenceBucket(BigInt(limit.intervalMs * QUANTA_PER_MS), BigInt(burst));
      let quanta = BigInt(uptimeMs) * BigInt(QUANTA_PER_MS);
      for (const step of steps) {
        quanta += BigInt(Math.floor(step * limit.intervalMs * QUANTA_PER_MS));
        const outcome = buckets.take(limit, 1, 2, Number(quanta) / QUANTA_PER_MS);
        const waitQuanta = model.take(quanta);
        assert.equal(outcome > 0 ? 0n : BigInt(-outcome * QUANTA_PER_MS), waitQuanta);
      }
    }),
    { numRuns: 2000 },
  );
});

test('in no window does more than the burst and the rate pass, and at most half a percent less where ten million a second may pass', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 20 }), gaps, (perSecond, burst, steps) => {
      const buckets = new TokenBuckets(createTokenBuckets(64, 0));
      const limit = buckets.limitOf('it', { perSecond, burst });
      assert.ok(Math.abs((limit.intervalMs * perSecond) / 1000 - 1) <= (perSecond / 10_000_000) * 0.005 + 1e-12);
      const passed: number[] = [];
      let nowMs = 0;
      for (const step of steps) {
        nowMs += step * limit.intervalMs;
        if (buckets.take(limit, 1, 2, nowMs) > 0) passed.push(nowMs);
      }
      for (const [from, start] of passed.entries()) {
        for (const [to, end] of passed.entries()) {
          const most = burst + (end - start + 1 / QUANTA_PER_MS) / limit.intervalMs;
          if (to >= from) assert.ok(to - from + 1 <= most, `${to - from + 1} of ${most}`);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('who waits exactly as long as he was told passes, if nobody else was there', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 20 }), uptimesMs, (perSecond, burst, uptimeMs) => {
      const buckets = new TokenBuckets(createTokenBuckets(64, 0));
      const limit = buckets.limitOf('it', { perSecond, burst });
      const nowMs = uptimeMs + 1.25;
      for (let n = 0; n < burst; n++) assert.ok(buckets.take(limit, 1, 2, nowMs) > 0);
      const waitMs = -buckets.take(limit, 1, 2, nowMs);
      assert.ok(waitMs > 0);
      assert.ok(buckets.take(limit, 1, 2, nowMs + waitMs - 2 / QUANTA_PER_MS) < 0, 'who waits less does not pass');
      assert.ok(buckets.take(limit, 1, 2, nowMs + waitMs + 1 / QUANTA_PER_MS) > 0, 'to the nanosecond');
    }),
  );
});

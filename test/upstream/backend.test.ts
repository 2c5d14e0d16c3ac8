import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpstreamConfig } from '../../src/config/config.ts';
import { PHASE, phaseOf } from '../../src/memory/breaker-word.ts';
import { createSharedMemory, SharedCursor } from '../../src/memory/shared-memory.ts';
import { STATUS } from '../../src/memory/upstream-state.ts';
import { Backend, type EjectionPolicy, type OverloadPolicy } from '../../src/upstream/backend.ts';
import type { BalancedRequest } from '../../src/upstream/balancing/balancer.ts';
import { RoundRobin } from '../../src/upstream/balancing/round-robin.ts';
import { CircuitBreaker } from '../../src/upstream/circuit-breaker.ts';
import { RequestQueue } from '../../src/upstream/request-queue.ts';
import { RetryBudget } from '../../src/upstream/retry-budget.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { sceneConfig, sceneContext } from '../contract/scene.ts';
import { MemoryNet } from '../net/memory-connection.ts';
import { Random } from '../support/random.ts';
import { type BreakerSettings, SETTINGS } from './breaker-scene.ts';

const REQUEST: BalancedRequest = {
  clientAddress: '192.0.2.7',
  path: '/',
  headerValue: () => undefined,
  keyValue: () => undefined,
};
const [anUpstream = assert.fail()] = sceneConfig().backends[0]?.upstreams ?? [];
const START_MS = 1_000_000;
/** What a pick is where nobody has room. */
const FULL = -1;

/** No request waits or is retried here. */
const memory = createSharedMemory({ backends: [{ upstreams: [] }] }, 1);
const slot = { memory, number: 0 };
const OVERLOAD_POLICY: OverloadPolicy = {
  queue: new RequestQueue(new MemoryNet().io, [], { size: 0, timeoutMs: 1000 }, slot, 0),
  retryBudget: new RetryBudget({ share: 0, minPerSecond: 0 }, slot),
  retryBackoff: { initialMs: 1, maxMs: 1 },
};

interface BenchOptions extends Partial<Omit<EjectionPolicy, 'breaker'>> {
  readonly breaker?: Partial<BreakerSettings> | null;
  readonly upstreams?: readonly Partial<UpstreamConfig>[];
}

/** A backend of some upstreams as one worker has it; time stands until the test sets it. */
class Bench {
  readonly time = { eventMs: START_MS };
  readonly backend: Backend;
  readonly breaker: CircuitBreaker | null;

  constructor({ breaker = {}, upstreams = [{}, {}, {}], ...policy }: BenchOptions = {}) {
    const shared = createSharedMemory({ backends: [{ upstreams }] }, 2);
    const context = sceneContext(new MemoryNet(), shared);
    const made = upstreams.map(
      (settings, number) =>
        new Upstream({ ...anUpstream, address: `192.0.2.1:${number}`, ...settings }, context, {
          slot: { memory: shared, number },
          backend: { memory: shared, number: 0 },
          row: 0,
        }),
    );
    const breakerContext = { backend: 'origin', log: context.log, time: this.time };
    this.breaker = breaker === null ? null : new CircuitBreaker({ ...SETTINGS, ...breaker }, breakerContext);
    const random = new Random(7);
    this.backend = new Backend(
      'origin',
      made,
      new RoundRobin(made, new SharedCursor({ memory: shared, number: 0 })),
      {
        ...{ breaker: this.breaker, panicThreshold: 0, slowStartMs: null, checkIntervalMs: 10_000, time: this.time },
        random: () => random.below(1_000_000) / 1_000_000,
        ...policy,
      },
      OVERLOAD_POLICY,
    );
  }

  at(number: number): Upstream {
    return this.backend.upstreams[number] ?? assert.fail();
  }

  trip(...numbers: number[]): void {
    for (const number of numbers) {
      for (let failure = 0; failure < 5; failure++) this.breaker?.failed(this.at(number), 0, 'upstream_reset');
      assert.equal(phaseOf(this.at(number).breaker.word), PHASE.OPEN);
    }
  }

  fall(...numbers: number[]): void {
    for (const number of numbers) this.at(number).state.setHealthy(false, this.time.eventMs);
  }

  pick(attempted: readonly Upstream[] = []): number {
    const upstream = this.backend.pick(REQUEST, attempted);
    return upstream === null ? FULL : this.backend.upstreams.indexOf(upstream);
  }

  /** How often each upstream was picked. */
  picks(times: number): readonly number[] {
    const counts = this.backend.upstreams.map(() => 0);
    for (let time = 0; time < times; time++) {
      const picked = this.pick();
      counts[picked] = (counts[picked] ?? 0) + 1;
      // The caller of a pick begins an attempt there.
      this.breaker?.abandoned(this.at(picked), this.at(picked).takeClaim());
    }
    return counts;
  }

  refusal(): string {
    try {
      const picked = this.pick();
      return picked === FULL ? 'full' : `picked ${picked}`;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
}

describe('a pick', () => {
  test('leaves out what is not well, as the checks or the breaker say', () => {
    const bench = new Bench();
    bench.trip(0);
    bench.fall(2);
    assert.deepEqual(bench.picks(30), [0, 30, 0]);
  });

  test('does not mind a breaker that is switched off, whatever it was before', () => {
    const bench = new Bench();
    bench.trip(0, 1, 2);
    const without = new Backend(
      'origin',
      bench.backend.upstreams,
      { pick: (_request, may) => bench.backend.upstreams.find(may) ?? null },
      {
        ...{ breaker: null, panicThreshold: 0, slowStartMs: null, checkIntervalMs: 1, time: bench.time },
        random: Math.random,
      },
      OVERLOAD_POLICY,
    );
    assert.equal(without.pick(REQUEST), bench.at(0));
  });

  test('gets the probe of an upstream whose time has come, and the others while another worker has it', () => {
    const bench = new Bench();
    bench.trip(0);
    bench.time.eventMs += 60_000;
    const picks = Array.from({ length: 6 }, () => bench.pick());
    assert.deepEqual(
      picks.filter((picked) => picked === 0),
      [0],
    );
    assert.ok(bench.at(0).takeClaim() > 0);
    assert.equal(bench.at(0).takeClaim(), 0, 'one attempt has the claim');
  });

  test('after a failure is no probe while one that is well was not tried, and is one before those that were', () => {
    const bench = new Bench();
    bench.trip(0, 1);
    bench.time.eventMs += 60_000;
    for (let time = 0; time < 6; time++) assert.equal(bench.pick([bench.at(0)]), 2);
    assert.equal(bench.pick([bench.at(0), bench.at(2)]), 1);
    assert.ok(bench.at(1).takeClaim() > 0);
  });

  test('goes on with the others when the claim is lost at the last moment', () => {
    const bench = new Bench();
    bench.trip(0, 1);
    bench.time.eventMs += 60_000;
    bench.at(0).claimProbe = () => false;
    const picks = new Set(Array.from({ length: 9 }, () => bench.pick()));
    assert.deepEqual([...picks].sort(), [1, 2]);
    bench.at(1).claimProbe = () => false;
    bench.fall(2);
    assert.equal(bench.refusal(), 'no_upstream');
  });

  test('says whether all are ill or the well ones full', () => {
    const bench = new Bench({ upstreams: [{ maxConnections: 0 }, { maxConnections: 0 }, { weight: 0 }] });
    bench.trip(0);
    assert.equal(bench.refusal(), 'full');
    bench.fall(1);
    assert.equal(bench.refusal(), 'no_upstream');
  });
});

describe('a panic', () => {
  for (const { panicThreshold, ill, panics, why } of [
    { panicThreshold: 0.5, ill: 1, panics: false, why: 'three of four are enough' },
    { panicThreshold: 0.5, ill: 2, panics: false, why: 'the threshold itself is enough' },
    { panicThreshold: 0.5, ill: 3, panics: true, why: 'below it all are taken for well' },
    { panicThreshold: 0, ill: 3, panics: false, why: 'without a threshold never' },
    { panicThreshold: 1, ill: 1, panics: true, why: 'at one all have to be well' },
  ]) {
    test(`${panics ? 'reigns' : 'does not'} with ${ill} of 4 ill at ${panicThreshold}: ${why}`, () => {
      const bench = new Bench({ panicThreshold, upstreams: [{}, {}, {}, {}, { weight: 0 }] });
      const numbers = Array.from({ length: ill }, (_none, number) => number);
      bench.trip(...numbers.slice(0, 1));
      bench.fall(...numbers.slice(1));
      const counts = bench.picks(32);
      assert.deepEqual(
        counts.map((count) => count > 0),
        [0, 1, 2, 3, 4].map((number) => number < 4 && (panics || number >= ill)),
        `${counts}`,
      );
      if (panics) assert.deepEqual(counts.slice(0, 4), [8, 8, 8, 8]);
    });
  }

  test('begins and ends with the pick that sees it', () => {
    const bench = new Bench({ panicThreshold: 0.5 });
    bench.trip(0);
    assert.equal(bench.picks(9)[0], 0);
    bench.fall(1, 2);
    assert.deepEqual(bench.picks(9), [3, 3, 3]);
    for (const number of [1, 2]) bench.at(number).state.setHealthy(true, bench.time.eventMs);
    assert.equal(bench.picks(9)[0], 0);
  });

  test('sends requests to an open breaker that are no probes, and the probe when its time has come', () => {
    const bench = new Bench({ panicThreshold: 1, upstreams: [{}] });
    bench.trip(0);
    assert.deepEqual([bench.pick(), bench.at(0).takeClaim()], [0, 0]);
    bench.time.eventMs += 60_000;
    assert.deepEqual([bench.pick(), bench.at(0).takeClaim() > 0], [0, true]);
    assert.deepEqual([bench.pick(), bench.at(0).takeClaim()], [0, 0], 'and more beside it');
  });

  test('does not overfill anybody', () => {
    const bench = new Bench({ panicThreshold: 1, upstreams: [{ maxConnections: 0 }] });
    bench.trip(0);
    assert.equal(bench.refusal(), 'full');
  });
});

describe('Retry-After', () => {
  test('is when the first open breaker may be probed, rounded up', () => {
    const bench = new Bench({ upstreams: [{}, {}] });
    bench.trip(0);
    bench.time.eventMs += 10_500;
    bench.trip(1);
    assert.equal(bench.backend.retryAfterSeconds, 50);
    bench.time.eventMs += 49_499;
    assert.equal(bench.backend.retryAfterSeconds, 1);
  });

  test('is one second while a probe is under way', () => {
    const bench = new Bench({ upstreams: [{}] });
    bench.trip(0);
    bench.time.eventMs += 60_000;
    bench.pick();
    assert.deepEqual([bench.refusal(), bench.backend.retryAfterSeconds], ['no_upstream', 1]);
  });

  test('is the time between two checks where those say that nobody is well, and what is later of both', () => {
    const bench = new Bench({ upstreams: [{}] });
    bench.fall(0);
    assert.equal(bench.backend.retryAfterSeconds, 10);
    bench.trip(0);
    assert.equal(bench.backend.retryAfterSeconds, 60);
  });
});

describe('an upstream that comes up', () => {
  const RAMP_MS = 100_000;

  /** Share of its turns that the first of two gets, `passedMs` after it came up. */
  function shareAfter(passedMs: number, options: BenchOptions = {}): number {
    const bench = new Bench({ slowStartMs: RAMP_MS, upstreams: [{}, {}], ...options });
    bench.fall(0);
    bench.at(0).state.setHealthy(true, bench.time.eventMs);
    bench.time.eventMs += passedMs;
    return (bench.picks(20_000)[0] ?? 0) / 10_000;
  }

  for (const { passed, weight } of [
    { passed: 0, weight: 0.1 },
    { passed: 0.25, weight: 0.325 },
    { passed: 0.5, weight: 0.55 },
    { passed: 0.9, weight: 0.91 },
    { passed: 1, weight: 1 },
  ]) {
    test(`counts for ${weight} of its weight when ${passed} of its time have passed`, () => {
      const seen = shareAfter(passed * RAMP_MS);
      // Turns that it does not take go to both: beside a weight of 1 it gets weight / (1 + weight) of all, of which its share is half.
      assert.ok(Math.abs(seen - (2 * weight) / (1 + weight)) < 0.02, `${seen}`);
    });
  }

  test('gets its whole share at once without a slow start', () => {
    assert.equal(shareAfter(0, { slowStartMs: null }), 1);
  });

  test('gets everything when there is no other, or none that is below its limit or was not tried', () => {
    const bench = new Bench({ slowStartMs: RAMP_MS, upstreams: [{}, { maxConnections: 0 }, {}] });
    bench.at(0).state.comesUp(bench.time.eventMs);
    bench.fall(2);
    assert.deepEqual(bench.picks(1000), [1000, 0, 0]);
    const tried = new Bench({ slowStartMs: RAMP_MS, upstreams: [{}, {}] });
    tried.at(0).state.comesUp(tried.time.eventMs);
    const picks = Array.from({ length: 1000 }, () => tried.pick([tried.at(1)]));
    assert.deepEqual(new Set(picks), new Set([0]));
  });

  test('is marked no longer when it has its whole share', () => {
    const bench = new Bench({ slowStartMs: RAMP_MS, upstreams: [{}, {}] });
    bench.at(0).state.comesUp(bench.time.eventMs);
    bench.time.eventMs += RAMP_MS;
    bench.picks(2);
    assert.equal(bench.at(0).status & STATUS.RAMPING, 0);
  });

  test('comes up when its breaker closes', () => {
    const bench = new Bench({ slowStartMs: RAMP_MS, upstreams: [{}, {}], breaker: { successThreshold: 1 } });
    bench.trip(0);
    bench.time.eventMs += 60_000;
    while (bench.pick() !== 0);
    const claim = bench.at(0).takeClaim();
    bench.breaker?.answered(bench.at(0), claim);
    bench.breaker?.succeeded(bench.at(0), claim);
    const [first = 0] = bench.picks(20_000);
    assert.ok(Math.abs(first - 20_000 * (0.1 / 1.1)) < 200, `${first}`);
  });
});

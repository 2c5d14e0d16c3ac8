import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { PHASE, phaseOf } from '../../src/memory/breaker-word.ts';
import { forgetDeadWorker } from '../../src/memory/dead-worker.ts';
import { createSharedMemory, type SharedMemory } from '../../src/memory/shared-memory.ts';
import { STATUS, UpstreamState } from '../../src/memory/upstream-state.ts';
import { CLAIM_LOST, NO_CLAIM } from '../../src/upstream/circuit-breaker.ts';
import { type BreakerSettings, BreakerView } from './breaker-scene.ts';
import type { BreakerReport, BreakerTask } from './breaker-thread.ts';

const { CLOSED, OPEN, HALF_OPEN, PROBING } = PHASE;
const THREADS = 8;

const memoryFor = (workers: number): SharedMemory => createSharedMemory({ backends: [{ upstreams: [{}] }] }, workers);

/** Two workers that see the same breaker at the same time. */
function twoWorkers(settings: Partial<BreakerSettings> = {}) {
  const shared = memoryFor(2);
  const time = { eventMs: 1000 };
  const [one, other] = [0, 1].map((row) => new BreakerView(shared, row, settings, time)) as [BreakerView, BreakerView];
  return { shared, time, one, other, phase: () => phaseOf(one.breaker.word) };
}

/** An open breaker whose time is over. */
function openAndDue(settings: Partial<BreakerSettings> = {}) {
  const scene = twoWorkers(settings);
  scene.one.fail(5);
  scene.time.eventMs += 60_000;
  return scene;
}

describe('a closed breaker', () => {
  test('opens with the fifth failure in a row, whoever sees them, and tells so once', () => {
    const { one, other, phase } = twoWorkers();
    one.fail(2);
    other.fail(2);
    assert.equal(phase(), CLOSED);
    other.failed(0, 'status 503');
    assert.equal(phase(), OPEN);
    one.fail(3);
    const reason = '5 failures in a row, the last one: status 503';
    const fields = { backend: 'origin', upstream: '192.0.2.1:80', reason };
    assert.deepEqual([...one.log, ...other.log], [`breaker-opened ${JSON.stringify(fields)}`]);
  });

  test('begins to count anew with a success, and not with what tells nothing', () => {
    const { one, other, phase } = twoWorkers();
    one.fail(4);
    other.succeeded();
    one.fail(4);
    other.abandoned();
    assert.equal(phase(), CLOSED);
    one.failed();
    assert.equal(phase(), OPEN);
  });

  for (const { why, requests, failureRate, opens } of [
    { why: 'half of enough requests', requests: 20, failureRate: 0.5, opens: true },
    { why: 'half of too few', requests: 18, failureRate: 0.5, opens: false },
    { why: 'less than the rate', requests: 40, failureRate: 0.51, opens: false },
    { why: 'a rate that nobody asked for', requests: 40, failureRate: null, opens: false },
  ]) {
    test(`${opens ? 'opens' : 'stays closed'} at a share of failures: ${why}`, () => {
      const { one, other, phase } = twoWorkers({ failureRate });
      for (let pair = 0; pair < requests / 2; pair++) {
        other.succeeded();
        one.failed();
      }
      assert.equal(phase(), opens ? OPEN : CLOSED);
      if (opens) assert.match(one.log[0] ?? '', /10 of 20 requests failed, the last one: upstream_reset/);
    });
  }

  test('counts the share of failures within its window only', () => {
    const { one, phase, time } = twoWorkers({ failureRate: 0.5, failureThreshold: 1000 });
    one.fail(19);
    time.eventMs += 10_000;
    one.fail(19);
    assert.equal(phase(), CLOSED);
    one.failed();
    assert.equal(phase(), OPEN);
  });

  test('counts a share rightly when the counts pass the end of their bits', () => {
    const { shared, one, phase, time } = twoWorkers({ failureRate: 0.5, failureThreshold: 1000 });
    time.eventMs += 10_000;
    const rows = new Int32Array(shared.rows);
    for (const place of [16 + 3, 16 + 4]) rows[place] = 2 ** 31 - 10;
    one.fail(19);
    assert.equal(phase(), CLOSED);
    one.failed();
    assert.equal(phase(), OPEN);
  });
});

describe('an open breaker', () => {
  test('lets nobody through before its time is over, and hears nothing of what began before it', () => {
    const { one, other, time, phase } = twoWorkers();
    one.fail(5);
    time.eventMs += 59_999;
    other.succeeded();
    other.failed();
    assert.deepEqual([other.mayProbe, other.claim(), other.waitMs, phase()], [false, CLAIM_LOST, 1, OPEN]);
    time.eventMs++;
    assert.deepEqual([other.mayProbe, other.waitMs], [true, 0]);
  });

  test('gives one probe when its time is over', () => {
    const { one, other, phase } = openAndDue();
    assert.ok(one.claim() > 0);
    assert.deepEqual([other.mayProbe, other.claim(), one.claim(), phase()], [false, CLAIM_LOST, CLAIM_LOST, PROBING]);
    assert.deepEqual(one.events, ['breaker-opened', 'breaker-half-open']);
  });

  test('is closed by the third probe that succeeds, and then the upstream begins to grow', () => {
    const { shared, one, other, phase, time } = openAndDue();
    one.probe();
    other.probe();
    assert.equal(phase(), HALF_OPEN);
    one.probe();
    assert.equal(phase(), CLOSED);
    const state = new UpstreamState({ memory: shared, number: 0 });
    assert.deepEqual([state.status & STATUS.RAMPING, state.upSinceMs], [STATUS.RAMPING, time.eventMs]);
    assert.deepEqual(one.events, ['breaker-opened', 'breaker-half-open', 'breaker-closed']);
    assert.deepEqual([other.events, other.claim()], [[], NO_CLAIM]);
    one.fail(4);
    assert.equal(phase(), CLOSED, 'failures of before are forgotten');
  });

  test('stays open when the probe fails, for another time, and is closed all the same later', () => {
    const { one, other, phase, time } = openAndDue();
    one.probe();
    other.failed(other.claim());
    assert.equal(phase(), OPEN);
    time.eventMs += 59_999;
    assert.equal(one.mayProbe, false);
    time.eventMs++;
    for (let probe = 0; probe < 3; probe++) one.probe();
    assert.equal(phase(), CLOSED);
  });

  test('forgets with its closing what failed within the window', () => {
    const { one, phase, time } = twoWorkers({
      failureRate: 0.5,
      minRequests: 6,
      windowMs: 600_000,
      failureThreshold: 7,
      successThreshold: 1,
    });
    one.fail(6);
    assert.equal(phase(), OPEN);
    time.eventMs += 60_000;
    one.probe();
    one.failed();
    assert.equal(phase(), CLOSED);
  });

  test('is as a change of the settings says, at once', () => {
    const { shared, one, phase } = openAndDue();
    const impatient = new BreakerView(shared, 0, { successThreshold: 1 }, { eventMs: 61_000 });
    one.probe();
    impatient.probe();
    assert.equal(phase(), CLOSED);
  });
});

describe('a probe', () => {
  test('without an outcome is released', () => {
    const { one, other, phase } = openAndDue();
    one.abandoned(one.claim());
    assert.deepEqual([phase(), other.mayProbe], [HALF_OPEN, true]);
    assert.ok(other.claim() > 0);
  });

  test('that was answered and then is broken off has failed', () => {
    const { one, phase } = openAndDue({ successThreshold: 1 });
    const claim = one.claim();
    one.answered(claim);
    one.failed(claim);
    assert.equal(phase(), OPEN);
  });

  test('without an end is overtaken, and does not end that of another', () => {
    const { one, other, phase, time } = openAndDue();
    const slow = one.claim();
    time.eventMs += 59_999;
    assert.equal(other.claim(), CLAIM_LOST);
    time.eventMs++;
    assert.ok(other.claim() > 0);
    one.abandoned(slow);
    assert.equal(phase(), PROBING);
  });

  test('that was overtaken counts when it is answered, once', () => {
    const { one, other, phase, time } = openAndDue({ successThreshold: 2 });
    const slow = one.claim();
    time.eventMs += 60_000;
    const next = other.claim();
    one.answered(slow);
    one.succeeded(slow);
    assert.equal(phase(), PROBING);
    other.answered(next);
    other.succeeded(next);
    assert.equal(phase(), CLOSED);
  });

  test('whose reply goes on and on has succeeded when it is overtaken: downloads without end close a breaker', () => {
    const { one, phase, time } = openAndDue();
    const claims = [0, 1, 2].map(() => {
      const claim = one.claim();
      one.answered(claim);
      time.eventMs += 60_000;
      return claim;
    });
    assert.equal(one.claim(), NO_CLAIM);
    assert.equal(phase(), CLOSED);
    for (const claim of claims) one.succeeded(claim);
    assert.equal(one.events.filter((event) => event === 'breaker-closed').length, 1);
  });

  test('that was overtaken and fails opens all the same', () => {
    const { one, other, phase, time } = openAndDue();
    const slow = one.claim();
    time.eventMs += 60_000;
    other.claim();
    one.failed(slow);
    assert.equal(phase(), OPEN);
  });

  for (const answers of [false, true]) {
    test(`of a worker that died is released, and only its own${answers ? ', answered as it was' : ''}`, () => {
      const { shared, one, other, phase } = openAndDue();
      const claim = one.claim();
      if (answers) one.answered(claim);
      forgetDeadWorker(shared, 1);
      assert.equal(other.mayProbe, false);
      forgetDeadWorker(shared, 0);
      assert.deepEqual([phase(), other.mayProbe], [HALF_OPEN, true]);
      for (let probe = 0; probe < 3; probe++) other.probe();
      assert.equal(phase(), CLOSED);
    });
  }
});

test('a share of failures is counted anew when a worker dies whose requests are not in the sums any more', () => {
  const { shared, one, other, phase } = twoWorkers({ failureRate: 0.5, failureThreshold: 1000 });
  for (let request = 0; request < 100; request++) one.succeeded();
  other.failed();
  forgetDeadWorker(shared, 0);
  other.fail(19);
  assert.equal(phase(), CLOSED);
  other.failed();
  assert.equal(phase(), OPEN);
});

describe('eight threads', () => {
  const barrier = () => new Int32Array(new SharedArrayBuffer(8));

  function startThreads(kind: BreakerTask['kind'], shared: SharedMemory, rounds: number, at: Int32Array) {
    return Array.from({ length: THREADS }, async (_none, row): Promise<BreakerReport> => {
      const workerData: BreakerTask = { shared, row, kind, rounds, barrier: at };
      const worker = new Worker(new URL('./breaker-thread.ts', import.meta.url), { workerData });
      const exited = once(worker, 'exit');
      const [report] = (await once(worker, 'message')) as [BreakerReport];
      await exited;
      return report;
    });
  }

  async function untilAllEnded(at: Int32Array): Promise<void> {
    for (let ended = Atomics.load(at, 1); ended < THREADS; ended = Atomics.load(at, 1)) {
      const waiting = Atomics.waitAsync(at, 1, ended, 1000);
      if (waiting.async) await waiting.value;
    }
    Atomics.store(at, 1, 0);
  }

  test('that race for a probe: exactly one gets it, in every round', async () => {
    const shared = memoryFor(THREADS + 1);
    const rounds = 500;
    const at = barrier();
    const threads = startThreads('race', shared, rounds, at);
    const time = { eventMs: 0 };
    const view = new BreakerView(shared, THREADS, { openTimeoutMs: 500, failureThreshold: 1 }, time);
    for (let round = 1; round <= rounds; round++) {
      time.eventMs = round * 1000;
      if (round === 1) view.fail(1);
      // Sound: any claim that is none of theirs will do, a failed probe opens in any case.
      else view.failed(1);
      Atomics.store(at, 0, round);
      Atomics.notify(at, 0);
      await untilAllEnded(at);
    }
    const won = (await Promise.all(threads)).flatMap((report) => report.won);
    assert.deepEqual(
      won.sort((a, b) => a - b),
      Array.from({ length: rounds }, (_none, index) => index + 1),
    );
  });

  test('that claim the probe and release it as fast as they can never have two', async () => {
    const shared = memoryFor(THREADS + 1);
    const view = new BreakerView(shared, THREADS, {}, { eventMs: -60_000 });
    view.fail(5);
    const reports = await Promise.all(startThreads('exclude', shared, 100_000, barrier()));
    const probes = reports.reduce((sum, { won }) => sum + won.length, 0);
    assert.ok(probes > 1000, `${probes} probes`);
    assert.equal(phaseOf(view.breaker.word), HALF_OPEN);
  });

  test('that fail and succeed at random leave no impossible state, and each step is told once', async () => {
    const shared = memoryFor(THREADS);
    const reports = await Promise.all(startThreads('hammer', shared, 20_000, barrier()));
    const events = reports.flatMap((report) => report.events);
    const count = (event: string) => events.filter((each) => each === event).length;
    const [openings, closings] = [count('breaker-opened'), count('breaker-closed')];
    assert.ok(closings > 100, `${openings} openings, ${closings} closings`);
    assert.ok(count('breaker-half-open') <= openings);
    // It can get closed from any state in which they left it.
    const view = new BreakerView(shared, 0, { openTimeoutMs: 0 }, { eventMs: 1e9 });
    for (let probe = 0; probe < 4; probe++) view.probe();
    assert.equal(phaseOf(view.breaker.word), CLOSED);
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Timer, TimerWheel } from '../../src/net/timer-wheel.ts';

const TICK_MS = TimerWheel.tickMs;
/** One revolution of the wheel and a good deal more. */
const LONG_MS = 600 * TICK_MS;

/** A wheel whose time the test moves, and timers that write down when they run out. */
class Bench {
  nowMs = 5000.25;
  readonly failed: string[] = [];
  readonly faults: string[] = [];
  readonly wheel = new TimerWheel({ nowMs: () => this.nowMs }, (error) => this.faults.push(String(error)));
  readonly fired: { readonly name: string; readonly atMs: number }[] = [];

  timer(name: string, whenFired: () => void = () => {}): Timer {
    return new Timer(this.wheel, {
      timerExpired: () => {
        this.fired.push({ name, atMs: this.nowMs });
        whenFired();
      },
      timerFailed: () => this.failed.push(name),
    });
  }

  /** Lets time pass in steps of a tick, as the worker does. */
  pass(ms: number): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(this.nowMs + TICK_MS, end);
      this.wheel.advance();
      this.wheel.expire();
    }
  }

  get names(): readonly string[] {
    return this.fired.map(({ name }) => name);
  }
}

describe('a timer', () => {
  for (const delayMs of [0, 1, 49, 50, 51, 1000, 25_549, 25_550, 25_600, 25_601, 30_000, 75_000, 3_600_000]) {
    test(`of ${delayMs} ms runs out once, not early, and at most four ticks late`, () => {
      const bench = new Bench();
      bench.pass(1234);
      const timer = bench.timer('it');
      const armedMs = bench.nowMs;
      timer.arm(delayMs);
      assert.ok(timer.armed);
      bench.pass(delayMs + 5 * TICK_MS);
      assert.equal(bench.fired.length, 1);
      const lateMs = (bench.fired[0]?.atMs ?? 0) - armedMs - delayMs;
      assert.ok(lateMs >= 0 && lateMs <= 4 * TICK_MS, `${lateMs} ms late`);
      assert.ok(!timer.armed);
      bench.pass(2 * LONG_MS);
      assert.equal(bench.fired.length, 1);
    });
  }

  test('that is armed again in time, over and over, never runs out', () => {
    const bench = new Bench();
    const timer = bench.timer('it');
    for (let turn = 0; turn < 2000; turn++) {
      timer.arm(1000);
      bench.pass(900);
    }
    assert.deepEqual(bench.names, []);
    bench.pass(300);
    assert.deepEqual(bench.names, ['it']);
  });

  test('that is armed again to run out earlier does so', () => {
    const bench = new Bench();
    const timer = bench.timer('it');
    for (const laterMs of [60_000, 500, 300, 200, 150]) {
      bench.fired.length = 0;
      timer.arm(laterMs);
      timer.arm(100);
      bench.pass(250);
      assert.deepEqual(bench.names, ['it'], `instead of after ${laterMs} ms`);
      bench.pass(LONG_MS);
      assert.deepEqual(bench.names, ['it'], `and after ${laterMs} ms again`);
    }
  });

  test('says how long it still runs', () => {
    const bench = new Bench();
    const timer = bench.timer('it');
    assert.equal(timer.leftMs, Number.POSITIVE_INFINITY);
    timer.arm(1000);
    assert.equal(timer.leftMs, 1000);
    bench.pass(10 * TICK_MS);
    assert.equal(timer.leftMs, 1000 - 10 * TICK_MS);
    timer.disarm();
    assert.equal(timer.leftMs, Number.POSITIVE_INFINITY);
  });

  test('that is disarmed does not run out, and can be armed again', () => {
    const bench = new Bench();
    const timer = bench.timer('it');
    timer.arm(1000);
    bench.pass(500);
    timer.disarm();
    assert.ok(!timer.armed);
    bench.pass(LONG_MS);
    assert.deepEqual(bench.names, []);
    assert.equal(timer.scheduledTick, -1, 'the wheel holds on to it');
    timer.arm(1000);
    bench.pass(1200);
    assert.deepEqual(bench.names, ['it']);
  });

  test('that is released leaves nothing in the wheel', () => {
    const bench = new Bench();
    const [first, second, third] = ['a', 'b', 'c'].map((name) => bench.timer(name));
    for (const timer of [first, second, third]) timer?.arm(1000);
    second?.release();
    second?.release();
    assert.deepEqual([second?.scheduledTick, second?.next, second?.previous], [-1, null, null]);
    bench.pass(1200);
    assert.deepEqual([...bench.names].sort(), ['a', 'c']);
  });

  test('that arms itself when it runs out goes on like that', () => {
    const bench = new Bench();
    const timer: Timer = bench.timer('it', () => timer.arm(0));
    timer.arm(0);
    bench.pass(20 * TICK_MS);
    assert.ok(bench.fired.length >= 6 && bench.fired.length <= 20, `${bench.fired.length} times`);
  });
});

describe('timers that run out together', () => {
  test('may disarm, release and arm each other', () => {
    const bench = new Bench();
    const names = ['a', 'b', 'c', 'd', 'e'];
    const timers: Timer[] = names.map((name) =>
      bench.timer(name, () => {
        // Whichever comes first silences all others in a different way each, and one of them comes later.
        timers.forEach((timer, at) => {
          if (at % 2 === 0) timer.disarm();
          else timer.release();
        });
        timers[0]?.arm(500);
      }),
    );
    for (const timer of timers) timer.arm(1000);
    bench.pass(1300);
    assert.equal(bench.fired.length, 1);
    bench.pass(400);
    assert.equal(bench.fired.length, 2);
    assert.equal(bench.fired[1]?.name, 'a');
  });
});

describe('an owner that throws', () => {
  test('is told, and the timers beside its own run out in their turn', () => {
    const bench = new Bench();
    for (const name of ['a', 'b', 'c']) {
      bench
        .timer(name, () => {
          if (name !== 'a') throw new Error(`a bug in ${name}`);
        })
        .arm(1000);
    }
    bench.pass(1300);
    assert.deepEqual([...bench.names].sort(), ['a', 'b', 'c']);
    assert.deepEqual([...bench.faults].sort(), ['Error: a bug in b', 'Error: a bug in c']);
    assert.deepEqual([...bench.failed].sort(), ['b', 'c']);
  });
});

describe('after the thread stood still', () => {
  test('a timer that was armed before says how long it still runs, and one that is armed now runs for all of its time', () => {
    const bench = new Bench();
    const before = bench.timer('before');
    before.arm(30_000);
    bench.pass(500);
    bench.nowMs += 10_000;
    const now = bench.timer('now');
    now.arm(1000);
    assert.deepEqual([before.leftMs, now.leftMs], [19_500, 1000]);
  });

  for (const delayMs of [0, 1000, 30_000]) {
    test(`a timer of ${delayMs} ms that was armed meanwhile still waits its whole delay`, () => {
      const bench = new Bench();
      bench.pass(500);
      bench.nowMs += 10_000;
      const armedMs = bench.nowMs;
      bench.timer('it').arm(delayMs);
      bench.nowMs += 20;
      bench.pass(delayMs + 11_000);
      assert.equal(bench.fired.length, 1);
      assert.ok((bench.fired[0]?.atMs ?? 0) - armedMs >= delayMs, 'it ran out early');
    });
  }
});

describe('after a long sleep', () => {
  test('everything that was due runs out at the first tick, and nothing else', () => {
    const bench = new Bench();
    for (const delayMs of [10, 1000, 20_000, 26_000, 100_000, 250_000]) bench.timer(String(delayMs)).arm(delayMs);
    bench.timer('later').arm(400_000);
    bench.pass(TICK_MS);
    bench.nowMs += 300_000;
    bench.wheel.advance();
    bench.wheel.expire();
    assert.deepEqual(
      bench.names.map(Number).sort((a, b) => a - b),
      [10, 1000, 20_000, 26_000, 100_000, 250_000],
    );
    bench.pass(99_000);
    assert.equal(bench.fired.length, 6);
    bench.pass(1200);
    assert.equal(bench.names.at(-1), 'later');
  });

  test('a timer armed by one that runs out waits its whole delay', () => {
    const bench = new Bench();
    const second = bench.timer('second');
    bench.timer('first', () => second.arm(2000)).arm(100);
    bench.nowMs += 90_000;
    bench.wheel.advance();
    bench.wheel.expire();
    const armedMs = bench.nowMs;
    bench.pass(3000);
    assert.deepEqual(bench.names, ['first', 'second']);
    assert.ok((bench.fired[1]?.atMs ?? 0) - armedMs >= 2000);
  });
});

/** What a timer is to do, in the plainest form: when it was armed, and for how long. */
interface ModelTimer {
  armedMs: number;
  delayMs: number;
  /** How much longer it may take because the thread stood still when it was armed; null until the next tick. */
  graceMs: number | null;
}

type Step =
  | { readonly does: 'arm'; readonly timer: number; readonly delayMs: number }
  | { readonly does: 'disarm' | 'release'; readonly timer: number }
  /** Time passes without a tick: the thread is busy. */
  | { readonly does: 'wait'; readonly ms: number }
  | { readonly does: 'tick'; readonly ms: number };

const TIMERS = 6;
const timerNumber = fc.nat({ max: TIMERS - 1 });
const delay = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 30_000 }), fc.constantFrom(0, 50, 25_550, 25_600, 60_000));

const change: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('arm' as const), timer: timerNumber, delayMs: delay }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constantFrom('disarm' as const, 'release' as const), timer: timerNumber }),
  },
);
const waiting: fc.Arbitrary<Step> = fc.record({ does: fc.constant('wait' as const), ms: fc.nat({ max: 3 * TICK_MS }) });
const passing: fc.Arbitrary<Step> = fc
  .oneof(
    { weight: 6, arbitrary: fc.double({ min: 0.1, max: TICK_MS, noNaN: true }) },
    { weight: 3, arbitrary: fc.integer({ min: TICK_MS, max: 3000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 20_000, max: 100_000 }) },
  )
  .map((ms) => ({ does: 'tick', ms }));

test('whatever is done to timers, in and out of their turns, they run out as plain deadlines would', () => {
  const scenario = fc.record({
    steps: fc.array(
      fc.oneof({ weight: 2, arbitrary: change }, { weight: 1, arbitrary: waiting }, { weight: 3, arbitrary: passing }),
      { maxLength: 80 },
    ),
    /** What the owner of each timer does when it runs out. */
    reactions: fc.array(fc.array(change, { maxLength: 3 }), { minLength: TIMERS, maxLength: TIMERS }),
  });
  fc.assert(
    fc.property(scenario, ({ steps, reactions }) => {
      const bench = new Bench();
      const model: (ModelTimer | null)[] = Array.from({ length: TIMERS }, () => null);
      let firings = 0;
      const timers = Array.from(
        { length: TIMERS },
        (_none, number): Timer =>
          bench.timer(String(number), () => {
            const expected = model[number];
            assert.ok(expected, `timer ${number} ran out although it was not armed`);
            assert.ok(bench.nowMs - expected.armedMs >= expected.delayMs, `timer ${number} ran out early`);
            model[number] = null;
            // Timers that arm each other at once would never end a test.
            if (++firings < 200) for (const step of reactions[number] ?? []) apply(step);
          }),
      );

      function apply(step: Step): void {
        if (step.does === 'wait') {
          bench.nowMs += step.ms;
          return;
        }
        if (step.does === 'tick') {
          bench.nowMs += step.ms;
          const sinceTickMs = bench.nowMs - bench.wheel.nowMs;
          for (const expected of model) if (expected !== null) expected.graceMs ??= sinceTickMs;
          bench.wheel.advance();
          bench.wheel.expire();
          return;
        }
        const timer = timers[step.timer] as Timer;
        if (step.does === 'arm') {
          timer.arm(step.delayMs);
          model[step.timer] = { armedMs: bench.nowMs, delayMs: step.delayMs, graceMs: null };
        } else {
          timer[step.does]();
          model[step.timer] = null;
        }
      }

      for (const step of steps) {
        apply(step);
        model.forEach((expected, number) => {
          assert.equal(timers[number]?.armed, expected !== null, `timer ${number}`);
          if (expected === null || step.does !== 'tick') return;
          const overdueMs = bench.nowMs - expected.armedMs - expected.delayMs - (expected.graceMs ?? 0);
          assert.ok(overdueMs <= 4 * TICK_MS, `timer ${number} is ${overdueMs} ms overdue`);
        });
      }
      for (const timer of timers) timer.release();
      const before = firings;
      bench.pass(LONG_MS);
      assert.equal(firings, before, 'released timers run out');
    }),
    { numRuns: 1000 },
  );
});

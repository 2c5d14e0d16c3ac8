import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Thresholds } from '../../src/control/health/thresholds.ts';

const LENGTH = 9;

/** The state after these checks, by the rule as one would say it: the last threshold's worth of checks all disagreed. */
function stateAfter(checks: readonly boolean[], failures: number, successes: number): boolean {
  let healthy = true;
  let since = 0;
  checks.forEach((_check, index) => {
    const wanted = healthy ? failures : successes;
    const last = checks.slice(Math.max(since, index + 1 - wanted), index + 1);
    if (last.length < wanted || last.some((each) => each === healthy)) return;
    healthy = !healthy;
    since = index + 1;
  });
  return healthy;
}

for (const failureThreshold of [1, 2, 3]) {
  for (const successThreshold of [1, 2, 3]) {
    test(`${failureThreshold} failures in a row flip it and ${successThreshold} successes, after every sequence of checks`, () => {
      for (let bits = 0; bits < 2 ** LENGTH; bits++) {
        const thresholds = new Thresholds({ failureThreshold, successThreshold }, true);
        const checks: boolean[] = [];
        for (let index = 0; index < LENGTH; index++) {
          checks.push((bits & (1 << index)) !== 0);
          const before = thresholds.healthy;
          const flipped = thresholds.count(checks[index] as boolean);
          assert.equal(flipped, before !== thresholds.healthy, 'says that it flips exactly when it does');
          assert.equal(thresholds.healthy, stateAfter(checks, failureThreshold, successThreshold), `after ${checks}`);
        }
      }
    });
  }
}

test('a success of one that is healthy flips nothing, however low the threshold', () => {
  const thresholds = new Thresholds({ failureThreshold: 1, successThreshold: 1 }, true);
  assert.equal(thresholds.count(true), false);
  assert.equal(thresholds.healthy, true);
});

test('one that was unhealthy before stays so until its successes have come', () => {
  const thresholds = new Thresholds({ failureThreshold: 1, successThreshold: 2 }, false);
  assert.deepEqual([thresholds.count(true), thresholds.count(false), thresholds.count(true)], [false, false, false]);
  assert.equal(thresholds.count(true), true);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RepeatedWarning } from '../../src/base/repeated-warning.ts';

test('a warning is said at once, then every ten seconds at most, with how often it was due since', () => {
  const time = { nowMs: 0 };
  const said: object[] = [];
  const warning = new RepeatedWarning(time, (fields) => said.push({ at: time.nowMs, ...fields }));
  for (const nowMs of [5, 6, 9_000, 10_004, 10_005, 12_000, 40_000]) {
    time.nowMs = nowMs;
    warning.warn({ peer: `of ${nowMs}` });
  }
  assert.deepEqual(said, [
    { at: 5, peer: 'of 5', failures: 1 },
    { at: 10_005, peer: 'of 10005', failures: 4 },
    { at: 40_000, peer: 'of 40000', failures: 2 },
  ]);
});

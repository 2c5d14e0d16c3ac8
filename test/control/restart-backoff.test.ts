import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartBackoff } from '../../src/control/restart-backoff.ts';

const delaysFor = (livesMs: readonly number[]): readonly number[] => {
  const backoff = new RestartBackoff();
  return livesMs.map((livedMs) => backoff.delayAfterMs(livedMs));
};

test('the first death costs no time, the next ones twice as much each', () => {
  assert.deepEqual(delaysFor([5, 5, 5, 5]), [0, 100, 200, 400]);
});

test('the pause never exceeds ten seconds', () => {
  const delays = delaysFor(new Array(2000).fill(0));
  assert.equal(Math.max(...delays), 10_000);
  assert.equal(delays.at(-1), 10_000);
});

test('a worker that lived ten seconds starts the count anew', () => {
  assert.deepEqual(delaysFor([5, 5, 5, 10_000, 5]), [0, 100, 200, 0, 100]);
});

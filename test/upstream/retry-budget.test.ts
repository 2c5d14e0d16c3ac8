import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSharedMemory } from '../../src/memory/shared-memory.ts';
import { retryPauseMs } from '../../src/upstream/retry-backoff.ts';
import { RetryBudget } from '../../src/upstream/retry-budget.ts';

function budgetOf(share: number, minPerSecond: number): RetryBudget {
  const memory = createSharedMemory({ backends: [{ upstreams: [{}] }] }, 1);
  return new RetryBudget({ share, minPerSecond }, { memory, number: 0 });
}

const taken = (budget: RetryBudget, nowMs: number) => {
  let count = 0;
  while (count < 1000 && budget.tryAcquire(nowMs)) count++;
  return count;
};

test('retries are a share of the requests of late, and are used up once', () => {
  const budget = budgetOf(0.2, 0);
  for (let count = 0; count < 100; count++) budget.countRequest(1000);
  assert.deepEqual([taken(budget, 1000), taken(budget, 1000)], [20, 0]);
  for (let count = 0; count < 10; count++) budget.countRequest(7000);
  assert.equal(taken(budget, 7000), 2);
});

test('requests of long ago do not allow retries', () => {
  const budget = budgetOf(0.2, 0);
  for (let count = 0; count < 100; count++) budget.countRequest(1000);
  assert.equal(taken(budget, 60_000), 0);
});

test('so many a second come on top', () => {
  const budget = budgetOf(0.5, 3);
  for (let count = 0; count < 4; count++) budget.countRequest(1000);
  assert.deepEqual([taken(budget, 1000), taken(budget, 1500), taken(budget, 2000)], [5, 0, 3]);
});

test('pauses are random below a longest one, which doubles up to its bound', () => {
  const backoff = { initialMs: 25, maxMs: 250 };
  const longest = [1, 2, 3, 4, 5, 100, 5000].map((retry) => retryPauseMs(backoff, retry, 1));
  assert.deepEqual(longest, [25, 50, 100, 200, 250, 250, 250]);
  assert.deepEqual([retryPauseMs(backoff, 3, 0), retryPauseMs(backoff, 3, 0.5)], [0, 50]);
});

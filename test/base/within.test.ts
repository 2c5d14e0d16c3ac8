import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOverWithin, TooLate, within } from '../../src/base/within.ts';

const LONG_MS = 600_000;

test('what comes in time is as it came, and no timer is left', async () => {
  assert.equal(await within(LONG_MS, Promise.resolve('here'), 'too late'), 'here');
  await assert.rejects(within(LONG_MS, Promise.reject(new Error('no')), 'too late'), { message: 'no' });
  assert.deepEqual(
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout'),
    [],
  );
});

test('what does not come is given up, with an error that says so', async () => {
  await assert.rejects(within(1, new Promise(() => undefined), 'it took too long'), (error) => {
    assert.ok(error instanceof TooLate);
    assert.equal(error.message, 'it took too long');
    return true;
  });
});

test('whether something is over in time', async () => {
  assert.equal(await isOverWithin(LONG_MS, Promise.resolve('here')), true);
  assert.equal(await isOverWithin(1, new Promise(() => undefined)), false);
  await assert.rejects(isOverWithin(LONG_MS, Promise.reject(new Error('no'))), { message: 'no' });
  assert.ok(!process.getActiveResourcesInfo().includes('Timeout'));
});

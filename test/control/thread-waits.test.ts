import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitedForProcessorMs } from '../../src/control/thread-waits.ts';

test('the time that a thread has waited for a processor grows, and is 0 for one that is not known or not there', (t) => {
  assert.equal(waitedForProcessorMs(0), 0);
  // The first process of the system is none of our threads.
  assert.equal(waitedForProcessorMs(1), 0);
  if (process.platform !== 'linux') t.skip('only Linux says so');
  const before = waitedForProcessorMs(process.pid);
  assert.ok(before > 0);
  assert.ok(waitedForProcessorMs(process.pid) >= before);
});

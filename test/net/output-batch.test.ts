import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputBatch } from '../../src/net/output-batch.ts';

test('everything that waits is flushed once', () => {
  const batch = new OutputBatch();
  const flushed: string[] = [];
  for (const name of ['a', 'b', 'c']) batch.add({ flush: () => flushed.push(name) });
  batch.flush();
  batch.flush();
  assert.deepEqual(flushed.sort(), ['a', 'b', 'c']);
});

test('what comes to wait while others are flushed is flushed too, itself included', () => {
  const batch = new OutputBatch();
  const flushed: string[] = [];
  const again = {
    flush() {
      flushed.push('again');
      if (flushed.length < 4) batch.add(again);
    },
  };
  batch.add({
    flush() {
      flushed.push('first');
      batch.add(again);
    },
  });
  batch.flush();
  assert.deepEqual(flushed, ['first', 'again', 'again', 'again']);
});

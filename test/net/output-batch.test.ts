import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutputBatch } from '../../src/net/output-batch.ts';

test('everything that waits is flushed once, the first to wait first', () => {
  const batch = new OutputBatch();
  const flushed: string[] = [];
  for (const name of ['a', 'b', 'c']) batch.add({ flush: () => flushed.push(name) });
  batch.flush();
  batch.flush();
  assert.deepEqual(flushed, ['a', 'b', 'c']);
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

test('one that throws is out of the batch, and the others are still due', () => {
  const batch = new OutputBatch();
  const flushed: string[] = [];
  batch.add({ flush: () => flushed.push('a') });
  batch.add({
    flush() {
      throw new Error('broken');
    },
  });
  batch.add({ flush: () => flushed.push('c') });
  assert.throws(() => batch.flush(), /broken/);
  batch.flush();
  assert.deepEqual(flushed, ['a', 'c']);
});

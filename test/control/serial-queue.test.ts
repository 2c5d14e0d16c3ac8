import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialQueue } from '../../src/control/serial-queue.ts';
import { settle } from '../support/guard.ts';

test('each piece of work begins when the one before has ended, well or not, and each settles by itself', async () => {
  const queue = new SerialQueue();
  const story: string[] = [];
  const work = (name: string, until: Promise<unknown>) => async () => {
    story.push(`${name} begins`);
    await until;
    story.push(`${name} ends`);
    return name;
  };
  const gate = Promise.withResolvers<void>();
  const first = queue.run(work('first', gate.promise));
  const second = queue.run(async () => Promise.reject(new Error('second fails')));
  const third = queue.run(work('third', Promise.resolve()));
  await settle(2);
  assert.deepEqual(story, ['first begins']);
  gate.resolve();
  await assert.rejects(second, { message: 'second fails' });
  assert.deepEqual([await first, await third], ['first', 'third']);
  assert.deepEqual(story, ['first begins', 'first ends', 'third begins', 'third ends']);
});

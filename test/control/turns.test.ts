import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../src/control/turns.ts';
import { settle } from '../support/guard.ts';

test('each turn begins when the one before has ended, well or not, and each is answered by itself', async () => {
  const turns = new Turns();
  const story: string[] = [];
  const work = (name: string, until: Promise<unknown>) => async () => {
    story.push(`${name} begins`);
    await until;
    story.push(`${name} ends`);
    return name;
  };
  const gate = Promise.withResolvers<void>();
  const first = turns.take(work('first', gate.promise));
  const second = turns.take(async () => Promise.reject(new Error('second fails')));
  const third = turns.take(work('third', Promise.resolve()));
  await settle(2);
  assert.deepEqual(story, ['first begins']);
  gate.resolve();
  await assert.rejects(second, { message: 'second fails' });
  assert.deepEqual([await first, await third], ['first', 'third']);
  assert.deepEqual(story, ['first begins', 'first ends', 'third begins', 'third ends']);
});

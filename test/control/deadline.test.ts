import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Deadline } from '../../src/control/deadline.ts';

function begin(t: TestContext, limitMs: number) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let expired = 0;
  const deadline = new Deadline(limitMs, () => {
    expired += 1;
  });
  return { deadline, expired: () => expired, pass: (ms: number) => t.mock.timers.tick(ms) };
}

test('it expires once, when its time is over', (t) => {
  const { expired, pass } = begin(t, 2000);
  pass(1900);
  assert.equal(expired(), 0);
  pass(100);
  assert.equal(expired(), 1);
  pass(5000);
  assert.equal(expired(), 1);
});

test('with progress the whole time is left again', (t) => {
  const { deadline, expired, pass } = begin(t, 2000);
  pass(1900);
  deadline.restart();
  pass(1900);
  assert.equal(expired(), 0);
  pass(100);
  assert.equal(expired(), 1);
});

test('one that has ended does not expire', (t) => {
  const { deadline, expired, pass } = begin(t, 2000);
  pass(1900);
  deadline.end();
  pass(5000);
  assert.equal(expired(), 0);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Found } from '../../../src/control/names/dns-client.ts';
import { WatchedAnswer } from '../../../src/control/names/watched-answer.ts';
import { settle } from '../../support/guard.ts';

/** A question whose answers a test gives, with time that passes when it says so. */
class Scene {
  readonly #t: TestContext;
  readonly watched: WatchedAnswer<string>;
  asked = 0;
  readonly known: (string | null)[] = [];
  readonly heard: string[] = [];
  /** What the next answers are; null fails. */
  next: Found<string> | null;

  constructor(t: TestContext, next: Found<string> | null = { value: 'a', ttlMs: 5000 }, random = 0) {
    this.#t = t;
    this.next = next;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const ask = async (known: string | null) => {
      this.asked++;
      this.known.push(known);
      if (this.next === null) throw new Error('ESERVFAIL');
      return this.next;
    };
    const changed = (answer: string) => this.heard.push(answer);
    const stateChanged = (failure: string | null) => this.heard.push(failure === null ? 'works' : `fails: ${failure}`);
    this.watched = new WatchedAnswer({ ask, changed, stateChanged }, () => random);
    t.after(() => this.watched.close());
  }

  /** How often it is asked within so many milliseconds. */
  async asksWithin(ms: number): Promise<number> {
    await settle(3);
    const before = this.asked;
    for (let passed = 0; passed < ms; passed += 100) {
      this.#t.mock.timers.tick(100);
      await settle(3);
    }
    return this.asked - before;
  }
}

const TTLS = [
  { why: 'its time to live', ttlMs: 5000, withinMs: 5000, beforeMs: 4900 },
  { why: 'at least a second', ttlMs: 0, withinMs: 1000, beforeMs: 900 },
  { why: 'at most an hour', ttlMs: 86_400_000, withinMs: 3_600_000, beforeMs: 3_599_900 },
];

for (const { why, ttlMs, withinMs, beforeMs } of TTLS) {
  test(`an answer holds for ${why}, and then is asked for again`, async (t) => {
    const scene = new Scene(t, { value: 'a', ttlMs });
    await settle(3);
    t.mock.timers.tick(beforeMs);
    await settle(3);
    assert.equal(scene.asked, 1);
    t.mock.timers.tick(withinMs - beforeMs);
    await settle(3);
    assert.equal(scene.asked, 2);
  });
}

test('chance adds up to a tenth, so that many do not ask all at once', async (t) => {
  const scene = new Scene(t, { value: 'a', ttlMs: 5000 }, 1);
  assert.equal(await scene.asksWithin(5400), 0);
  assert.equal(await scene.asksWithin(100), 1);
});

test('an answer that is the same is no change', async (t) => {
  const scene = new Scene(t);
  await scene.asksWithin(20_000);
  assert.deepEqual(scene.heard, ['a']);
  scene.next = { value: 'b', ttlMs: 5000 };
  await scene.asksWithin(5000);
  assert.deepEqual(scene.heard, ['a', 'b']);
  assert.deepEqual(scene.known.slice(0, 2), [null, 'a']);
});

test('after failures it is asked less and less often, the last good answer stays, and each change of state is said once', async (t) => {
  const scene = new Scene(t);
  await scene.asksWithin(100);
  scene.next = null;
  assert.equal(await scene.asksWithin(5000 + 1000 + 2000 + 4000), 4);
  assert.deepEqual(scene.heard, ['a', 'fails: ESERVFAIL']);
  assert.equal(scene.watched.answer, 'a');
  // 8, 16, and then 30 seconds each.
  assert.equal(await scene.asksWithin(8000 + 16_000 + 30_000 + 30_000), 4);
  scene.next = { value: 'a', ttlMs: 5000 };
  assert.equal(await scene.asksWithin(30_000), 1);
  assert.deepEqual(scene.heard, ['a', 'fails: ESERVFAIL', 'works']);
  assert.equal(await scene.asksWithin(5000), 1);
});

test('a first answer that does not come is waited for no longer than until it fails', async (t) => {
  const scene = new Scene(t, null);
  await scene.watched.asked;
  assert.equal(scene.watched.answer, null);
  scene.next = { value: 'a', ttlMs: 5000 };
  await scene.asksWithin(1000);
  assert.equal(scene.watched.answer, 'a');
});

test('nobody is asked after it is closed, and an answer on its way is not heard', async (t) => {
  const scene = new Scene(t);
  scene.watched.close();
  await scene.watched.asked;
  assert.equal(await scene.asksWithin(20_000), 0);
  assert.deepEqual(scene.heard, []);
});

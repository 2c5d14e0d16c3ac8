import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { PasswordQueue } from '../../src/control/password-queue.ts';
import type { PasswordAnswer } from '../../src/messages/to-worker.ts';
import { MAX_KEPT_MS } from '../../src/middleware/auth/basic/password-checks.ts';
import { WorkerPasswords } from '../../src/worker/worker-passwords.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { PasswordOffice } from '../support/passwords.ts';

const question = (digest: string) => ({ digest, hash: 'h', password: digest });
const SILENT = { info: () => {}, warn: () => {}, error: () => {}, fatal: () => {} };

/** A password queue, and a worker that asks it. */
function pair(holds: (password: string) => boolean) {
  const clock = new ManualClock();
  let hashes = 0;
  const queue: PasswordQueue = new PasswordQueue(
    SILENT as never,
    (_row: number, answer: PasswordAnswer) => worker.answer(answer),
    {
      clock,
      start: (answer) => ({
        gone: new Promise(() => {}),
        hash: ({ password }) => {
          hashes++;
          queueMicrotask(() => answer({ holds: holds(password), failure: null }));
        },
        end: () => {},
      }),
    },
  );
  queue.use(true);
  const worker: WorkerPasswords = new WorkerPasswords(
    () => clock.nowMs(),
    queue.memory,
    (asked) => queue.ask(0, asked),
  );
  return { clock, queue, worker, hashes: () => hashes };
}

test('what was right counts for five minutes from the hash on, wherever it is asked, and no longer', async () => {
  const { clock, worker, hashes } = pair(() => true);
  assert.ok(await worker.check(question('a')));
  await clock.advance(MAX_KEPT_MS - 1);
  assert.ok(worker.isKnown('a'));
  assert.ok(await worker.check(question('a')));
  assert.equal(hashes(), 1);
  await clock.advance(1);
  assert.ok(!worker.isKnown('a'), 'being asked about does not make it last');
  assert.ok(await worker.check(question('a')));
  assert.equal(hashes(), 2);
});

test('the same wrong password again costs no hash for ten seconds', async () => {
  const { clock, worker, hashes } = pair(() => false);
  for (const _try of [1, 2, 3]) assert.ok(!(await worker.check(question('a'))));
  assert.equal(hashes(), 1);
  await clock.advance(10_000);
  assert.ok(!(await worker.check(question('a'))));
  assert.equal(hashes(), 2);
});

test('without a hasher every question is refused', async () => {
  const { queue, worker } = pair(() => true);
  queue.close();
  await assert.rejects(worker.check(question('a')), { code: 'authentication_unavailable' });
});

test('64 wait and one is hashed; the next is refused; the same question again is not', async () => {
  const office = new PasswordOffice();
  for (let n = 0; n < 65; n++) office.queue.ask(0, question(`${n}`));
  assert.equal(office.requests.length, 1);
  assert.deepEqual(office.events, []);
  office.queue.ask(1, question('64'));
  assert.deepEqual(office.events, []);
  office.queue.ask(1, question('65'));
  assert.deepEqual(office.events, ['password-queue-full']);
  await turn();
  office.queue.close();
});

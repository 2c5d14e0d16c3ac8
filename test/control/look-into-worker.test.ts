import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { lookIntoWorker } from '../../src/control/look-into-worker.ts';

/** A thread that says that it is there and then runs a function of this name for ever. */
async function spin(t: TestContext, name: string): Promise<Worker> {
  const code = `require('node:worker_threads').parentPort.postMessage('here'); function ${name}() { for (;;); } ${name}();`;
  const worker = new Worker(code, { eval: true, name: `photon-worker-${name}` });
  t.after(() => worker.terminate());
  await once(worker, 'message');
  return worker;
}

/** The function that a thread runs. */
async function seenIn({ threadId }: Worker): Promise<string | undefined> {
  const report = await lookIntoWorker(threadId, 60_000);
  return report?.stack[0]?.split(' ')[0];
}

test('each of several threads is told apart, however often and in which order they are looked into', async (t) => {
  const names = ['orders', 'payments', 'search'];
  const workers = await Promise.all(names.map((name) => spin(t, name)));
  for (const [index, worker] of [...workers.entries(), ...workers.entries()].reverse()) {
    assert.equal(await seenIn(worker), names[index]);
  }
});

test('a thread that took the place of one that was looked into can be looked into', async (t) => {
  for (const name of ['first', 'second', 'third']) {
    const worker = await spin(t, name);
    assert.equal(await seenIn(worker), name);
    await worker.terminate();
  }
});

test('of a thread that is not there nothing is known', async () => {
  assert.equal(await lookIntoWorker(999_999), null);
});

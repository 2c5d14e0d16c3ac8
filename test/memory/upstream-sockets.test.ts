import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { clearWorkerRow, createSharedMemory } from '../../src/memory/shared-memory.ts';
import { SharedQueue } from '../../src/memory/shared-queue.ts';
import { SharedRateWindow } from '../../src/memory/shared-rate-window.ts';
import { UpstreamSockets } from '../../src/memory/upstream-sockets.ts';
import type { SocketTask } from './socket-thread.ts';

const THREADS = 8;
const memory = () => createSharedMemory({ backends: [{ upstreams: [{}] }] }, THREADS);

for (const limit of [1, 3]) {
  test(`eight threads that open sockets at once never have more than ${limit}, and nothing stays counted`, async () => {
    const shared = memory();
    const witness = new SharedArrayBuffer(4);
    const results = await Promise.all(
      Array.from({ length: THREADS }, async (_none, row) => {
        const workerData: SocketTask = { shared, row, turns: 100_000, limit, witness };
        const worker = new Worker(new URL('./socket-thread.ts', import.meta.url), { workerData });
        const exited = once(worker, 'exit');
        const [result] = (await once(worker, 'message')) as [{ most: number; taken: number }];
        await exited;
        return result;
      }),
    );
    assert.ok(
      results.every(({ most }) => most <= limit),
      JSON.stringify(results),
    );
    assert.ok(results.reduce((sum, { taken }) => sum + taken, 0) > 1000);
    assert.equal(new UpstreamSockets({ memory: shared, number: 0 }, 0).total, 0);
  });
}

test('the sockets of a worker that died are free again, and no others', () => {
  const shared = memory();
  const slot = { memory: shared, number: 0 };
  const [one, two] = [new UpstreamSockets(slot, 0), new UpstreamSockets(slot, 1)];
  for (const sockets of [one, one, two]) assert.ok(sockets.tryAcquire(3));
  assert.equal(two.tryAcquire(3), false);
  clearWorkerRow(shared, 0);
  assert.deepEqual([two.total, two.in(0), two.own], [1, 0, 1]);
});

test('a worker that waits is woken by a notification, and when another worker has died', async () => {
  for (const wakes of ['notification', 'death'] as const) {
    const shared = memory();
    const queue = new SharedQueue({ memory: shared, number: 0 }, 0);
    const worker = new Worker(new URL('./wake-up-thread.ts', import.meta.url), { workerData: { shared, row: 5 } });
    const exited = once(worker, 'exit');
    await once(worker, 'message');
    assert.deepEqual([queue.waiting, queue.waitingElsewhere, queue.waitingIn(5)], [1, 1, 1]);
    const woken = once(worker, 'message');
    if (wakes === 'notification') queue.notify(5);
    else clearWorkerRow(shared, 1);
    assert.deepEqual(await woken, ['woken']);
    await exited;
  }
});

test('a rate window allows so many in each second, over all workers', () => {
  const slot = { memory: memory(), number: 0 };
  const [one, two] = [new SharedRateWindow(slot, 3), new SharedRateWindow(slot, 3)];
  const take = (nowMs: number) => [one, two, one, two].map((each) => each.tryAcquire(nowMs));
  for (const nowMs of [0, 1000, 40_000_999, 2 ** 40])
    assert.deepEqual(take(nowMs), [true, true, true, false], `${nowMs}`);
  assert.equal(new SharedRateWindow(slot, 0).tryAcquire(5000), false);
});

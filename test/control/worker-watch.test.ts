import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerReport } from '../../src/control/look-into-worker.ts';
import { LOOKS, type WatchedWorker, WorkerWatch } from '../../src/control/worker-watch.ts';
import { createSharedMemory, SharedCount } from '../../src/memory/shared-memory.ts';

const LOOK_MS = 500;

class FakeWorker implements WatchedWorker {
  readonly threadId: number;
  readonly reasons: string[] = [];

  constructor(threadId: number) {
    this.threadId = threadId;
  }

  end(reason: string): Promise<void> {
    this.reasons.push(reason);
    return new Promise(() => {});
  }
}

/** A watch that looks when it is told to, and workers that beat when they are told to. */
class WatchBench {
  readonly shared = createSharedMemory({ backends: [] }, 3);
  readonly workers: (FakeWorker | null)[] = [new FakeWorker(10), new FakeWorker(11), new FakeWorker(12)];
  readonly events: [event: string, fields: object][] = [];
  readonly lost: number[] = [];
  /** By the number of the thread, which is the row and one. */
  readonly waitedMs = [0, 0, 0, 0];
  isDebugged = false;
  lookInto: () => Promise<WorkerReport | null> = async () => ({ stack: ['spin (file:///a.ts:1:2)'] });
  readonly watch: WorkerWatch;

  constructor() {
    const say = (event: string, fields: object = {}) => void this.events.push([event, fields]);
    this.watch = new WorkerWatch({
      shared: this.shared,
      workers: () => this.workers,
      timeoutMs: () => LOOKS * LOOK_MS,
      log: { info: say, warn: say, error: say },
      lookInto: () => this.lookInto(),
      waitedMs: (number) => this.waitedMs[number] ?? 0,
      isDebugged: () => this.isDebugged,
      onLost: (row) => this.lost.push(row),
    });
    for (const row of this.workers.keys()) SharedCount.threadNumber(this.shared, row).publish(row + 1);
    this.beat(0, 1, 2);
  }

  beat(...rows: readonly number[]): void {
    for (const row of rows) SharedCount.beats(this.shared, row).add(1);
  }

  /** Looks so often; these rows beat before each. */
  async look(times: number, ...beating: readonly number[]): Promise<void> {
    for (let time = 0; time < times; time++) {
      this.beat(...beating);
      this.watch.look();
      // What a look has found out is done in promises.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The rows whose workers are being ended. */
  get ended(): readonly number[] {
    return [...this.workers.keys()].filter((row) => (this.workers[row]?.reasons.length ?? 0) > 0);
  }
}

test('a worker that beats is never ended', async () => {
  const bench = new WatchBench();
  await bench.look(10 * LOOKS, 0, 1, 2);
  assert.deepEqual([bench.ended, bench.events], [[], []]);
});

test('a worker is ended after as many looks without a beat as the timeout has, and not one earlier', async () => {
  const bench = new WatchBench();
  await bench.look(1 + LOOKS - 1, 0, 2);
  assert.deepEqual(bench.ended, []);
  await bench.look(1, 0, 2);
  assert.deepEqual(bench.ended, [1]);
  assert.deepEqual(bench.workers[1]?.reasons, ['it was stuck for more than 5000 ms']);
  assert.deepEqual(bench.events, [
    ['worker-stuck', { worker: 1, timeoutMs: 5000, recovered: false, stack: ['spin (file:///a.ts:1:2)'] }],
  ]);
});

test('one beat makes the count start again', async () => {
  const bench = new WatchBench();
  await bench.look(LOOKS, 0, 2);
  await bench.look(1, 0, 1, 2);
  await bench.look(LOOKS - 1, 0, 2);
  assert.deepEqual(bench.ended, []);
});

test('a worker that has not begun to beat is not stuck', async () => {
  const bench = new WatchBench();
  SharedCount.beats(bench.shared, 1).publish(0);
  await bench.look(3 * LOOKS, 0, 2);
  assert.deepEqual(bench.ended, []);
});

test('of three workers that are stuck one is ended within each timeout', async () => {
  const bench = new WatchBench();
  await bench.look(1 + LOOKS);
  const [first] = bench.ended;
  assert.deepEqual(bench.ended, [first]);
  bench.workers[first as number] = null;
  await bench.look(LOOKS);
  assert.deepEqual(bench.ended.length, 0);
  await bench.look(1);
  assert.equal(bench.ended.length, 1);
});

test('a look counts as much as the thread could have run since the one before', async () => {
  const bench = new WatchBench();
  await bench.look(1, 0, 2);
  for (let look = 0; look < 2 * LOOKS - 1; look++) {
    bench.waitedMs[2] = (bench.waitedMs[2] as number) + LOOK_MS / 2;
    await bench.look(1, 0, 2);
  }
  assert.deepEqual(bench.ended, []);
  bench.waitedMs[2] = (bench.waitedMs[2] as number) + LOOK_MS / 2;
  await bench.look(1, 0, 2);
  assert.deepEqual(bench.ended, [1]);
});

test('a thread that gets no processor at all is not stuck, however late the looks are', async () => {
  const bench = new WatchBench();
  for (let look = 0; look < 10 * LOOKS; look++) {
    bench.waitedMs[2] = (bench.waitedMs[2] as number) + 3 * LOOK_MS;
    await bench.look(1, 0, 2);
  }
  assert.deepEqual(bench.ended, []);
});

test('a worker that beats while it is looked into is spared, and the log says so', async () => {
  const bench = new WatchBench();
  const { promise, resolve } = Promise.withResolvers<null>();
  bench.lookInto = () => promise;
  await bench.look(1 + LOOKS, 0, 2);
  bench.beat(1);
  resolve(null);
  await bench.look(1, 0, 2);
  assert.deepEqual(bench.ended, []);
  assert.deepEqual(bench.events, [['worker-stuck', { worker: 1, timeoutMs: 5000, recovered: true, stack: null }]]);
});

test('a worker that dies while it is looked into is not ended, nor is the next one of its row', async () => {
  const bench = new WatchBench();
  const { promise, resolve } = Promise.withResolvers<null>();
  bench.lookInto = () => promise;
  await bench.look(1 + LOOKS, 0, 2);
  bench.workers[1] = new FakeWorker(13);
  await bench.look(1, 0, 2);
  resolve(null);
  await bench.look(1, 0, 2);
  assert.deepEqual([bench.ended, bench.events], [[], []]);
});

test('a look into a worker that fails does not keep it from being ended', async () => {
  const bench = new WatchBench();
  bench.lookInto = () => Promise.reject(new Error('there is no such thread'));
  await bench.look(1 + LOOKS, 0, 2);
  assert.deepEqual(bench.ended, [1]);
});

test('a thread that does not end is said to be lost once, after the timeout', async () => {
  const bench = new WatchBench();
  await bench.look(1 + LOOKS, 0, 2);
  assert.deepEqual(bench.ended, [1]);
  await bench.look(LOOKS - 1, 0, 2);
  assert.deepEqual(bench.lost, []);
  await bench.look(1, 0, 2);
  assert.deepEqual(bench.lost, [1]);
  await bench.look(5 * LOOKS, 0, 2);
  assert.deepEqual(bench.lost, [1]);
  assert.equal(bench.workers[1]?.reasons.length, 1);
});

test('a thread that ends is not lost, and the next worker of its row has the whole timeout', async () => {
  const bench = new WatchBench();
  await bench.look(1 + LOOKS, 0, 2);
  const next = new FakeWorker(13);
  bench.workers[1] = next;
  await bench.look(1 + LOOKS - 1, 0, 2);
  assert.deepEqual([bench.lost, next.reasons], [[], []]);
  await bench.look(1, 0, 2);
  assert.equal(next.reasons.length, 1);
});

test('while someone may debug the process no worker is stuck', async () => {
  const bench = new WatchBench();
  bench.isDebugged = true;
  await bench.look(3 * LOOKS);
  assert.deepEqual(bench.ended, []);
  bench.isDebugged = false;
  await bench.look(1);
  assert.equal(bench.ended.length, 1);
});

test('a watch that is closed ends nothing, also what it was looking into', async () => {
  const bench = new WatchBench();
  const { promise, resolve } = Promise.withResolvers<null>();
  bench.lookInto = () => promise;
  await bench.look(1 + LOOKS, 0, 2);
  bench.watch.close();
  resolve(null);
  await new Promise((turn) => setImmediate(turn));
  assert.deepEqual([bench.ended, bench.events], [[], []]);
});

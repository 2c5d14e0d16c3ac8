import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { clearWorkerRow, createSharedMemory, SharedCount, SharedCursor } from '../../src/memory/shared-memory.ts';
import type { CountingTask } from './counting-thread.ts';

const CACHE_LINE_BYTES = 64;

const shapeOf = (...upstreamsPerBackend: number[]) => ({
  backends: upstreamsPerBackend.map((count) => ({ upstreams: Array.from({ length: count }, () => ({})) })),
});

describe('the layout', () => {
  for (const upstreams of [1, 15, 16, 17, 100]) {
    test(`keeps the rows of workers on cache lines of their own with ${upstreams} upstreams`, () => {
      const { rowInts, rows, workers } = createSharedMemory(shapeOf(upstreams), 3);
      assert.equal((rowInts * 4) % CACHE_LINE_BYTES, 0);
      assert.equal(rows.byteLength, workers * rowInts * 4);
    });
  }

  test('has a place of its own for everything that is counted', () => {
    const shared = createSharedMemory(shapeOf(1, 3, 13), 3);
    const counts = [0, 1, 2].flatMap((row) => [
      SharedCount.connections(shared, row),
      SharedCount.sockets(shared, row),
      ...Array.from({ length: 17 }, (_none, number) => ({ memory: shared, number })).flatMap((slot) => [
        SharedCount.upstreamSockets(slot, row),
        SharedCount.upstreamInFlight(slot, row),
      ]),
    ]);
    counts.forEach((count, at) => {
      count.add(at + 1);
    });
    assert.deepEqual(
      counts.map((count) => count.own),
      counts.map((_count, at) => at + 1),
    );
  });

  test('keeps the cursors of backends apart', () => {
    const shared = createSharedMemory(shapeOf(1, 1, 1), 1);
    const cursors = [0, 1, 2].map((backend) => new SharedCursor({ memory: shared, number: backend }));
    for (let turn = 0; turn < 5; turn++) cursors[1]?.next(100);
    assert.deepEqual(
      cursors.map((cursor) => cursor.next(100)),
      [0, 5, 0],
    );
    assert.equal(shared.cursors.byteLength, 3 * CACHE_LINE_BYTES);
  });
});

describe('a count', () => {
  test('is the sum of what all workers count, each in its own row', () => {
    const shared = createSharedMemory(shapeOf(2, 2), 3);
    const mine = [0, 1, 2].map((row) => SharedCount.upstreamSockets({ memory: shared, number: 3 }, row));
    const other = SharedCount.upstreamSockets({ memory: shared, number: 2 }, 1);
    for (const [row, count] of mine.entries()) count.add(10 ** row);
    other.add(7);
    mine[1]?.add(-4);
    assert.deepEqual(
      mine.map((count) => [count.own, count.total]),
      [
        [1, 107],
        [6, 107],
        [100, 107],
      ],
    );
    assert.equal(other.total, 7);
  });

  test('forgets what a worker counted when its row is cleared, and nothing else', () => {
    const shared = createSharedMemory(shapeOf(20), 3);
    const rows = [0, 1, 2].map((row) => [
      SharedCount.connections(shared, row),
      SharedCount.upstreamSockets({ memory: shared, number: 0 }, row),
      SharedCount.upstreamSockets({ memory: shared, number: 19 }, row),
    ]);
    for (const count of rows.flat()) count.add(5);
    new SharedCursor({ memory: shared, number: 0 }).next(100);
    clearWorkerRow(shared, 1);
    assert.deepEqual(
      rows.map((counts) => counts.map((count) => count.own)),
      [
        [5, 5, 5],
        [0, 0, 0],
        [5, 5, 5],
      ],
    );
    assert.deepEqual(
      rows[1]?.map((count) => count.total),
      [10, 10, 10],
    );
    assert.equal(new SharedCursor({ memory: shared, number: 0 }).next(100), 1, 'the cursor goes on');
  });
});

describe('a cursor', () => {
  test('gives every place in turn, round and round', () => {
    const cursor = new SharedCursor({ memory: createSharedMemory(shapeOf(3), 1), number: 0 });
    assert.deepEqual(
      Array.from({ length: 7 }, () => cursor.next(3)),
      [0, 1, 2, 0, 1, 2, 0],
    );
  });

  for (const from of [2 ** 31 - 2, 2 ** 32 - 2]) {
    test(`goes on within bounds when its counter passes ${from + 2}`, () => {
      const shared = createSharedMemory(shapeOf(3), 1);
      new Int32Array(shared.cursors)[0] = from | 0;
      const cursor = new SharedCursor({ memory: shared, number: 0 });
      const places = Array.from({ length: 5 }, () => cursor.next(4096));
      assert.deepEqual(places, [4094, 4095, 0, 1, 2]);
      for (const length of [1, 3, 4095]) {
        for (let turn = 0; turn < 5; turn++) {
          const place = cursor.next(length);
          assert.ok(Number.isInteger(place) && place >= 0 && place < length, `${place} of ${length}`);
        }
      }
    });
  }
});

test('threads that share a cursor get every place equally often, and their counts are exact', async () => {
  const threads = 3;
  const turns = 100_000;
  const length = 7;
  const shared = createSharedMemory(shapeOf(1), threads);
  const results = await Promise.all(
    Array.from({ length: threads }, async (_none, row) => {
      const workerData: CountingTask = { shared, row, turns, length };
      const worker = new Worker(new URL('./counting-thread.ts', import.meta.url), { workerData });
      const exited = once(worker, 'exit');
      const [places] = (await once(worker, 'message')) as [number[]];
      await exited;
      return places;
    }),
  );
  const total = (place: number) => results.reduce((sum, places) => sum + (places[place] ?? 0), 0);
  const wanted = Array.from({ length }, (_none, place) => Math.ceil((threads * turns - place) / length));
  assert.deepEqual(
    Array.from({ length }, (_none, place) => total(place)),
    wanted,
  );
  assert.equal(SharedCount.connections(shared, 0).total, threads * turns);
  assert.equal(SharedCount.upstreamSockets({ memory: shared, number: 0 }, 0).total, threads * turns);
});

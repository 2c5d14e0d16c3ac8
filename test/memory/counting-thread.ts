/** A thread that takes places from a cursor and counts in its row, as fast as it can, and reports what it got. */
import { parentPort, workerData } from 'node:worker_threads';
import { SharedCount, SharedCursor, type SharedMemory } from '../../src/memory/shared-memory.ts';

export interface CountingTask {
  readonly shared: SharedMemory;
  readonly row: number;
  readonly turns: number;
  readonly length: number;
}

// Sound: this file runs only as the worker of the test beside it, which sends a CountingTask.
const { shared, row, turns, length } = workerData as CountingTask;
const cursor = new SharedCursor({ memory: shared, number: 0 });
const connections = SharedCount.connections(shared, row);
const sockets = SharedCount.upstreamSockets({ memory: shared, number: 0 }, row);
const places = new Array<number>(length).fill(0);
for (let turn = 0; turn < turns; turn++) {
  connections.add(1);
  sockets.add(2);
  const place = cursor.next(length);
  places[place] = (places[place] ?? 0) + 1;
  sockets.add(-1);
}
parentPort?.postMessage(places);

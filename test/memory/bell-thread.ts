/** A thread that waits for its bell, and says when it was rung. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SharedMemory } from '../../src/memory/shared-memory.ts';
import { SharedQueue } from '../../src/memory/shared-queue.ts';

// Sound: this file runs only as the worker of the test beside it.
const { shared, row } = workerData as { readonly shared: SharedMemory; readonly row: number };
const queue = new SharedQueue({ memory: shared, number: 0 }, row);
const alive = setInterval(() => {}, 1000);
queue.joined();
queue.listen(() => {
  clearInterval(alive);
  parentPort?.postMessage('heard');
});
parentPort?.postMessage('listening');

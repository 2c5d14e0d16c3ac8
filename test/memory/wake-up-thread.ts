/** A thread that waits for a wake-up, and posts a message when it comes. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SharedMemory } from '../../src/memory/shared-memory.ts';
import { SharedQueue } from '../../src/memory/shared-queue.ts';

// Sound: this file runs only as the worker of the test beside it.
const { shared, row } = workerData as { readonly shared: SharedMemory; readonly row: number };
const queue = new SharedQueue({ memory: shared, number: 0 }, row);
const alive = setInterval(() => {}, 1000);
queue.joined();
queue.wait(() => {
  clearInterval(alive);
  parentPort?.postMessage('woken');
});
parentPort?.postMessage('waiting');

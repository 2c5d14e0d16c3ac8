/** A thread that opens and closes imaginary sockets of one upstream as fast as it can, and reports the most that it saw. */
import { parentPort, workerData } from 'node:worker_threads';
import type { SharedMemory } from '../../src/memory/shared-memory.ts';
import { UpstreamSockets } from '../../src/memory/upstream-sockets.ts';

export interface SocketTask {
  readonly shared: SharedMemory;
  readonly row: number;
  readonly turns: number;
  readonly limit: number;
  /** One number that is counted up and down beside the sockets. */
  readonly witness: SharedArrayBuffer;
}

// Sound: this file runs only as the worker of the test beside it, which sends a SocketTask.
const { shared, row, turns, limit, witness } = workerData as SocketTask;
const sockets = new UpstreamSockets({ memory: shared, number: 0 }, row);
const ints = new Int32Array(witness);
let most = 0;
let taken = 0;
for (let turn = 0; turn < turns; turn++) {
  if (!sockets.tryAcquire(limit)) continue;
  taken++;
  most = Math.max(most, Atomics.add(ints, 0, 1) + 1);
  Atomics.sub(ints, 0, 1);
  sockets.release();
}
parentPort?.postMessage({ most, taken });

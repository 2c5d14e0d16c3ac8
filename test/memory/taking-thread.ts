/** A thread that takes tokens as fast as it can, and reports how many it got of each key. */
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../../src/base/clock.ts';
import type { BucketRate } from '../../src/memory/bucket-limit.ts';
import { type TokenBucketMemory, TokenBuckets } from '../../src/memory/token-buckets.ts';

export interface TakingTask {
  readonly memory: TokenBucketMemory;
  readonly rate: BucketRate;
  readonly keys: readonly string[];
  /** For how long by the clock; null for so many turns at one moment. */
  readonly forMs: number | null;
  readonly turns: number;
  /** All threads begin when this has become 0. */
  readonly gate: Int32Array;
}

export interface TakingReport {
  readonly taken: readonly number[];
  readonly firstMs: number;
  readonly lastMs: number;
  /** The longest time from one turn to the next: for how long it had lost the processor. */
  readonly longestMs: number;
}

// Sound: this file runs only as the worker of the test beside it, which sends a TakingTask.
const { memory, rate, keys, forMs, turns, gate } = workerData as TakingTask;
const buckets = new TokenBuckets(memory);
const limit = buckets.limitOf('shared', rate);
const taken = new Array<number>(keys.length).fill(0);
const momentMs = 1000;

function takeOf(at: number, nowMs: number): void {
  limit.hash.hash(keys[at] as string);
  if (buckets.take(limit, limit.hash.low, limit.hash.high, nowMs) > 0) taken[at] = (taken[at] as number) + 1;
}

Atomics.sub(gate, 0, 1);
while (Atomics.load(gate, 0) > 0);
const firstMs = monotonicClock.nowMs();
let lastMs = firstMs;
let longestMs = 0;

function turnIsOver(now: number): void {
  longestMs = Math.max(longestMs, now - lastMs);
  lastMs = now;
}

if (forMs === null) {
  for (let turn = 0; turn < turns; turn++) {
    takeOf(turn % keys.length, momentMs);
    turnIsOver(monotonicClock.nowMs());
  }
} else {
  for (let now = firstMs; now < firstMs + forMs; now = monotonicClock.nowMs()) {
    for (let at = 0; at < keys.length; at++) takeOf(at, now);
    turnIsOver(now);
  }
}
parentPort?.postMessage({ taken, firstMs, lastMs, longestMs } satisfies TakingReport);

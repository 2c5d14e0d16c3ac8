/**
 * Preloaded into a gateway under test (`node --import`), where it runs in the control thread and in every worker. Messages over
 * the process's IPC channel make things go wrong, or ask for the counts that the threads share; the answers go back the same
 * way. The gateway itself has no such door.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { BroadcastChannel, isMainThread, threadName, Worker } from 'node:worker_threads';
import { SharedCount, type SharedMemory, type Slot } from '../../src/memory/shared-memory.ts';
import type { MessageToWorker } from '../../src/messages/to-worker.ts';
import { type LiveMemory, liveMemory } from '../support/garbage.ts';

/** What is to go wrong, and in which thread. */
export interface CrashRequest {
  readonly thread: string;
  readonly kind: 'throw' | 'fill-heap' | 'terminate' | 'spin';
}

/** Takes every descriptor that the process may still have, or gives them back. */
export interface DescriptorsRequest {
  readonly kind: 'take-descriptors' | 'give-descriptors';
}

export interface CountsRequest {
  readonly kind: 'count';
}

/** The rows of the shared memory: one number for each worker. */
export interface Counts {
  readonly connections: readonly number[];
  /** Of the first upstream. */
  readonly upstreamSockets: readonly number[];
  /** The system's numbers of the workers' threads. */
  readonly threadNumbers: readonly number[];
}

/** Asks what each worker has in use when what nobody needs has been collected. */
export interface MemoryRequest {
  readonly kind: 'measure-memory';
}

type HookRequest = CrashRequest | DescriptorsRequest | CountsRequest | MemoryRequest;

const channel = new BroadcastChannel('crash-on-request');
channel.unref();
const workers = new Map<string, Worker>();
const taken: number[] = [];
let shared: SharedMemory | null = null;
let firstUpstream: Slot | null = null;

if (process.argv[1]?.includes('compile-process')) {
  // The process that compiles inherits the preload, and has an IPC channel of its own.
} else if (isMainThread) {
  noteSharedMemory();
  process.on('worker', (worker) => {
    workers.set(worker.threadName ?? '', worker);
  });
  process.on('message', (request) => answer(request as HookRequest));
  process.channel?.unref();
} else {
  channel.onmessage = ({ data }) => obey(data as CrashRequest | MemoryRequest);
}

function answer(request: HookRequest): void {
  switch (request.kind) {
    case 'take-descriptors':
      void takeAll().then(() => process.send?.({ taken: taken.length }));
      break;
    case 'give-descriptors':
      for (const descriptor of taken.splice(0)) closeSync(descriptor);
      process.send?.({ taken: 0 });
      break;
    case 'count':
      process.send?.(counts());
      break;
    case 'terminate':
      void workers.get(request.thread)?.terminate();
      break;
    case 'measure-memory':
      void measureWorkers().then((each) => process.send?.(each));
      break;
    default:
      channel.postMessage(request);
  }
}

/** A thread that has ended gives its descriptors back a moment later. */
async function takeAll(): Promise<void> {
  let before = -1;
  while (taken.length > before) {
    before = taken.length;
    takeDescriptors();
    await pause(100);
  }
}

function takeDescriptors(): void {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // That was the last one.
  }
}

/** The memory goes to every worker in its first message. */
function noteSharedMemory(): void {
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, message: MessageToWorker, ...more: []) {
    if (message.type === 'start') {
      shared = message.shared;
      firstUpstream = message.slots.upstreams[0] ?? null;
    }
    postMessage.call(this, message, ...more);
  };
}

function counts(): Counts {
  const [memory, slot] = [shared, firstUpstream];
  if (memory === null || slot === null) return { connections: [], upstreamSockets: [], threadNumbers: [] };
  const rows = Array.from({ length: memory.workers }, (_none, row) => row);
  return {
    connections: rows.map((row) => SharedCount.connections(memory, row).own),
    upstreamSockets: rows.map((row) => SharedCount.upstreamSockets(slot, row).own),
    threadNumbers: rows.map((row) => SharedCount.threadNumber(memory, row).own),
  };
}

async function measureWorkers(): Promise<readonly LiveMemory[]> {
  const answers: LiveMemory[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  channel.onmessage = ({ data }) => {
    if (answers.push(data as LiveMemory) === shared?.workers) resolve();
  };
  channel.postMessage({ kind: 'measure-memory' } satisfies MemoryRequest);
  await promise;
  channel.onmessage = null;
  return answers;
}

function obey(request: CrashRequest | MemoryRequest): void {
  if (request.kind !== 'measure-memory') crash(request);
  // The threads that look up names hear it too.
  else if (threadName?.startsWith('photon-worker-')) channel.postMessage(liveMemory());
}

function crash({ thread, kind }: CrashRequest): void {
  if (thread !== threadName) {
    return;
  }
  if (kind === 'throw') {
    throw new Error('crash on request');
  }
  if (kind === 'spin') for (;;);
  fillHeap([]);
}

/** In steps, as a leak would: the event loop goes round in between. Numbers, which the collector need not look into. */
function fillHeap(kept: unknown[]): void {
  for (let count = 0; count < 20; count += 1) {
    kept.push(new Array<number>(100_000).fill(count + 0.5));
  }
  setImmediate(fillHeap, kept);
}

/**
 * Preloaded into a gateway under test (`node --import`), where it runs in the control thread and in every worker: a
 * message over the process's IPC channel that names a worker thread makes that thread throw, or fill its heap. The
 * gateway itself has no such door.
 */
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

/** What is to go wrong, and in which thread. */
export interface CrashRequest {
  readonly thread: string;
  readonly kind: 'throw' | 'fill-heap';
}

const channel = new BroadcastChannel('crash-on-request');
channel.unref();

if (isMainThread) {
  process.on('message', (request) => channel.postMessage(request));
  process.channel?.unref();
} else {
  channel.onmessage = ({ data }) => crash(data as CrashRequest);
}

function crash({ thread, kind }: CrashRequest): void {
  if (thread !== threadName) {
    return;
  }
  if (kind === 'throw') {
    throw new Error('crash on request');
  }
  fillHeap([]);
}

/** In steps, as a leak would: the event loop goes round in between. */
function fillHeap(kept: unknown[]): void {
  for (let index = 0; index < 50_000; index += 1) {
    kept.push({ index, more: [index, index, index, index] });
  }
  setImmediate(fillHeap, kept);
}

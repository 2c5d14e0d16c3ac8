/**
 * Preloaded into a gateway under test (`node --import`), where it runs in the control thread and in every worker: a
 * message over the process's IPC channel that names a worker thread makes that thread throw. The gateway itself has no
 * such door.
 */
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

const channel = new BroadcastChannel('crash-on-request');
channel.unref();

if (isMainThread) {
  process.on('message', (name) => channel.postMessage(name));
  process.channel?.unref();
} else {
  channel.onmessage = ({ data }) => {
    if (data === threadName) {
      throw new Error('crash on request');
    }
  };
}

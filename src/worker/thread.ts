/**
 * A worker thread: the data plane and its end of the conversation with the control thread. It starts empty; the first
 * message brings everything it serves with. An error that nobody caught ends the thread, and the control thread
 * replaces it.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import type { LogMessage, MessageToControl } from '../messages/to-control.ts';
import type { MessageToWorker, StartMessage } from '../messages/to-worker.ts';
import type { AccessSink } from '../telemetry/access-buffer.ts';
import { DataPlane, type DataPlaneLog } from './data-plane.ts';

const port = controlPort();
let plane: DataPlane | null = null;

port.on('message', (message: MessageToWorker) => {
  switch (message.type) {
    case 'start':
      void start(message);
      break;
    case 'tls':
      plane?.useTls(message.tls);
      post({ type: 'tls-used' });
      break;
    case 'drain':
      void drain();
      break;
  }
});

function controlPort(): MessagePort {
  if (parentPort === null) {
    throw new Error('Cannot run the worker as a program: want a thread that the control thread starts');
  }
  return parentPort;
}

function post(message: MessageToControl): void {
  port.postMessage(message);
}

function logAs(level: LogMessage['level']) {
  return (event: string, fields: object = {}) => post({ type: 'log', level, event, fields });
}

const log: DataPlaneLog = { info: logAs('info'), warn: logAs('warn'), error: logAs('error') };

const accessSink: AccessSink = {
  handOver: (block, bytes, lines) => post({ type: 'access-lines', block, bytes, lines }),
  dropped: (lines) => post({ type: 'access-dropped', lines }),
};

async function start({ listeners, ...plan }: StartMessage): Promise<void> {
  plane = new DataPlane({ ...plan, log, accessSink });
  for (const { source, secure } of listeners) {
    await plane.listen(source, secure);
  }
  post({ type: 'ready' });
}

async function drain(): Promise<void> {
  await plane?.drain();
  post({ type: 'drained' });
}

/**
 * A worker thread: the data plane and its end of the conversation with the control thread. It starts empty; the first
 * message brings everything it serves with. An error that nobody caught ends the thread, and the control thread
 * replaces it; one of users' middleware is logged, and nothing else.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { monotonicClock } from '../base/clock.ts';
import type { LogMessage, MessageToControl } from '../messages/to-control.ts';
import type {
  CommitMessage,
  ListenerPlan,
  MessageToWorker,
  PrepareMessage,
  StartMessage,
} from '../messages/to-worker.ts';
import type { PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { loadCustom } from '../middleware/custom/load-custom.ts';
import { ModuleLoader } from '../middleware/custom/module-loader.ts';
import type { AccessSink } from '../telemetry/access-buffer.ts';
import { DataPlane, type DataPlaneLog } from './data-plane.ts';
import { MiddlewareFaults, ownersOf } from './middleware-faults.ts';
import { giveSignsOfLife } from './signs-of-life.ts';

const port = controlPort();
const modules = new ModuleLoader();
let plane: DataPlane | null = null;

/** Loading modules takes time: whoever tells it something meanwhile is heard once it serves. */
let begun = Promise.resolve();

port.on('message', (message: MessageToWorker) => {
  if (message.type === 'start') begun = start(message);
  else if (plane === null) void begun.then(() => obey(message));
  else obey(message);
});

function obey(message: Exclude<MessageToWorker, StartMessage>): void {
  switch (message.type) {
    case 'prepare':
      void prepare(message);
      break;
    case 'commit':
      void commit(message);
      break;
    case 'discard':
      discard();
      break;
    case 'tls':
      plane?.useTls(message.tls);
      post({ type: 'tls-used' });
      break;
    case 'key-set':
      plane?.useKeySet(message.url, message.text);
      break;
    case 'password-answer':
      plane?.answerPassword(message);
      break;
    case 'drain':
      void drain();
      break;
  }
}

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

const faults = new MiddlewareFaults(
  {
    get nowMs() {
      return monotonicClock.nowMs();
    },
  },
  log,
);

process.on('uncaughtException', (error, origin) => {
  const owners = ownersOf(error, origin, modules.owners);
  if (owners.length === 0) throw error;
  faults.tell(owners.join(', '), error, origin);
});

const accessSink: AccessSink = {
  handOver: (block, bytes, lines) => post({ type: 'access-lines', block, bytes, lines }),
  dropped: (lines) => post({ type: 'access-dropped', lines }),
};

async function start({ listeners, keySets, ...options }: StartMessage): Promise<void> {
  // Users' code may run from here on.
  giveSignsOfLife(options.shared, options.row);
  const custom = await loadCustom(options.compiled.custom, modules, { log });
  const wantKeySet = (url: string) => post({ type: 'key-set-wanted', url });
  const checkPassword = (question: PasswordQuestion) => post({ type: 'password-wanted', ...question });
  plane = new DataPlane({ ...options, log, accessSink, custom, wantKeySet, checkPassword });
  for (const { url, text } of keySets) plane.useKeySet(url, text);
  for (const listener of listeners) await plane.listen(listener);
  post({ type: 'ready' });
}

/** Those that are opened with the commit. */
let waiting: readonly ListenerPlan[] = [];

async function prepare({ plan, listeners }: PrepareMessage): Promise<void> {
  let failure: string | null = null;
  let startedMs = performance.now();
  waiting = listeners;
  try {
    const custom = await loadCustom(plan.compiled.custom, modules, { log });
    // Modules load beside what is served.
    startedMs = performance.now();
    plane?.prepare(plan, custom);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  post({ type: 'prepared', failure, tookMs: performance.now() - startedMs, moduleBytes: modules.loadedBytes });
}

async function commit({ listeners }: CommitMessage): Promise<void> {
  const startedMs = performance.now();
  plane?.commit();
  const tookMs = performance.now() - startedMs;
  for (const listener of waiting) await plane?.listen(listener);
  waiting = [];
  plane?.closeListenersBut(listeners);
  post({ type: 'committed', tookMs });
}

function discard(): void {
  plane?.discard();
  waiting = [];
}

async function drain(): Promise<void> {
  await plane?.drain();
  post({ type: 'drained' });
}

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
  DiscardMessage,
  MessageToWorker,
  OpenMessage,
  PrepareMessage,
  ServingPlan,
  StartMessage,
  TlsMessage,
} from '../messages/to-worker.ts';
import type { PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { type CustomChain, loadCustom } from '../middleware/custom/load-custom.ts';
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

// Code of a user can close it. A worker that no message reaches would serve an old configuration for ever; one that dies is replaced.
port.on('close', () => {
  throw new Error('The port to the control thread was closed');
});

function obey(message: Exclude<MessageToWorker, StartMessage>): void {
  switch (message.type) {
    case 'prepare':
      void prepare(message);
      break;
    case 'open':
      void open(message);
      break;
    case 'commit':
      void commit(message);
      break;
    case 'discard':
      discard(message);
      break;
    case 'tls':
      useTls(message);
      break;
    case 'key-set':
      plane?.useKeySet(message);
      break;
    case 'password-answer':
      plane?.answerPassword(message);
      break;
    case 'drain':
      void drain();
      break;
    case 'cut':
      void cut();
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
  faults.logOutside(owners.join(', '), error, origin);
});

const accessSink: AccessSink = {
  handOver: (block, bytes, lines) => post({ type: 'access-lines', block, bytes, lines }),
  dropped: (lines) => post({ type: 'access-dropped', lines }),
};

/** The middleware of users in a configuration, made. */
interface MadeCustom {
  readonly configuration: number;
  readonly chain: CustomChain;
}

/** That of what is served. */
let made: MadeCustom | null = null;

/**
 * The middleware of users for a plan. Only another configuration has others: while the servers behind names change, code that has changed
 * since, and was perhaps refused, is none of them.
 */
async function customFor({ configuration, compiled }: ServingPlan): Promise<MadeCustom> {
  if (made?.configuration === configuration) return made;
  const chain = await loadCustom(compiled.custom, modules, { log }, ({ name, module }) =>
    post({ type: 'loading', middleware: name, module }),
  );
  return { configuration, chain };
}

async function start({ listeners, keySets, ...options }: StartMessage): Promise<void> {
  // Users' code may run from here on.
  giveSignsOfLife(options.shared, options.row);
  made = await customFor(options);
  const wantKeySet = (url: string) => post({ type: 'key-set-wanted', url });
  const checkPassword = (question: PasswordQuestion) => post({ type: 'password-wanted', ...question });
  plane = new DataPlane({ ...options, log, accessSink, custom: made.chain, wantKeySet, checkPassword });
  for (const keySet of keySets) plane.useKeySet(keySet);
  await plane.listenOn(listeners);
  post({ type: 'ready' });
}

/** What is being made ready, and then is. */
interface Preparation {
  custom: MadeCustom | null;
}

/** Null when there is nothing to commit. */
let preparation: Preparation | null = null;

async function prepare({ question, plan, listeners }: PrepareMessage): Promise<void> {
  const own: Preparation = { custom: null };
  preparation = own;
  let failure: string | null = null;
  let startedMs = performance.now();
  let bound = 0;
  try {
    own.custom = await customFor(plan);
    // A module may have come to its end long after the change was given up.
    if (preparation !== own) return;
    // Modules load beside what is served.
    startedMs = performance.now();
    plane?.prepare(plan, own.custom.chain);
    bound = plane?.bindListeners(listeners) ?? 0;
  } catch (error) {
    failure = reasonOf(error);
  }
  const tookMs = performance.now() - startedMs;
  post({ type: 'prepared', question, failure, tookMs, moduleBytes: modules.loadedBytes, bound });
}

async function open({ question }: OpenMessage): Promise<void> {
  let failure: string | null = null;
  try {
    await plane?.openListeners();
  } catch (error) {
    failure = reasonOf(error);
  }
  post({ type: 'opened', question, failure });
}

async function commit({ question }: CommitMessage): Promise<void> {
  const startedMs = performance.now();
  const settled = plane?.commit();
  made = preparation?.custom ?? made;
  preparation = null;
  const tookMs = performance.now() - startedMs;
  await settled;
  post({ type: 'committed', question, tookMs });
}

function discard({ question }: DiscardMessage): void {
  plane?.discard();
  if (preparation?.custom === null) modules.abandon();
  preparation = null;
  post({ type: 'discarded', question });
}

function useTls({ question, tls }: TlsMessage): void {
  let failure: string | null = null;
  try {
    plane?.useTls(tls);
  } catch (error) {
    failure = reasonOf(error);
  }
  post({ type: 'tls-used', question, failure });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function drain(): Promise<void> {
  await plane?.drain();
  post({ type: 'drained' });
}

async function cut(): Promise<void> {
  await plane?.cut();
  post({ type: 'drained' });
}

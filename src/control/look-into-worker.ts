import type { Debugger, Runtime, Session } from 'node:inspector';
import { isOverWithin } from '../base/within.ts';
import type { CustomRequest } from '../middleware/custom/custom-request.ts';
import type { Exchange } from '../pipeline/exchange.ts';

/** The request that a worker is at. */
interface RequestReport {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Id of the route; empty before there is one. */
  readonly route: string;
}

/** What a worker does: its stack, the innermost call first, and the request, where one can be found on the stack. */
export interface WorkerReport extends Partial<RequestReport> {
  readonly stack: readonly string[];
}

/** A thread that runs JavaScript stops within a tenth of a second, or a few on a busy machine; one in a native call does not. */
const LIMIT_MS = 2000;
const MAX_FRAMES = 30;
const MAX_PATH = 1024;
/** The inspector numbers the workers of each session in an order of its own; their titles have the id of the thread. */
const THREAD_ID = /^\[worker (\d+)\]/;

/**
 * Finds out what a worker thread does that does not come back to its event loop: a debugger stops it for a moment, and lets it go on before
 * the promise settles. Resolves with null for a thread that is in a native call (a hash, a synchronous read, a child process that is waited
 * for), and where Node has no inspector.
 */
export async function lookIntoWorker(threadId: number, limitMs = LIMIT_MS): Promise<WorkerReport | null> {
  if (!process.features.inspector) return null;
  const inspector = process.getBuiltinModule('node:inspector');
  const worker = new DebuggedWorker(new inspector.Session(), threadId);
  await isOverWithin(limitMs, worker.look()).catch(() => undefined);
  await worker.release();
  return worker.report;
}

/** Someone may look at the threads of this process with a debugger, and stop them for as long as they like. */
export function isDebugged(): boolean {
  return process.features.inspector && process.getBuiltinModule('node:inspector').url() !== undefined;
}

/** A worker thread under the debugger of V8, by way of the control thread's own session (Node's domain NodeWorker). */
class DebuggedWorker {
  /** As far as it is known. */
  report: WorkerReport | null = null;
  readonly #session: Session;
  readonly #threadId: number;
  readonly #paused = Promise.withResolvers<readonly Debugger.CallFrame[]>();
  readonly #questions: ((answer: Answer) => void)[] = [];
  /** Where each script comes from, by its id. */
  readonly #urls = new Map<string, string>();
  #sessionId: string | null = null;
  #isPaused = false;

  constructor(session: Session, threadId: number) {
    this.#session = session;
    this.#threadId = threadId;
    session.connect();
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      if (THREAD_ID.exec(workerInfo.title)?.[1] === `${threadId}`) this.#sessionId = sessionId;
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
      if (sessionId === this.#sessionId) this.#received(JSON.parse(message) as Message);
    });
  }

  #received(message: Message): void {
    if ('id' in message) this.#questions[message.id]?.(message);
    else if (message.method === 'Debugger.scriptParsed') this.#urls.set(message.params.scriptId, message.params.url);
    else if (message.method === 'Debugger.paused') {
      this.#isPaused = true;
      this.#paused.resolve(message.params.callFrames);
    }
  }

  /** Stops the thread and fills in the report. Never resolves while the thread cannot be stopped. */
  async look(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // All threads that there are have been named by the time that this is answered.
    this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, () => resolve());
    await promise;
    if (this.#sessionId === null) throw new Error(`there is no thread ${this.#threadId}`);
    // Asked for in the same moment, the pause may be lost.
    await this.#ask('Debugger.enable');
    void this.#ask('Debugger.pause');
    const frames = (await this.#paused.promise).slice(0, MAX_FRAMES);
    const stack = frames.map((frame) => this.#lineOf(frame));
    this.report = { stack };
    const request = await this.#requestIn(frames);
    if (request !== null) this.report = { ...request, stack };
  }

  /** Lets the thread go on: one that is ended while it is stopped, or is about to be, never ends. */
  async release(): Promise<void> {
    if (this.#isPaused) {
      await isOverWithin(LIMIT_MS, this.#ask('Debugger.resume'));
    } else if (this.#sessionId !== null) {
      // It may stop before it reads this.
      void this.#ask('Debugger.resume');
      void this.#ask('Debugger.disable');
    }
    this.#session.disconnect();
  }

  #ask(method: string, params: object = {}): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const id = this.#questions.push(resolve) - 1;
    const message = JSON.stringify({ id, method, params });
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#sessionId as string, message });
    return promise;
  }

  /** As in a stack of V8. */
  #lineOf({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }: Debugger.CallFrame): string {
    const place = `${this.#urls.get(scriptId) ?? ''}:${lineNumber + 1}:${columnNumber + 1}`;
    return `${functionName === '' ? '<anonymous>' : functionName} (${place})`;
  }

  /** Of the innermost call that has one. */
  async #requestIn(frames: readonly Debugger.CallFrame[]): Promise<RequestReport | null> {
    for (const frame of frames) {
      for (const object of await this.#objectsOf(frame)) {
        const request = await this.#requestOf(object);
        if (request !== null) return request;
      }
    }
    return null;
  }

  /** What a call has as `this` and in its variables. */
  async #objectsOf(frame: Debugger.CallFrame): Promise<readonly Runtime.RemoteObject[]> {
    const objects = [frame.this];
    for (const { type, object } of frame.scopeChain) {
      if (type !== 'local' && type !== 'block' && type !== 'closure') continue;
      const { result } = await this.#ask('Runtime.getProperties', { objectId: object.objectId, ownProperties: true });
      const properties = (result as Partial<Runtime.GetPropertiesReturnType> | undefined)?.result ?? [];
      for (const { value } of properties) if (value !== undefined) objects.push(value);
    }
    return objects;
  }

  async #requestOf({ className = '', objectId }: Runtime.RemoteObject): Promise<RequestReport | null> {
    const reader = READERS.get(className);
    if (reader === undefined || objectId === undefined) return null;
    const call = { objectId, functionDeclaration: String(reader), returnByValue: true };
    const { result } = await this.#ask('Runtime.callFunctionOn', call);
    // What the reader throws comes as an object without a value.
    const value = (result as Partial<Runtime.CallFunctionOnReturnType> | undefined)?.result?.value as unknown;
    return isRequestReport(value) ? { ...value, path: value.path.slice(0, MAX_PATH) } : null;
  }
}

/** An answer of the thread: what was asked for, or nothing and an error. */
interface Answer {
  readonly id: number;
  readonly result?: object;
}

type Message =
  | Answer
  | { readonly method: 'Debugger.paused'; readonly params: Debugger.PausedEventDataType }
  | { readonly method: 'Debugger.scriptParsed'; readonly params: Debugger.ScriptParsedEventDataType };

/** They run in the worker, as text: nothing of this module is there. */
const READERS = new Map<string, (this: never) => RequestReport>([
  ['Exchange', readExchange],
  ['CustomRequest', readCustomRequest],
]);

function readExchange(this: Exchange): RequestReport {
  return { method: this.request.method, path: this.target.path, route: this.route === null ? '' : this.route.id };
}

/** Throws when the request is over. */
function readCustomRequest(this: CustomRequest): RequestReport {
  return { method: this.method, path: this.path, route: this.route };
}

/** An exchange that is not in use has no method. */
function isRequestReport(value: unknown): value is RequestReport {
  if (typeof value !== 'object' || value === null) return false;
  const { method, path, route } = value as Partial<Record<string, unknown>>;
  return typeof method === 'string' && method !== '' && typeof path === 'string' && typeof route === 'string';
}

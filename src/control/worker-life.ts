import { Worker } from 'node:worker_threads';
import { formatDuration } from '../base/duration.ts';
import { isOverWithin } from '../base/within.ts';
import { isMessage } from '../messages/is-message.ts';
import type {
  AccessLinesMessage,
  CommittedMessage,
  LoadingMessage,
  LogMessage,
  MessageToControl,
  OpenedMessage,
  PreparedMessage,
} from '../messages/to-control.ts';
import type {
  FetchedKeySet,
  ListenerPlan,
  MessageToWorker,
  PasswordAnswer,
  ServingPlan,
  StartMessage,
  TlsMaterial,
} from '../messages/to-worker.ts';
import type { PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { AccessBlocks } from '../telemetry/access-blocks.ts';
import { Deadline } from './deadline.ts';

/** The source runs as it is, the package as JavaScript: the thread is whichever of the two we are. */
const THREAD = new URL(`../worker/thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** Until a worker has loaded its own code it has at least so long, however little its configuration allows: no module of a user is at fault. */
const MIN_START_MS = 60_000;

/** The JavaScript heap of one worker. Buffers do not count here: the data plane bounds them itself. */
const MAX_HEAP_MB = 1024;

/** How long a worker that is to end may take to close its connections. */
const CUT_MS = 500;

/** Hears what a worker says besides how it lives. */
export interface WorkerListener {
  onLog(message: LogMessage): void;
  /** Of the lines in `blocks`. */
  onAccessLines(message: AccessLinesMessage, blocks: AccessBlocks): void;
  onAccessDropped(lines: number): void;
  onKeySetWanted(url: string): void;
  onPasswordWanted(question: PasswordQuestion): void;
}

/** A worker cannot do what it was asked; it serves on as before. */
export class WorkerRefusal extends Error {}

/** A question that waits for its answer. */
interface Asked {
  readonly answered: (answer: Answer) => void;
  readonly givenUp: (error: Error) => void;
  readonly deadline: Deadline;
}

/**
 * One worker thread from its start to its end.
 *
 *   started --ready--> serving --drain()--> draining --drained--> (terminate)
 *      \__________________\____________________\____died, end()____> gone
 *
 * A start, and each question, has a deadline. A worker that says that it loads the next module has the whole time again.
 */
export class WorkerLife {
  /** Settles once: every listener is open, or the thread died before that (rejected with the reason). */
  readonly ready: Promise<void>;
  /** Why the thread ended. Never rejects. */
  readonly gone: Promise<string>;
  readonly #worker: Worker;
  readonly #drained: Promise<void>;
  readonly #name: string;
  readonly #limitMs: number;
  #starting: Deadline;
  /** By their numbers. */
  readonly #asked = new Map<number, Asked>();
  #questions = 0;
  /** The module that it loads, as far as it has said. */
  #loading: string | null = null;
  #isGone = false;
  /** Why we end it. */
  #endReason: string | null = null;

  constructor(start: StartMessage, listener: WorkerListener) {
    this.#name = `worker ${start.row}`;
    this.#limitMs = limitOf(start);
    this.#starting = this.#startWithin(Math.max(this.#limitMs, MIN_START_MS));
    const ready = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    const accessBlocks = new AccessBlocks(start.accessMemory);
    this.#worker = new Worker(THREAD, {
      name: `photon-worker-${start.row}`,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.#worker.on('message', (message: MessageToControl) => {
      if (!isMessage(message)) return;
      switch (message.type) {
        case 'ready':
          this.#starting.end();
          this.#loading = null;
          ready.resolve();
          break;
        case 'loading':
          this.#loads(message);
          break;
        case 'drained':
          drained.resolve();
          break;
        case 'tls-used':
        case 'prepared':
        case 'opened':
        case 'committed':
        case 'discarded':
          this.#answered(message);
          break;
        case 'log':
          listener.onLog(message);
          break;
        case 'key-set-wanted':
          listener.onKeySetWanted(message.url);
          break;
        case 'password-wanted':
          listener.onPasswordWanted(message);
          break;
        case 'access-lines':
          listener.onAccessLines(message, accessBlocks);
          break;
        case 'access-dropped':
          listener.onAccessDropped(message.lines);
          break;
      }
    });
    this.gone = endOf(this.#worker).then((reason) => this.#endReason ?? reason);
    this.#drained = drained.promise;
    this.ready = ready.promise;
    void this.gone.then((reason) => {
      this.#isGone = true;
      this.#starting.end();
      ready.reject(new Error(reason));
      this.#giveUp(new Error(`${this.#name} died: ${reason}`));
    });
    this.#post(start);
  }

  #startWithin(limitMs: number): Deadline {
    return new Deadline(limitMs, () => this.end(this.#lateFor('start', limitMs)));
  }

  #loads({ middleware, module }: LoadingMessage): void {
    this.#loading = `it was loading the module ${module} of the middleware "${middleware}"`;
    if (this.#starting.isRunning) {
      this.#starting.end();
      this.#starting = this.#startWithin(this.#limitMs);
    }
    for (const { deadline } of this.#asked.values()) deadline.restart();
  }

  #answered(answer: Answer): void {
    const asked = this.#asked.get(answer.question);
    if (asked === undefined) return;
    this.#loading = null;
    this.#forget(answer.question, asked);
    asked.answered(answer);
  }

  #forget(question: number, { deadline }: Asked): void {
    deadline.end();
    this.#asked.delete(question);
  }

  /** Nobody waits for answers any more. */
  #giveUp(error: Error): void {
    this.#loading = null;
    for (const [question, asked] of this.#asked) {
      this.#forget(question, asked);
      asked.givenUp(error);
    }
  }

  #lateFor(task: string, limitMs: number): string {
    const where = this.#loading === null ? '' : `: ${this.#loading}`;
    return `${this.#name} did not ${task} within ${formatDuration(limitMs)}${where}`;
  }

  #post(message: MessageToWorker): void {
    this.#worker.postMessage(message);
  }

  /** `task` goes on after "did not". Rejects when the worker is gone before it answers, or does not answer in time. */
  #ask(task: string, limitMs: number, ask: (question: number) => MessageToWorker): Promise<Answer> {
    if (this.#isGone) return Promise.reject(new Error(`${this.#name} has died`));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const question = ++this.#questions;
    const deadline = new Deadline(limitMs, () => {
      this.#asked.delete(question);
      reject(new Error(this.#lateFor(task, limitMs)));
    });
    this.#asked.set(question, { answered: resolve, givenUp: reject, deadline });
    this.#post(ask(question));
    return promise;
  }

  /** Whether it serves, once that is settled: false when it is gone before. */
  serves(): Promise<boolean> {
    return this.ready.then(
      () => true,
      () => false,
    );
  }

  /** Resolves when the worker uses it. Rejects with a WorkerRefusal when it cannot. */
  async useTls(tls: TlsMaterial, limitMs: number): Promise<void> {
    const answer = await this.#ask('use new certificates', limitMs, (question) => ({ type: 'tls', question, tls }));
    requireDone(answer as Extract<Answer, { readonly type: 'tls-used' }>);
  }

  /** Makes a configuration ready, and binds those of its listeners that are new. Rejects when it cannot be served, or is given up. */
  async prepare(plan: ServingPlan, listeners: readonly ListenerPlan[]): Promise<PreparedMessage> {
    const task = 'make the configuration ready';
    const answer = await this.#ask(task, limitOf(plan), (question) => ({ type: 'prepare', question, plan, listeners }));
    // Sound, as below: the worker answers each question with its own type.
    const prepared = answer as PreparedMessage;
    requireDone(prepared);
    return prepared;
  }

  /** Opens the listeners that were bound; who connects there waits for the commit. Rejects when that cannot be done. */
  async open(limitMs: number): Promise<void> {
    requireDone((await this.#ask('listen', limitMs, (question) => ({ type: 'open', question }))) as OpenedMessage);
  }

  /** Goes over to what was prepared. */
  async commit(limitMs: number): Promise<CommittedMessage> {
    const task = 'go over to the new configuration';
    return (await this.#ask(task, limitMs, (question) => ({ type: 'commit', question }))) as CommittedMessage;
  }

  useKeySet(keySet: FetchedKeySet): void {
    this.#post({ type: 'key-set', ...keySet });
  }

  answerPassword(answer: PasswordAnswer): void {
    this.#post({ type: 'password-answer', ...answer });
  }

  /** Gives up what was prepared, or still is. Resolves when what was opened for it is closed. */
  async discard(limitMs: number): Promise<void> {
    this.#giveUp(new Error('the change was given up'));
    await this.#ask('give up the new configuration', limitMs, (question) => ({ type: 'discard', question }));
  }

  /** Lets the worker finish what it has, then ends it. Resolves when the thread is gone. */
  async drain(): Promise<void> {
    this.#post({ type: 'drain' });
    await Promise.race([this.#drained, this.gone]);
    await this.end();
  }

  /**
   * Has the worker end its connections, so that no reply that is cut looks whole: with the thread, the system would close them in the
   * ordinary way. One that is busy is not waited for.
   */
  async cut(): Promise<void> {
    this.#post({ type: 'cut' });
    await isOverWithin(CUT_MS, Promise.race([this.#drained, this.gone]));
  }

  /** Of Node; -1 once the thread is gone. */
  get threadId(): number {
    return this.#worker.threadId;
  }

  /** Ends the thread now, with everything it has open. `reason`: why it ended, where it does so by this. */
  async end(reason: string | null = null): Promise<void> {
    this.#endReason ??= reason;
    await this.#worker.terminate();
  }
}

/** How long each step of a worker may take that serves this plan, or is to. */
export function limitOf({ compiled }: ServingPlan): number {
  return compiled.config.server.reloadTimeoutMs;
}

function requireDone({ failure }: { readonly failure: string | null }): void {
  if (failure !== null) throw new WorkerRefusal(failure);
}

type Answer = Extract<
  MessageToControl,
  { readonly type: 'tls-used' | 'prepared' | 'opened' | 'committed' | 'discarded' }
>;

function endOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    let reason: string | null = null;
    worker.once('error', (error: Error) => {
      reason = `${error.name}: ${error.message}`;
    });
    worker.once('exit', (code) => resolve(reason ?? `exit code ${code}`));
  });
}

import { Worker } from 'node:worker_threads';
import type {
  AccessLinesMessage,
  CommittedMessage,
  LogMessage,
  MessageToControl,
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

/** The source runs as it is, the package as JavaScript: the thread is whichever of the two we are. */
const THREAD = new URL(`../worker/thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** The JavaScript heap of one worker. Buffers do not count here: the data plane bounds them itself. */
const MAX_HEAP_MB = 1024;

/** Hears what a worker says besides how it lives. */
export interface WorkerListener {
  onLog(message: LogMessage): void;
  /** Of the lines in `blocks`. */
  onAccessLines(message: AccessLinesMessage, blocks: AccessBlocks): void;
  onAccessDropped(lines: number): void;
  onKeySetWanted(url: string): void;
  onPasswordWanted(question: PasswordQuestion): void;
}

/**
 * One worker thread from its start to its end.
 *
 *   started --ready--> serving --drain()--> draining --drained--> (terminate)
 *      \__________________\____________________\________died________> gone
 */
export class WorkerLife {
  /** Settles once: every listener is open, or the thread died before that (rejected with the reason). */
  readonly ready: Promise<void>;
  /** Why the thread ended. Never rejects. */
  readonly gone: Promise<string>;
  readonly #worker: Worker;
  readonly #drained: Promise<void>;
  #endReason: string | null = null;
  /** Who waits for an answer, in the order of the questions: a worker answers in that order. */
  readonly #asked: ((answer: Answer) => void)[] = [];

  constructor(start: StartMessage, listener: WorkerListener) {
    const ready = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    const accessBlocks = new AccessBlocks(start.accessMemory);
    this.#worker = new Worker(THREAD, {
      name: `photon-worker-${start.row}`,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    this.#worker.on('message', (message: MessageToControl) => {
      switch (message.type) {
        case 'ready':
          ready.resolve();
          break;
        case 'drained':
          drained.resolve();
          break;
        case 'tls-used':
        case 'prepared':
        case 'committed':
          this.#asked.shift()?.(message);
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
    void this.gone.then((reason) => ready.reject(new Error(reason)));
    this.#post(start);
  }

  #post(message: MessageToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Rejects when the worker is gone before it answers. */
  async #ask(message: MessageToWorker): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#asked.push(resolve);
    this.#post(message);
    const answer = await Promise.race([promise, this.gone]);
    if (typeof answer === 'string') throw new Error(`a worker died: ${answer}`);
    return answer;
  }

  /** Resolves when the worker uses it, or is gone. */
  async useTls(tls: TlsMaterial): Promise<void> {
    await this.#ask({ type: 'tls', tls }).catch(() => undefined);
  }

  /** Makes a configuration ready, and listeners that are opened with the commit. Rejects when it cannot be served. */
  async prepare(plan: ServingPlan, listeners: readonly ListenerPlan[]): Promise<PreparedMessage> {
    const answer = await this.#ask({ type: 'prepare', plan, listeners });
    // Sound: answers come in the order of the questions.
    const prepared = answer as PreparedMessage;
    if (prepared.failure !== null) throw new Error(prepared.failure);
    return prepared;
  }

  /** Goes over to what was prepared; `listeners`: the keys of all that are open from then on. */
  async commit(listeners: readonly string[]): Promise<CommittedMessage> {
    return (await this.#ask({ type: 'commit', listeners })) as CommittedMessage;
  }

  useKeySet(keySet: FetchedKeySet): void {
    this.#post({ type: 'key-set', ...keySet });
  }

  answerPassword(answer: PasswordAnswer): void {
    this.#post({ type: 'password-answer', ...answer });
  }

  discard(): void {
    this.#post({ type: 'discard' });
  }

  /** Lets the worker finish what it has, then ends it. Resolves when the thread is gone. */
  async drain(): Promise<void> {
    this.#post({ type: 'drain' });
    await Promise.race([this.#drained, this.gone]);
    await this.end();
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

type Answer = Extract<MessageToControl, { readonly type: 'tls-used' | 'prepared' | 'committed' }>;

function endOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    let reason: string | null = null;
    worker.once('error', (error: Error) => {
      reason = `${error.name}: ${error.message}`;
    });
    worker.once('exit', (code) => resolve(reason ?? `exit code ${code}`));
  });
}

import { type Transferable, Worker } from 'node:worker_threads';
import type { AccessLinesMessage, LogMessage, MessageToControl } from '../messages/to-control.ts';
import type { MessageToWorker, StartMessage, TlsMaterial } from '../messages/to-worker.ts';
import { isBoundSocket } from '../net/binding.ts';
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
  /** Who waits for the answers to `useTls`, in the order of the questions. */
  readonly #tlsUsed: (() => void)[] = [];

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
          this.#tlsUsed.shift()?.();
          break;
        case 'log':
          listener.onLog(message);
          break;
        case 'access-lines':
          listener.onAccessLines(message, accessBlocks);
          break;
        case 'access-dropped':
          listener.onAccessDropped(message.lines);
          break;
      }
    });
    this.gone = endOf(this.#worker);
    this.#drained = drained.promise;
    this.ready = ready.promise;
    void this.gone.then((reason) => ready.reject(new Error(reason)));
    // Node moves bound sockets since 26.4; the type declarations of the transfer list do not know it yet.
    const sources = start.listeners.map(({ source }) => source);
    const sockets = sources.filter(isBoundSocket) as readonly unknown[] as readonly Transferable[];
    this.#post(start, sockets);
  }

  #post(message: MessageToWorker, transferred: readonly Transferable[] = []): void {
    this.#worker.postMessage(message, transferred);
  }

  /** Resolves when the worker uses it, or is gone. */
  async useTls(tls: TlsMaterial): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tlsUsed.push(resolve);
    this.#post({ type: 'tls', tls });
    await Promise.race([promise, this.gone]);
  }

  /** Lets the worker finish what it has, then ends it. Resolves when the thread is gone. */
  async drain(): Promise<void> {
    this.#post({ type: 'drain' });
    await Promise.race([this.#drained, this.gone]);
    await this.end();
  }

  /** Ends the thread now, with everything it has open. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function endOf(worker: Worker): Promise<string> {
  return new Promise((resolve) => {
    let reason: string | null = null;
    worker.once('error', (error: Error) => {
      reason = `${error.name}: ${error.message}`;
    });
    worker.once('exit', (code) => resolve(reason ?? `exit code ${code}`));
  });
}

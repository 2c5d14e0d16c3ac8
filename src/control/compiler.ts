import { Worker } from 'node:worker_threads';
import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import type { CompiledConfig } from '../pipeline/compiled-config.ts';
import type { Sources } from './file-watch.ts';

/** A configuration that can be served. */
export interface LoadedCompiled {
  readonly compiled: CompiledConfig;
  readonly warnings: readonly Diagnostic[];
  /** What it was read from: files, and the patterns of more that belong to it. */
  readonly sources: Sources;
}

export type CompileAnswer =
  /** All modules are loaded: it waits for a file. */
  | { readonly type: 'ready' }
  | { readonly type: 'compiled'; readonly loaded: LoadedCompiled }
  | { readonly type: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly type: 'failed'; readonly reason: string };

/** The source runs as it is, the package as JavaScript. */
const THREAD = new URL(`./compile-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** A configuration written in TypeScript may do anything, for ever too. */
const TIME_LIMIT_MS = 60_000;
const MAX_HEAP_MB = 1024;

/**
 * Compiles configuration files, each in a thread of its own. The thread for the next one is started ahead, and has its modules loaded
 * by the time that it is wanted.
 */
export class Compiler {
  #next: Worker | null = null;
  #closed = false;

  /** Rejects with a ConfigError that holds all that is wrong with the file, or with another Error when it could not be compiled. */
  async compile(file: string): Promise<LoadedCompiled> {
    const thread = this.#next ?? startThread();
    this.#next = null;
    try {
      const answer = await answerOf(thread, file);
      if (answer.type === 'compiled') return answer.loaded;
      if (answer.type === 'refused') throw new ConfigError(answer.diagnostics);
      throw new Error(`Cannot use ${file}: ${answer.reason}`);
    } finally {
      void thread.terminate();
    }
  }

  /** Starts the thread of the next `compile` now. */
  startAhead(): void {
    if (!this.#closed) this.#next ??= startThread();
  }

  close(): void {
    this.#closed = true;
    void this.#next?.terminate();
    this.#next = null;
  }
}

function startThread(): Worker {
  const thread = new Worker(THREAD, {
    name: 'photon-compiler',
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  // It may wait for its turn for ever; the process ends without it.
  thread.unref();
  return thread;
}

type Ending = Exclude<CompileAnswer, { readonly type: 'ready' }>;

function answerOf(thread: Worker, file: string): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const fail = (reason: string) => resolve({ type: 'failed', reason });
  const timer = setTimeout(() => fail(`it took longer than ${TIME_LIMIT_MS / 1000} s`), TIME_LIMIT_MS);
  thread.on('message', (answer: CompileAnswer) => {
    if (answer.type !== 'ready') resolve(answer);
  });
  thread.once('error', (error: Error) => fail(error.message));
  thread.once('exit', (code) => fail(`the thread that read it ended with code ${code}`));
  thread.postMessage(file);
  return promise.finally(() => clearTimeout(timer));
}

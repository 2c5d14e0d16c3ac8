import { type ChildProcess, fork } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import { isMessage } from '../messages/is-message.ts';
import { type CompiledConfig, shareCompiled } from '../pipeline/compiled-config.ts';
import { lowerPriorityWhenLong } from './compiler-priority.ts';
import type { Sources } from './file-watch.ts';

/** A configuration that can be served. */
export interface LoadedCompiled {
  readonly compiled: CompiledConfig;
  readonly warnings: readonly Diagnostic[];
  /** What it was read from: files, and the patterns of more that belong to it. */
  readonly sources: Sources;
}

export type CompileAnswer =
  | { readonly type: 'compiled'; readonly loaded: LoadedCompiled }
  | { readonly type: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly type: 'failed'; readonly reason: string };

/** A module of a user is about to be loaded, within so many milliseconds. */
interface LoadingMessage {
  readonly type: 'loading';
  readonly middleware: string;
  readonly module: string;
  readonly limitMs: number;
}

export type CompilerMessage = CompileAnswer | LoadingMessage;

/** The source runs as it is, the package as JavaScript. */
const PROGRAM = new URL(`./compile-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** A configuration written in TypeScript may do anything, for ever too. */
const TIME_LIMIT_MS = 60_000;
/** A process that computes does not see that the time of a module is over: then it has so much longer. */
const GRACE_MS = 5000;
const MAX_HEAP_MB = 1024;

/**
 * At most one helper: the threads that V8 collects garbage with would take all processors at once, and those that serve would wait for
 * milliseconds (docs/benchmarks.md, reloads). A large young generation (MB) makes up for what the others would do.
 */
const FEW_THREADS = ['--v8-pool-size=1', '--max-semi-space-size=64'];
/** Options that would have two processes write one file, or listen on one port, and code that would be run again in place of the program. */
const NOT_FOR_TWO = /^(?:--(?:inspect|cpu-prof|heap-prof|eval|print)|-p?e$|-p$)/;

/**
 * Compiles configuration files, each in a process of its own. The process for the next one is started ahead, and has its modules loaded
 * by the time that it is wanted.
 *
 *   waiting --compile()--> compiling --answered, or too late--> resting --startAhead(), or the next compile()--> killed
 *      \_______________________\__died__> over; one that a signal ended while it compiled is replaced once
 *
 * A process that has answered rests until `startAhead`: giving back its memory takes a processor for milliseconds, as starting one
 * does, and what it answered is to be served first. One that compiles is never ended for another.
 */
export class Compiler {
  #waiting: ChildProcess | null = null;
  readonly #compiling = new Set<ChildProcess>();
  #resting: ChildProcess | null = null;
  #closed = false;

  /** Starts the process of the first `compile`. */
  constructor() {
    this.#startNext();
  }

  /**
   * Rejects with a ConfigError that holds all that is wrong with the file, or with another Error when it could not be compiled. A process
   * that a signal ends (the system lacked memory, or someone killed it) says nothing about the file: another one is tried.
   */
  async compile(file: string): Promise<LoadedCompiled> {
    const first = await this.#compileOnce(file);
    const answer = first.type === 'died' ? await this.#compileOnce(file) : first;
    if (answer.type === 'compiled') return { ...answer.loaded, compiled: shareCompiled(answer.loaded.compiled) };
    if (answer.type === 'refused') throw new ConfigError(answer.diagnostics);
    throw new Error(`Cannot use ${file}: ${this.#closed ? 'the gateway is stopping' : reasonOf(answer)}`);
  }

  async #compileOnce(file: string): Promise<Outcome> {
    if (this.#closed) return { type: 'failed', reason: 'the gateway is stopping' };
    const child = this.#waiting ?? startProcess();
    this.#waiting = null;
    this.#endResting();
    this.#compiling.add(child);
    const outcome = await outcomeOf(child, file);
    this.#compiling.delete(child);
    if (!isOver(child)) this.#resting = child;
    return outcome;
  }

  /** Ends the process that rests, and then starts the next one, unless one is compiling. Where that cannot be done, `compile` tries again. */
  startAhead(): void {
    if (this.#compiling.size > 0) return;
    const ended = this.#endResting();
    if (ended === null) this.#startNext();
    else ended.once('exit', () => this.#startNext());
  }

  #endResting(): ChildProcess | null {
    const resting = this.#resting;
    this.#resting = null;
    if (resting === null || isOver(resting)) return null;
    resting.kill('SIGKILL');
    return resting;
  }

  #startNext(): void {
    if (this.#closed || this.#waiting !== null) return;
    try {
      const child = startProcess();
      const forget = () => {
        if (this.#waiting === child) this.#waiting = null;
      };
      child.once('error', forget).once('exit', forget);
      this.#waiting = child;
    } catch {
      // No memory for another process, for example.
    }
  }

  close(): void {
    this.#closed = true;
    for (const child of [this.#waiting, ...this.#compiling, this.#resting]) child?.kill('SIGKILL');
    this.#waiting = null;
    this.#resting = null;
  }
}

/** What has become of a process that was to compile: its answer, or the signal that ended it. */
type Outcome = CompileAnswer | { readonly type: 'died'; readonly signal: NodeJS.Signals };

function reasonOf(outcome: Extract<Outcome, { readonly type: 'failed' | 'died' }>): string {
  return outcome.type === 'failed' ? outcome.reason : `the process that read it ended with ${outcome.signal}, twice`;
}

/** It has ended, or never began. */
function isOver({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null;
}

/** The options of Node that a child process gets of ours. A value may stand behind its option, as an argument of its own. */
export function optionsForChild(options: readonly string[]): readonly string[] {
  return options.filter((option, index) => {
    const before = option.startsWith('-') ? '' : (options[index - 1] ?? '');
    return !NOT_FOR_TWO.test(option) && !NOT_FOR_TWO.test(before);
  });
}

function startProcess(): ChildProcess {
  const child = fork(PROGRAM, [], {
    execArgv: [
      ...optionsForChild(process.execArgv),
      ...FEW_THREADS,
      // No debugger for every local user.
      '--disable-sigusr1',
      `--max-old-space-size=${MAX_HEAP_MB}`,
    ],
    // Views of memory pass, of which JSON knows nothing.
    serialization: 'advanced',
    // Never our own outputs: they would be made to block, and a log that nobody reads would stop the gateway.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  // Without descriptors for it there is nothing of all this, whatever the types say, and an `error` follows.
  if (child.stdout) forward(child.stdout, process.stdout);
  if (child.stderr) forward(child.stderr, process.stderr);
  // It may wait for its turn for ever; the gateway ends without it.
  child.unref();
  child.channel?.unref();
  return child;
}

/** Not by `pipe`: it adds to the listeners of each output, of which there is one set for every worker, and Node warns of too many. */
function forward(from: Readable, to: Writable): void {
  from.on('data', (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
}

function outcomeOf(child: ChildProcess, file: string): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const fail = (reason: string) => resolve({ type: 'failed', reason });
  let where = '';
  let timer = failAfter(TIME_LIMIT_MS);
  child.on('message', (message: CompilerMessage) => {
    if (!isMessage(message)) return;
    switch (message.type) {
      case 'loading':
        clearTimeout(timer);
        where = `, in the module ${message.module} of the middleware "${message.middleware}"`;
        timer = failAfter(Math.max(TIME_LIMIT_MS, message.limitMs + GRACE_MS));
        break;
      case 'compiled':
      case 'refused':
      case 'failed':
        resolve(message);
        break;
    }
  });
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code, signal) => {
    if (signal !== null) resolve({ type: 'died', signal });
    else fail(`the process that read it ended with code ${code}${where}`);
  });
  const stopWatching = child.pid === undefined ? () => undefined : lowerPriorityWhenLong(child.pid);
  if (child.connected) {
    child.send(file, (error) => {
      // It is ending, or cannot be reached any more: either way its end is the outcome.
      if (error !== null) child.kill('SIGKILL');
    });
  }
  return promise.finally(() => {
    clearTimeout(timer);
    stopWatching();
  });

  function failAfter(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => fail(`it took longer than ${limitMs / 1000} s${where}`), limitMs);
  }
}

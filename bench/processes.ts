/**
 * The processes that a bench run starts, and the directory that they write to. Whatever ends the run (the last line of
 * main, a thrown error, Ctrl-C), every one of them is ended by its id and the directory is removed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 5_000;
const LOG_TAIL_CHARACTERS = 2_000;

export interface Command {
  /** What messages and the log file call it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The core that it is pinned to, or a list of them with commas; null leaves it where the bench itself runs. */
  readonly core: number | string | null;
}

export class RunningProcess {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process has ended, with its exit code (null: ended by a signal). */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #outputPath: string;
  readonly #errorPath: string;

  constructor(command: Command, directory: string) {
    this.name = command.name;
    this.#outputPath = join(directory, `${command.name}.stdout`);
    this.#errorPath = join(directory, `${command.name}.stderr`);
    this.#child = spawnLogged(command, this.#outputPath, this.#errorPath);
    if (this.#child.pid === undefined)
      throw new Error(`Cannot start ${command.name}: want the command "${command.command}"`);
    this.pid = this.#child.pid;
    const { promise, resolve } = Promise.withResolvers<number | null>();
    this.ended = promise;
    this.#child.once('exit', resolve);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get output(): string {
    return readFileSync(this.#outputPath, 'latin1');
  }

  get errorOutput(): string {
    return readFileSync(this.#errorPath, 'latin1');
  }

  /** The end of what it said, for an error message. */
  get lastWords(): string {
    return `${this.output}${this.errorOutput}`.slice(-LOG_TAIL_CHARACTERS).trim();
  }

  /** Asks it to end by `signal`, and after five seconds ends it and its children the hard way. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.hasEnded) return;
    this.#child.kill(signal);
    const stopped = new AbortController();
    const tooLate = delay(STOP_TIMEOUT_MS, undefined, { signal: stopped.signal }).then(() => this.killTree());
    await Promise.race([this.ended, tooLate]);
    stopped.abort();
    await Promise.allSettled([tooLate]);
    await this.ended;
  }

  killTree(): void {
    if (this.hasEnded) return;
    for (const pid of processTree(this.pid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself in between.
      }
    }
  }
}

export class Processes {
  readonly directory = mkdtempSync(join(tmpdir(), 'photon-bench-'));
  readonly #running = new Set<RunningProcess>();
  #started = 0;
  #closed: Promise<void> | null = null;
  readonly #lastResort = () => {
    for (const running of this.#running) running.killTree();
    rmSync(this.directory, { recursive: true, force: true });
  };

  constructor() {
    process.once('exit', this.#lastResort);
  }

  /** @throws Error when there is no such command, or when all is being closed */
  start(command: Command): RunningProcess {
    if (this.#closed !== null) throw new Error(`Cannot start ${command.name}: the bench is ending`);
    const numbered = { ...command, name: `${command.name}-${++this.#started}` };
    const running = new RunningProcess(numbered, this.directory);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /** Starts a server and waits until it accepts connections. @throws Error when it ends, or accepts none for two minutes */
  async startServer(command: Command, port: number): Promise<RunningProcess> {
    const running = this.start(command);
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await accepts(port))) {
      if (running.hasEnded) throw new Error(`Cannot start ${command.name}: it ended.\n${running.lastWords}`);
      if (Date.now() > deadline) throw new Error(`Cannot start ${command.name}: no listener.\n${running.lastWords}`);
      await delay(20);
    }
    return running;
  }

  /** Runs a command to its end and returns what it wrote. @throws Error when it fails */
  async run(command: Command): Promise<{ readonly output: string; readonly errorOutput: string }> {
    const running = this.start(command);
    const code = await running.ended;
    if (code !== 0) throw new Error(`Cannot run ${command.name}: exit code ${code}.\n${running.lastWords}`);
    return { output: running.output, errorOutput: running.errorOutput };
  }

  /** Ends all of them and removes the directory. Nothing can be started any more. */
  close(): Promise<void> {
    this.#closed ??= this.#endAll();
    return this.#closed;
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
    process.removeListener('exit', this.#lastResort);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export function pickFreePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

/** A process and all of its descendants, the process itself first. */
export function processTree(rootPid: number): number[] {
  const children = Map.groupBy(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number),
    parentOf,
  );
  const tree = [rootPid];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i] as number) ?? []));
  return tree;
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0; // It ended while we looked.
  }
}

function spawnLogged(command: Command, outputPath: string, errorPath: string): ChildProcess {
  const output = openSync(outputPath, 'w');
  const errors = openSync(errorPath, 'w');
  const [file, ...args] =
    command.core === null ? [command.command] : ['taskset', '-c', `${command.core}`, command.command];
  const child = spawn(file as string, [...args, ...command.args], { stdio: ['ignore', output, errors] });
  child.once('error', () => {}); // A command that is missing has no pid, which the caller reports.
  closeSync(output);
  closeSync(errors);
  return child;
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => socket.resetAndDestroy()).once('error', () => resolve(false));
  socket.once('connect', () => resolve(true));
  return promise;
}

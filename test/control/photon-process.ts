import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LiveMemory } from '../support/garbage.ts';
import { guarded } from '../support/guard.ts';
import type { Counts, CountsRequest, CrashRequest, DescriptorsRequest, MemoryRequest } from './crash-on-request.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const CRASH_HOOK = new URL('./crash-on-request.ts', import.meta.url).href;

/** A process that a test still waits for after this long is killed, and the test fails with what it printed. */
const LIFETIME_MS = 240_000;

/** A line of the gateway's log. */
export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Something that ends, with work to do then: a test, or a run of the soak. */
export interface Scope {
  after(cleanUp: () => unknown): void;
}

export interface ProcessOptions {
  /** How many descriptors it may have open. */
  readonly openFileLimit?: number;
  /** A process that still runs after so many milliseconds is killed. */
  readonly lifetimeMs?: number;
  /** A module that is loaded before the program, in every thread and process of it. */
  readonly preload?: URL;
  /** The user that it runs as; only root can choose. */
  readonly uid?: number;
}

/** Photon as a process of its own; killed when the test is over. */
export class PhotonProcess {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #stderr = '';

  constructor(t: Scope, args: readonly string[], env: NodeJS.ProcessEnv = {}, options: ProcessOptions = {}) {
    const { openFileLimit, lifetimeMs = LIFETIME_MS, preload, uid } = options;
    const hook = ['--import', CRASH_HOOK, ...(preload === undefined ? [] : ['--import', preload.href])];
    const limited = [`--nofile=${openFileLimit}:${openFileLimit}`, process.execPath, ...hook];
    this.#child = fork(MAIN, args, {
      env: { ...process.env, NO_COLOR: '1', ...env },
      ...(openFileLimit === undefined ? { execArgv: hook } : { execPath: 'prlimit', execArgv: limited }),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.ended = this.#collect();
    const watchdog = setTimeout(() => this.#child.kill('SIGKILL'), lifetimeMs);
    t.after(async () => {
      clearTimeout(watchdog);
      this.#child.kill('SIGKILL');
      await this.ended;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** All log lines of this event so far. */
  events(event: string): readonly LogLine[] {
    const lines = this.#stderr.split('\n').filter((line) => line.startsWith('{'));
    return lines.map((line) => JSON.parse(line) as LogLine).filter((line) => line.event === event);
  }

  /** The first line of this event after `seen` of them. Throws when the process ends without it, or says nothing of it. */
  event(event: string, seen = 0): Promise<LogLine> {
    return guarded(`the event ${event}`, this.#event(event, seen), () => this.#stderr);
  }

  async #event(event: string, seen: number): Promise<LogLine> {
    let ending: Ending | null = null;
    void this.ended.then((value) => {
      ending = value;
    });
    for (;;) {
      const found = this.events(event)[seen];
      if (found !== undefined) {
        return found;
      }
      if (ending !== null) {
        throw new Error(`The process ended without the event ${event}:\n${this.#stderr}`);
      }
      await Promise.race([once(this.#child.stderr as NodeJS.ReadableStream, 'data'), this.ended]);
    }
  }

  /** Waits until it serves; returns the port of its first address. */
  async port(): Promise<number> {
    const { address } = await this.event('listening');
    return Number(String(address).slice(String(address).lastIndexOf(':') + 1));
  }

  /** All that it has printed on standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Descriptors that are open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Resolves when several looks in a row find as many descriptors: a thread that still loads its modules opens and closes files. */
  async atRest(): Promise<void> {
    for (let [same, seen] = [0, 0]; same < 5; ) {
      const before = seen;
      await pause(20);
      seen = this.descriptors;
      same = seen === before ? same + 1 : 0;
    }
  }

  get rssBytes(): number {
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.pid}/status`, 'latin1'))?.[1]);
  }

  counts(): Promise<Counts> {
    return this.#ask<Counts>({ kind: 'count' });
  }

  /** What each worker has in use. Everything else is collected first. */
  liveMemory(): Promise<readonly LiveMemory[]> {
    return this.#ask<readonly LiveMemory[]>({ kind: 'measure-memory' });
  }

  /** Takes every descriptor that the gateway could still have; resolves with how many that were. */
  async takeDescriptors(): Promise<number> {
    return (await this.#ask<{ taken: number }>({ kind: 'take-descriptors' })).taken;
  }

  async giveDescriptors(): Promise<void> {
    await this.#ask({ kind: 'give-descriptors' });
  }

  async #ask<T>(request: CountsRequest | DescriptorsRequest | MemoryRequest): Promise<T> {
    this.#child.send(request);
    const [answer] = (await once(this.#child, 'message')) as [T];
    return answer;
  }

  crashWorker(row: number, kind: CrashRequest['kind'] = 'throw'): void {
    this.crashThread(`photon-worker-${row}`, kind);
  }

  crashThread(thread: string, kind: CrashRequest['kind']): void {
    this.#child.send({ thread, kind } satisfies CrashRequest);
  }

  async #collect(): Promise<Ending> {
    let stdout = '';
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const [code, signal] = (await once(this.#child, 'close')) as [number | null, string | null];
    return { code, signal, stdout, stderr: this.#stderr };
  }
}

/** A directory that is removed when the test is over. */
export function temporaryDirectory(t: Scope): string {
  const directory = mkdtempSync(join(tmpdir(), 'photon-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Settings {
  readonly upstreamPort?: number;
  readonly server?: Readonly<Record<string, unknown>>;
  readonly upstream?: Readonly<Record<string, unknown>>;
  readonly accessLog?: Readonly<Record<string, unknown>>;
}

/** Writes a configuration of one backend and one route that takes everything; returns its path. */
export function writeConfig(t: Scope, settings: Settings = {}): string {
  const { upstreamPort = 1, server = {}, upstream = {}, accessLog = {} } = settings;
  const path = join(temporaryDirectory(t), 'config.yaml');
  const config = {
    server: { http_addr: '127.0.0.1:0', workers: 2, ...server },
    load_balancing: {
      backends: {
        origin: {
          upstreams: [{ address: `127.0.0.1:${upstreamPort}`, ...upstream }],
          // Tests let upstreams fail at will: it counts, and never opens.
          circuit_breaker: { failure_threshold: 1_000_000 },
        },
      },
    },
    routes: [{ path: '/**', backend: 'origin' }],
    access_log: accessLog,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Photon on a configuration written for this test. */
export function startPhoton(
  t: Scope,
  settings: Settings = {},
  env: NodeJS.ProcessEnv = {},
  options: ProcessOptions = {},
): PhotonProcess {
  return new PhotonProcess(t, ['--config', writeConfig(t, settings)], env, options);
}

/** Kills a process and what it started; it must be the first of its process group (`detached`). */
export function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

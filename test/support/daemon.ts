import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GUARD_MS } from './guard.ts';

/** A real server program, run in the foreground from a temporary directory of its own. */
export interface Daemon {
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  readonly directory: string;
  close(): Promise<void>;
}

export interface DaemonPlan {
  readonly program: string;
  /** Name of the configuration's file in the directory. */
  readonly configName: string;
  /** The configuration. Errors may be logged to `error.log` in the directory. */
  config(port: number, directory: string): string;
  args(directory: string): readonly string[];
}

const START_ATTEMPTS = 3;

/** Starts the program and waits until it listens. */
export async function startDaemon({ program, configName, config, args }: DaemonPlan): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), `${program}-test-`));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await writeFile(join(directory, configName), config(port, directory));
    const daemon = spawn(program, args(directory), { stdio: ['ignore', 'ignore', 'inherit'] });
    if (await listens(daemon, port)) return { port, directory, close: () => stop(daemon, directory) };
    if (attempt < START_ATTEMPTS) continue;
    const log = await readFile(join(directory, 'error.log'), 'utf8').catch(() => 'no log');
    throw new Error(`Cannot start ${program} on port ${port}: ${log}`);
  }
}

/** A port that was free a moment ago: the programs cannot choose one by themselves. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(daemon: ChildProcess, port: number): Promise<boolean> {
  let failure: Error | null = null;
  daemon.on('error', (error) => {
    failure = error;
  });
  for (let waitedMs = 0; waitedMs < GUARD_MS && daemon.exitCode === null; waitedMs += 20) {
    if (failure !== null) throw failure;
    const answered = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (answered) return true;
    await pause(20);
  }
  return false;
}

async function stop(daemon: ChildProcess, directory: string): Promise<void> {
  if (daemon.exitCode === null) {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
}

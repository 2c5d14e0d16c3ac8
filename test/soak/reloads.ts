/**
 * Reloads under load: two configurations in turn, one reload in ten broken, while clients ask over kept connections and over a new
 * one for every request. Nothing may fail, and the upstream must have seen exactly what the clients got.
 *
 *   npm run soak:reloads -- [--reloads N]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const KEPT_CONNECTIONS = 50;
const NEW_CONNECTIONS = 8;
const BROKEN_EVERY = 10;
const WRK_CONNECTIONS = 100;
const WRK_PATH = '/wrk';
/** It is ended before, with the last reload. */
const WRK_SECONDS = 600;

export interface ReloadSoakResult {
  readonly reloaded: number;
  readonly refused: number;
  readonly requests: number;
  readonly seenByUpstream: number;
  readonly failures: readonly string[];
  /** Of wrk, whose last requests are cut off when it ends. */
  readonly wrkRequests: number;
  readonly slowestCommitMs: number;
  readonly slowestPrepareMs: number;
}

/** Counts what comes through, and what does not. */
class Clients {
  readonly failures: string[] = [];
  requests = 0;
  stopped = false;
  readonly #port: number;
  readonly #running: Promise<void>[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  start(): void {
    const kept = new Agent({ keepAlive: true, maxSockets: KEPT_CONNECTIONS });
    for (let client = 0; client < KEPT_CONNECTIONS; client++) this.#running.push(this.#run(kept));
    for (let client = 0; client < NEW_CONNECTIONS; client++) this.#running.push(this.#run(false));
    void Promise.all(this.#running).then(() => kept.destroy());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.#running);
  }

  async #run(agent: Agent | false): Promise<void> {
    while (!this.stopped) {
      await this.#ask(agent).catch((error: NodeJS.ErrnoException) => {
        this.failures.push(`${agent === false ? 'new' : 'kept'}: ${error.code ?? error.message}`);
      });
    }
  }

  async #ask(agent: Agent | false): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const body = 'x'.repeat(2000);
    const sent = request({ host: '127.0.0.1', port: this.#port, path: '/x', method: 'POST', agent }, (response) => {
      let reply = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        reply += text;
      });
      response.once('end', () => {
        this.requests++;
        if (response.statusCode === 200 && reply === 'hello') resolve();
        else reject(new Error(`status ${response.statusCode}: ${reply}`));
      });
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
    await promise;
  }
}

/** wrk on a hundred kept connections: it counts errors of its own. */
class Wrk {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;

  constructor(port: number) {
    const url = `http://127.0.0.1:${port}${WRK_PATH}`;
    this.#child = spawn('wrk', ['-t1', `-c${WRK_CONNECTIONS}`, `-d${WRK_SECONDS}s`, `--timeout=${WRK_SECONDS}s`, url]);
    this.#ended = text(this.#child.stdout as NodeJS.ReadableStream);
  }

  /** How many requests were answered, and what went wrong. */
  async stop(): Promise<{ readonly requests: number; readonly failures: readonly string[] }> {
    this.#child.kill('SIGINT');
    const output = await this.#ended;
    const requests = Number(/(\d+) requests in/.exec(output)?.[1] ?? 0);
    const failures = output.match(/(?:Socket errors|Non-2xx).*/g) ?? [];
    return { requests, failures: requests === 0 ? [...failures, `wrk: ${output}`] : failures };
  }
}

/** Runs `reloads` of them and resolves with what happened. */
export async function soakReloads(reloads: number): Promise<ReloadSoakResult> {
  const directory = mkdtempSync(join(tmpdir(), 'photon-reloads-'));
  let seenByUpstream = 0;
  const upstream = createServer((message, response) => {
    message.resume().once('end', () => {
      if (message.url !== WRK_PATH) seenByUpstream++;
      response.end('hello');
    });
  });
  // It would close idle connections after a while, and a POST that was just sent on one of them could not be repeated.
  upstream.keepAliveTimeout = 0;
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const file = join(directory, 'config.yaml');
  const documentOf = (turn: number) =>
    JSON.stringify({
      server: { http_addr: '127.0.0.1:0', workers: 2 },
      load_balancing: {
        backends: {
          // Every other one is another upstream block, so that pools are retired under load.
          web: {
            upstreams: [
              { address: `127.0.0.1:${(upstream.address() as AddressInfo).port}`, read_timeout: `${20 + (turn % 2)}s` },
            ],
          },
        },
      },
      routes: [{ id: `r${turn % 2}`, path: '/**' }],
      access_log: { enabled: false },
    });
  writeFileSync(file, documentOf(0));
  const photon = spawn(process.execPath, [MAIN, '--config', file], {
    env: { ...process.env, XDG_RUNTIME_DIR: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: { event: string; [field: string]: unknown }[] = [];
  let rest = '';
  photon.stderr.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) if (line.startsWith('{')) lines.push(JSON.parse(line));
  });
  const eventsOf = (event: string) => lines.filter((line) => line.event === event);
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      if (photon.exitCode !== null) throw new Error('the gateway ended');
      await pause(2);
    }
  };
  try {
    await until(() => eventsOf('ready').length > 0);
    const clients = new Clients(Number(String(eventsOf('listening')[0]?.['address']).split(':').at(-1)));
    clients.start();
    const wrk = new Wrk(Number(String(eventsOf('listening')[0]?.['address']).split(':').at(-1)));
    let broken = 0;
    for (let turn = 1; turn <= reloads; turn++) {
      const isBroken = turn % BROKEN_EVERY === 0;
      if (isBroken) broken++;
      // Always another one than what is served.
      // In one step: a file that is being written would be refused too, when this process has to wait in the middle of it.
      writeFileSync(`${file}.next`, isBroken ? 'routes: [' : documentOf(turn - broken));
      renameSync(`${file}.next`, file);
      await until(() => eventsOf('reloaded').length + eventsOf('reload-failed').length >= turn);
    }
    await clients.stop();
    const { requests: wrkRequests, failures: wrkFailures } = await wrk.stop();
    const largest = (field: string) => Math.max(...eventsOf('reloaded').map((line) => Number(line[field])));
    return {
      reloaded: eventsOf('reloaded').length,
      refused: eventsOf('reload-failed').length,
      requests: clients.requests,
      seenByUpstream,
      wrkRequests,
      failures: [...clients.failures, ...wrkFailures, ...eventsOf('worker-died').map(() => 'a worker died')].concat(
        broken === eventsOf('reload-failed').length ? [] : ['a broken file was not refused'],
      ),
      slowestCommitMs: largest('commitMs'),
      slowestPrepareMs: largest('prepareMs'),
    };
  } finally {
    photon.kill('SIGKILL');
    upstream.closeAllConnections();
    upstream.close();
    rmSync(directory, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--reloads');
  const result = await soakReloads(at === -1 ? 200 : Number(process.argv[at + 1]));
  console.log(JSON.stringify(result, null, 2));
  process.exitCode = result.failures.length === 0 && result.requests === result.seenByUpstream ? 0 : 1;
}

/**
 * `node examples/resilience/start.ts`: Photon in front of three upstreams, and a client that asks without end. One of the upstreams is
 * killed and comes back; what the client got of it is printed for every second. Ports: PHOTON_PORT, FIRST_PORT, SECOND_PORT,
 * THIRD_PORT. It ends by itself.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PORTS = {
  PHOTON_PORT: process.env['PHOTON_PORT'] ?? '8080',
  FIRST_PORT: process.env['FIRST_PORT'] ?? '9001',
  SECOND_PORT: process.env['SECOND_PORT'] ?? '9002',
  THIRD_PORT: process.env['THIRD_PORT'] ?? '9003',
};

/** How long each part of the play takes. */
const PART_MS = Number(process.env['PART_MS'] ?? 4000);
const SECOND_MS = 1000;
const CLIENTS = 8;

const fileAt = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const url = `http://127.0.0.1:${PORTS.PHOTON_PORT}/hello/world`;
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

const start = (script: string, ...args: string[]): ChildProcess =>
  fork(fileAt(script), args, { env: { ...process.env, ...PORTS } });

const startUpstream = (name: string, port: string): ChildProcess => start('../quickstart/upstream.ts', name, port);

/** What came since the last line, by who answered; `failed` is what the client would complain about. */
let seen = new Map<string, number>();
let failedInAll = 0;

const count = (what: string): unknown => seen.set(what, (seen.get(what) ?? 0) + 1);

/** The name of the upstream that answered. */
function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, async (reply) => {
      const text = (await reply.setEncoding('utf8').toArray()).join('');
      if (reply.statusCode === 200) resolve(JSON.parse(text).upstream);
      else reject(new Error(`${reply.statusCode}`));
    });
    request.on('error', reject);
  });
}

async function loop(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    try {
      count(await ask());
    } catch {
      failedInAll++;
      count('failed');
    }
    await pause(5);
  }
}

async function waitUntilOpen(): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch {
      await pause(50);
    }
  }
}

/** Learns what came in each second. */
let look: (second: ReadonlyMap<string, number>) => void = () => {};

/** Goes on for the time of a part, and until a second shows what the part is about. */
async function playUntil(shows: (second: ReadonlyMap<string, number>) => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  look = (second) => shows(second) && resolve();
  await Promise.all([promise, pause(PART_MS)]);
}

function printSecond(): void {
  const columns = ['first', 'second', 'third', 'failed'].map(
    (name) => `${name} ${String(seen.get(name) ?? 0).padStart(4)}`,
  );
  console.log(columns.join('   '));
  look(seen);
  seen = new Map();
}

async function play(): Promise<void> {
  const upstreams = [startUpstream('first', PORTS.FIRST_PORT), startUpstream('second', PORTS.SECOND_PORT)];
  let third = startUpstream('third', PORTS.THIRD_PORT);
  const photon = start('../../src/main.ts', '--config', fileAt('config.yaml'));
  await waitUntilOpen();
  let over = false;
  const clients = Array.from({ length: CLIENTS }, () => loop(() => over));
  const printing = setInterval(printSecond, SECOND_MS);
  console.log('--- three upstreams share the requests');
  await playUntil((second) => ['first', 'second', 'third'].every((name) => second.has(name)));
  console.log('--- the third is killed');
  third.kill('SIGKILL');
  await playUntil((second) => !second.has('third'));
  console.log('--- the third is back: checks find it well, and its share grows');
  third = startUpstream('third', PORTS.THIRD_PORT);
  await playUntil((second) => second.has('third'));
  over = true;
  await Promise.all(clients);
  clearInterval(printing);
  printSecond();
  console.log(`--- failed in all: ${failedInAll}`);
  agent.destroy();
  await endAll([photon, third, ...upstreams]);
}

async function endAll(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => (child.exitCode ?? child.signalCode) === null && once(child, 'exit')));
}

await play();

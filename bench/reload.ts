/**
 * What a reload costs: from the change of the file to the last worker that has gone over, how long no worker could do anything else, how
 * late their event loops were meanwhile, and memory after many.
 *
 *   npm run bench:reload -- [--routes N] [--reloads N]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { spreadOf } from './statistics.ts';

const { values } = parseArgs({
  options: { routes: { type: 'string', default: '10000' }, reloads: { type: 'string', default: '20' } },
});
const routes = Number(values.routes);
const reloads = Number(values.reloads);

const WORKERS = 2;
/** As long as a reload with what comes after it. */
const REST_MS = 1700;
const AFTER_MS = 300;

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

const directory = mkdtempSync(join(tmpdir(), 'photon-bench-reload-'));
const file = join(directory, 'config.yaml');

/** YAML as one writes it, every tenth route another one each time. */
function documentOf(turn: number): string {
  const lines = Array.from({ length: routes }, (_none, index) => {
    const path = `/service-${index % 100}/v1/resource-${index}${index % 10 === 0 ? `-${turn}` : ''}`;
    return `  - { id: r${index}, path: "${path}/{id}", methods: [GET, PUT], timeout: 30s }`;
  });
  return `server: { http_addr: "127.0.0.1:0", workers: ${WORKERS} }
load_balancing: { backends: { web: { upstreams: [ { address: "127.0.0.1:9" } ] } } }
access_log: { enabled: false }
routes:
${lines.join('\n')}
`;
}

writeFileSync(file, documentOf(0));
/** Collects the garbage of every thread when it is told to, and says how late timers of 1 ms have been in the workers (ms). */
const HOOK = `
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';
const channel = new BroadcastChannel('bench');
channel.unref();
if (isMainThread && !process.argv[1].includes('compile-process')) {
  process.on('message', (wanted) => { if (wanted === 'collect') gc(); channel.postMessage({ wanted }); });
  process.channel.unref();
  channel.onmessage = ({ data }) => { if ('late' in data) process.send(data.late); };
} else if (threadName?.startsWith('photon-worker')) {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  channel.onmessage = ({ data: { wanted } }) => {
    if (wanted === 'collect') gc();
    if (wanted === 'late') channel.postMessage({ late: loop.max / 1e6 - 1 });
    if (wanted !== undefined) loop.reset();
  };
}`;

const photon = spawn(
  process.execPath,
  [
    '--expose-gc',
    '--import',
    `data:text/javascript,${encodeURIComponent(HOOK)}`,
    join(import.meta.dirname, '../src/main.ts'),
    '-c',
    file,
  ],
  { env: { ...process.env, XDG_RUNTIME_DIR: directory }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
);
const lines: (Line & { readonly atMs: number })[] = [];
let rest = '';
photon.stderr?.setEncoding('utf8').on('data', (text: string) => {
  const atMs = performance.now();
  const parts = (rest + text).split('\n');
  rest = parts.pop() ?? '';
  for (const line of parts) if (line.startsWith('{')) lines.push({ ...(JSON.parse(line) as Line), atMs });
});

async function nth(event: string, count: number): Promise<Line & { readonly atMs: number }> {
  for (;;) {
    const found = lines.filter((line) => line.event === event)[count];
    if (found !== undefined) return found;
    if (photon.exitCode !== null) throw new Error('Photon has ended');
    await delay(1);
  }
}

/** Resident memory after a collection. */
async function rssMiB(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    photon.send('collect');
    await delay(300);
  }
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${photon.pid}/status`, 'latin1'))?.[1]) / 1024;
}

/** How late the event loop of the worker that was latest has been since the last time that anything was asked (ms). */
async function latestMs(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const late: number[] = [];
  const onMessage = (ms: unknown) => {
    if (late.push(ms as number) === WORKERS) resolve();
  };
  photon.on('message', onMessage);
  photon.send('late');
  await promise;
  photon.off('message', onMessage);
  return Math.max(...late);
}

try {
  await nth('ready', 0);
  const whole: number[] = [];
  const late: number[] = [];
  const lateAtRest: number[] = [];
  const rss: number[] = [];
  for (let turn = 1; turn <= reloads; turn++) {
    await delay(700);
    rss.push(await rssMiB());
    await latestMs();
    await delay(REST_MS);
    lateAtRest.push(await latestMs());
    const text = documentOf(turn);
    const changedMs = performance.now();
    writeFileSync(file, text);
    const { atMs } = await nth('reloaded', turn - 1);
    whole.push(atMs - changedMs);
    // What comes after counts too: the process that has compiled ends, and the next one starts.
    await delay(AFTER_MS);
    late.push(await latestMs());
  }
  const endMiB = await rssMiB();
  const said = lines.filter(({ event }) => event === 'reloaded');
  const spread = (numbers: readonly number[]) => {
    const { median, min, max } = spreadOf(numbers);
    return `${median.toFixed(1)} (${min.toFixed(1)}..${max.toFixed(1)})`;
  };
  console.log(`${routes} routes, ${reloads} reloads, two workers; median (lowest..highest)`);
  console.log(`from the change of the file to the event, ms   ${spread(whole)}`);
  console.log(
    `slowest worker held up to prepare, ms          ${spread(said.map((line) => Number(line['prepareMs'])))}`,
  );
  console.log(`slowest worker held up to go over, ms          ${spread(said.map((line) => Number(line['commitMs'])))}`);
  console.log(`event loop of a worker late at most by, ms         ${spread(late)}`);
  console.log(`the same while nothing happens, ms                 ${spread(lateAtRest)}`);
  console.log(
    `resident memory after a collection, MiB: before the first ${rss[0]?.toFixed(0)}, after the second ${rss[2]?.toFixed(0)}, at the end ${endMiB.toFixed(0)}`,
  );
} finally {
  photon.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}

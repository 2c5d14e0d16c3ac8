/**
 * What a reload costs: from the change of the file to the last worker that has gone over, how long no worker could do anything else, and
 * memory after many.
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
  return `server: { http_addr: "127.0.0.1:0", workers: 2 }
load_balancing: { backends: { web: { upstreams: [ { address: "127.0.0.1:9" } ] } } }
access_log: { enabled: false }
routes:
${lines.join('\n')}
`;
}

writeFileSync(file, documentOf(0));
/** Collects the garbage of every thread when it is told to. */
const COLLECTOR = `
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
const channel = new BroadcastChannel('collect');
channel.unref();
channel.onmessage = () => gc();
if (isMainThread) process.on('message', () => { gc(); channel.postMessage(0); });
if (isMainThread) process.channel.unref();`;

const photon = spawn(
  process.execPath,
  [
    '--expose-gc',
    '--import',
    `data:text/javascript,${encodeURIComponent(COLLECTOR)}`,
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

try {
  await nth('ready', 0);
  const whole: number[] = [];
  const rss: number[] = [];
  for (let turn = 1; turn <= reloads; turn++) {
    await delay(700);
    rss.push(await rssMiB());
    const text = documentOf(turn);
    const changedMs = performance.now();
    writeFileSync(file, text);
    const { atMs } = await nth('reloaded', turn - 1);
    whole.push(atMs - changedMs);
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
  console.log(
    `resident memory after a collection, MiB: before the first ${rss[0]?.toFixed(0)}, after the second ${rss[2]?.toFixed(0)}, at the end ${endMiB.toFixed(0)}`,
  );
} finally {
  photon.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}

/**
 * What active health checks cost: the share of a core that the control thread takes for them, with upstreams that answer at once.
 *
 *   npm run bench:health -- [--upstreams N] [--seconds N]
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parseCpuTicks } from './proc.ts';

/** Of Linux, in all builds that matter. */
const TICKS_PER_SECOND = 100;
const WARM_UP_MS = 3000;
const CHECKS = {
  'no checks': null,
  tcp: 'check_type: tcp',
  http: 'check_type: http',
  'http, reuse': 'check_type: http, reuse: true',
} as const;

if (process.send === undefined) await measure();
else serve();

/** The upstreams: one server, to which every address of the loopback network leads. */
function serve(): void {
  const reply = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';
  let questions = 0;
  let connections = 0;
  const server = createServer((socket: Socket) => {
    connections++;
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      questions++;
      socket.write(reply);
    });
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => process.send?.(server.address()));
  process.on('message', () => process.send?.({ questions, connections }));
  process.on('disconnect', () => process.exit());
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: { upstreams: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '10' } },
  });
  const upstreams = Number(values.upstreams);
  const seconds = Number(values.seconds);
  const directory = mkdtempSync(join(tmpdir(), 'photon-bench-health-'));
  const server = fork(import.meta.filename, { stdio: 'inherit' });
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }];
    const count = async () => {
      server.send('count');
      const [counts] = (await once(server, 'message')) as [{ questions: number; connections: number }];
      return counts;
    };
    console.log(
      `${upstreams} upstreams at an interval of 1 s, ${seconds} s each; the control thread's share of a core`,
    );
    for (const [name, check] of Object.entries(CHECKS)) {
      const file = join(directory, 'config.yaml');
      writeFileSync(file, documentOf(upstreams, port, check));
      console.log(`${name.padEnd(12)} ${await measureOne(file, directory, seconds, count)}`);
    }
  } finally {
    server.disconnect();
    rmSync(directory, { recursive: true });
  }
}

/** Backends of one upstream each, for the addresses within one have to differ. */
function documentOf(upstreams: number, port: number, check: string | null): string {
  const backends = Array.from(
    { length: upstreams },
    (_none, index) => `    b${index}: { upstreams: [ { address: "127.0.0.1:${port}" } ] }`,
  );
  const health = check === null ? '{ enabled: false }' : `{ ${check}, interval: 1s }`;
  return `server: { http_addr: "127.0.0.1:0", workers: 1 }
access_log: { enabled: false }
health_check: ${health}
routes: [ { path: /**, backend: b0 } ]
load_balancing:
  backends:
${backends.join('\n')}
`;
}

async function measureOne(
  file: string,
  directory: string,
  seconds: number,
  count: () => Promise<{ questions: number; connections: number }>,
): Promise<string> {
  const photon = spawn(process.execPath, [join(import.meta.dirname, '../src/main.ts'), '-c', file], {
    env: { ...process.env, XDG_RUNTIME_DIR: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    let said = '';
    photon.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    while (!said.includes('"event":"ready"')) {
      if (photon.exitCode !== null) throw new Error(`Photon has ended:\n${said}`);
      await delay(10);
    }
    await delay(WARM_UP_MS);
    const controlThread = `/proc/${photon.pid}/task/${photon.pid}/stat`;
    const before = parseCpuTicks(readFileSync(controlThread, 'latin1'));
    const countsBefore = await count();
    const startMs = performance.now();
    await delay(seconds * 1000);
    const after = parseCpuTicks(readFileSync(controlThread, 'latin1'));
    const counts = await count();
    const passedSeconds = (performance.now() - startMs) / 1000;
    if (said.includes('upstream-unhealthy')) throw new Error(`An upstream failed its checks:\n${said}`);
    const percent = (ticks: number) => ((100 * ticks) / TICKS_PER_SECOND / passedSeconds).toFixed(1);
    const rate = (total: number) => (total / passedSeconds).toFixed(0).padStart(5);
    const user = after.user - before.user;
    const system = after.system - before.system;
    return `${percent(user + system).padStart(5)} %  (user ${percent(user)}, system ${percent(system)})  ${rate(
      counts.connections - countsBefore.connections,
    )} connections/s ${rate(counts.questions - countsBefore.questions)} requests/s`;
  } finally {
    photon.kill('SIGKILL');
  }
}

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { constants, getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { optionsForChild } from '../../src/control/compiler.ts';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';

/**
 * A configuration in TypeScript whose one route has this expression for its id; `before` runs each time that it is compiled. Beside it
 * is the id of the process that compiled it.
 */
const textOf = (id: string, before = '', workers = 2) => `
import { writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
writeFileSync(new URL('compiled-by', import.meta.url), String(process.pid));
${before}
export default {
  server: { http_addr: '127.0.0.1:0', workers: ${workers} },
  load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:9' }] } } },
  routes: [{ id: ${id}, path: '/**' }],
};
void getPriority;
`;

interface Started {
  readonly photon: PhotonProcess;
  readonly file: string;
}

async function start(t: TestContext, text: string): Promise<Started> {
  const file = join(temporaryDirectory(t), 'photon.config.ts');
  writeFileSync(file, text);
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: dirname(file) });
  await photon.event('ready');
  return { photon, file };
}

/** The process that waits for the next configuration. It starts when that of the one before has ended, a moment after the gateway is ready. */
async function waitingCompiler({ photon: { pid }, file }: Started): Promise<number> {
  for (;;) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    const compiledBy = readFileSync(join(dirname(file), 'compiled-by'), 'latin1');
    const waiting = children.find((child) => child !== compiledBy && nameOf(child) === 'photon-compiler');
    if (waiting !== undefined) return Number(waiting);
    await pause(5);
  }
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}

const socketsOf = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`)
    .map((name) => targetOf(`/proc/${pid}/fd/${name}`))
    .filter((target) => target.startsWith('socket:'));

/** A file that is being read may be closed by now. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

async function isGone(pid: number): Promise<void> {
  while (nameOf(String(pid)) !== '') await pause(5);
}

test('the process that compiles has none of the sockets of the gateway', async (t) => {
  const started = await start(t, textOf('"a"'));
  const { photon } = started;
  const port = await photon.port();
  // A connection that is open when the process starts would not end while it has it, too.
  const client = createConnection(port, '127.0.0.1');
  t.after(() => client.destroy());
  await once(client, 'connect');
  // Its own are the two outputs and the channel.
  const own = socketsOf(await waitingCompiler(started));
  assert.equal(own.length, 3);
  assert.deepEqual(
    socketsOf(photon.pid).filter((socket) => own.includes(socket)),
    [],
  );
});

test('a configuration is compiled at the usual priority, and at a low one once that has taken two seconds of CPU time', async (t) => {
  const { photon, file } = await start(t, textOf('"first-" + getPriority()'));
  writeFileSync(file, textOf('"second-" + getPriority()'));
  const usual = getPriority();
  assert.deepEqual((await photon.event('reloaded'))['routes'], {
    added: [`second-${usual}`],
    removed: [`first-${usual}`],
  });
  // Nothing else of the process runs meanwhile.
  const computes = `const low = ${constants.priority.PRIORITY_BELOW_NORMAL};
    const cpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
    while (getPriority() !== low && cpuMs() < 20_000);
    const early = cpuMs() < 1900;`;
  writeFileSync(file, textOf('(early ? "early-" : "third-") + getPriority()', computes));
  const low = constants.priority.PRIORITY_BELOW_NORMAL;
  assert.deepEqual((await photon.event('reloaded', 1))['routes'], {
    added: [`third-${low}`],
    removed: [`second-${usual}`],
  });
});

test('a configuration that ends its process keeps the one before, and the next one is served', async (t) => {
  const { photon, file } = await start(t, textOf('"a"'));
  writeFileSync(file, textOf('"b"', 'process.exit(3);'));
  assert.match(String((await photon.event('reload-failed'))['reason']), /ended with code 3/);
  writeFileSync(file, textOf('"c"', 'process.kill(process.pid, "SIGKILL");'));
  assert.match(String((await photon.event('reload-failed', 1))['reason']), /ended with SIGKILL/);
  writeFileSync(file, textOf('"d"'));
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['d'], removed: ['a'] });
});

test('a waiting process that is killed is replaced when it is wanted', async (t) => {
  const started = await start(t, textOf('"a"'));
  const { photon, file } = started;
  const pid = await waitingCompiler(started);
  process.kill(pid, 'SIGKILL');
  await isGone(pid);
  writeFileSync(file, textOf('"b"'));
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['b'], removed: ['a'] });
});

test('without a descriptor left for a process the gateway serves on, says so at a reload, and reloads when there are some', async (t) => {
  const file = join(temporaryDirectory(t), 'photon.config.ts');
  writeFileSync(file, textOf('"a"'));
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: dirname(file) }, { openFileLimit: 300 });
  await photon.event('ready');
  const pid = await waitingCompiler({ photon, file });
  await photon.takeDescriptors();
  process.kill(pid, 'SIGKILL');
  await isGone(pid);
  // What it had open is free now.
  await photon.takeDescriptors();
  photon.kill('SIGHUP');
  assert.match(String((await photon.event('reload-failed'))['reason']), /EMFILE/);
  await photon.giveDescriptors();
  writeFileSync(file, textOf('"b"'));
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['b'], removed: ['a'] });
});

test('what a configuration prints comes out of the gateway', async (t) => {
  const { photon } = await start(t, textOf('"a"', 'console.log("to the output"); console.error("to the errors");'));
  photon.kill('SIGTERM');
  const { stdout, stderr } = await photon.ended;
  assert.match(stdout, /to the output/);
  assert.match(stderr, /to the errors/);
});

test('many workers and a process that compiles share the outputs without a warning', async (t) => {
  const started = await start(t, textOf('"a"', '', 16));
  const { photon } = started;
  await waitingCompiler(started);
  photon.kill('SIGTERM');
  assert.doesNotMatch((await photon.ended).stderr, /Warning/);
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`the process that compiles ends with a gateway that gets ${signal}`, async (t) => {
    const started = await start(t, textOf('"a"'));
    const { photon } = started;
    const pid = await waitingCompiler(started);
    photon.kill(signal);
    await isGone(pid);
    await photon.ended;
  });
}

test('signals that a terminal sends to all do not keep a reload from happening', async (t) => {
  const started = await start(t, textOf('"at-" + Date.now()'));
  const { photon } = started;
  process.kill(await waitingCompiler(started), 'SIGHUP');
  photon.kill('SIGHUP');
  assert.equal((await photon.event('reloaded'))['trigger'], 'signal');
});

for (const { why, options, left } of [
  {
    why: 'that change how code runs are its own too',
    options: ['--import', 'x.ts', '--no-opt'],
    left: ['--import', 'x.ts', '--no-opt'],
  },
  { why: 'that write a file are not, with a value behind =', options: ['--cpu-prof', '--cpu-prof-dir=/a'], left: [] },
  {
    why: 'that write a file are not, with a value behind them',
    options: ['--cpu-prof-dir', '/a', '--no-opt'],
    left: ['--no-opt'],
  },
  { why: 'that open a port are not', options: ['--inspect=127.0.0.1:9229', '--inspect-brk'], left: [] },
  {
    why: 'that are a program are not: it would start processes without end',
    options: ['-e', 'import("./main.ts")', '--print', '1'],
    left: [],
  },
]) {
  test(`of the options of Node, the process that compiles gets its share: those ${why}`, () => {
    assert.deepEqual(optionsForChild(options), left);
  });
}

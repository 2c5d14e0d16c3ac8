import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { constants, getPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';

/** A configuration in TypeScript whose one route has this expression for its id; `before` runs each time that it is compiled. */
const textOf = (id: string, before = '', workers = 2) => `
import { getPriority } from 'node:os';
${before}
export default {
  server: { http_addr: '127.0.0.1:0', workers: ${workers} },
  load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:9' }] } } },
  routes: [{ id: ${id}, path: '/**' }],
};
void getPriority;
`;

async function start(t: TestContext, text: string): Promise<{ readonly photon: PhotonProcess; readonly file: string }> {
  const file = join(temporaryDirectory(t), 'photon.config.ts');
  writeFileSync(file, text);
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: dirname(file) });
  await photon.event('ready');
  return { photon, file };
}

/** The process that waits for the next configuration. It starts a moment after the gateway is ready, when that of the first has ended. */
async function waitingCompiler({ pid }: PhotonProcess): Promise<number> {
  for (;;) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
    if (child !== undefined && nameOf(child) === 'photon-compiler' && standsBehind(Number(child))) return Number(child);
    await pause(5);
  }
}

/** The process that has read the first configuration did not. */
function standsBehind(pid: number): boolean {
  try {
    return getPriority(pid) === constants.priority.PRIORITY_BELOW_NORMAL;
  } catch {
    return false;
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
  const { photon } = await start(t, textOf('"a"'));
  const port = await photon.port();
  // A connection that is open when the process starts would not end while it has it, too.
  const client = createConnection(port, '127.0.0.1');
  t.after(() => client.destroy());
  await once(client, 'connect');
  // Its own are the two outputs and the channel.
  const own = socketsOf(await waitingCompiler(photon));
  assert.equal(own.length, 3);
  assert.deepEqual(
    socketsOf(photon.pid).filter((socket) => own.includes(socket)),
    [],
  );
});

test('a configuration is compiled at a low priority while another one is served, and at the usual one before', async (t) => {
  const { photon, file } = await start(t, textOf('"first-" + getPriority()'));
  writeFileSync(file, textOf('"second-" + getPriority()'));
  const { routes } = await photon.event('reloaded');
  const usual = 0;
  const low = constants.priority.PRIORITY_BELOW_NORMAL;
  assert.deepEqual(routes, { added: [`second-${low}`], removed: [`first-${usual}`] });
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
  const { photon, file } = await start(t, textOf('"a"'));
  const pid = await waitingCompiler(photon);
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
  const pid = await waitingCompiler(photon);
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
  const { photon } = await start(t, textOf('"a"', '', 16));
  await waitingCompiler(photon);
  photon.kill('SIGTERM');
  assert.doesNotMatch((await photon.ended).stderr, /Warning/);
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`the process that compiles ends with a gateway that gets ${signal}`, async (t) => {
    const { photon } = await start(t, textOf('"a"'));
    const pid = await waitingCompiler(photon);
    photon.kill(signal);
    await isGone(pid);
    await photon.ended;
  });
}

test('signals that a terminal sends to all do not keep a reload from happening', async (t) => {
  const { photon } = await start(t, textOf('"at-" + Date.now()'));
  process.kill(await waitingCompiler(photon), 'SIGHUP');
  photon.kill('SIGHUP');
  assert.equal((await photon.event('reloaded'))['trigger'], 'signal');
});

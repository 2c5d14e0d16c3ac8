import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PhotonProcess, startPhoton, temporaryDirectory, writeConfig } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const DEBUGGER = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/;
const EARLY = new URL('./fixtures/early-signal.ts', import.meta.url);

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${signal}: the running exchange is finished, and the exit code is 0`, async (t) => {
    const upstream = await Upstream.start(t);
    const photon = startPhoton(t, { upstreamPort: upstream.port });
    const port = await photon.port();
    const reply = get({ port }, '/held');
    const held = await upstream.holds();
    photon.kill(signal);
    await photon.event('draining');
    held.end('late, but whole');
    assert.deepEqual(await reply, { status: 200, body: 'late, but whole' });
    const ending = await photon.ended;
    assert.deepEqual([ending.code, ending.signal], [0, null]);
    assert.equal(photon.events('stopping')[0]?.['signal'], signal);
  });

  test(`a second signal after ${signal} ends the process at once, with exit code 1`, async (t) => {
    const upstream = await Upstream.start(t);
    const photon = startPhoton(t, { upstreamPort: upstream.port });
    const port = await photon.port();
    const reply = assert.rejects(get({ port }, '/held'));
    await upstream.holds();
    photon.kill(signal);
    await photon.event('draining');
    photon.kill('SIGQUIT');
    const ending = await photon.ended;
    assert.deepEqual([ending.code, ending.signal], [1, null]);
    await reply;
  });
}

for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} opens a log file anew that was moved away, and no debugger`, async (t) => {
    const file = join(temporaryDirectory(t), 'access.log');
    const photon = startPhoton(t, { accessLog: { output: file } });
    await photon.event('ready');
    renameSync(file, `${file}.1`);
    photon.kill(signal);
    await photon.event('access-log-reopened');
    photon.kill('SIGTERM');
    const { code, stderr } = await photon.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, DEBUGGER);
  });
}

for (const { signal, why } of [
  { signal: 'SIGPIPE', why: 'the reader of an output has gone' },
  { signal: 'SIGWINCH', why: 'a terminal has another size' },
  { signal: 'SIGCONT', why: 'the process was stopped' },
  { signal: 'SIGCHLD', why: 'a process that it started has ended' },
  { signal: 'SIGURG', why: 'a socket has urgent data' },
  { signal: 'SIGXFSZ', why: 'a log file is as large as it may be' },
] as const) {
  test(`${signal} changes nothing: ${why}`, async (t) => {
    const upstream = await Upstream.start(t);
    const photon = startPhoton(t, { upstreamPort: upstream.port });
    await photon.event('ready');
    photon.kill(signal);
    assert.equal((await get({ port: await photon.port() })).status, 200);
    photon.kill('SIGTERM');
    assert.equal((await photon.ended).code, 0);
  });
}

function startWithSignal(t: TestContext, signal: NodeJS.Signals, moment: 'before' | 'listens'): PhotonProcess {
  const args = ['--config', writeConfig(t, { server: { workers: 1 } })];
  return new PhotonProcess(t, args, { EARLY_SIGNAL: signal, EARLY_MOMENT: moment }, { preload: EARLY });
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${signal} in the first instant of the process ends it in order, before it listens`, async (t) => {
    const { code, signal: killedBy, stderr } = await startWithSignal(t, signal, 'listens').ended;
    assert.deepEqual([code, killedBy], [0, null], stderr);
    assert.match(stderr, /"event":"stopping"/);
    assert.doesNotMatch(stderr, /"event":"listening"/);
  });
}

test('SIGHUP in the first instant of the process has the configuration read again when it serves', async (t) => {
  const photon = startWithSignal(t, 'SIGHUP', 'listens');
  await photon.event('reload-unchanged');
  assert.equal(photon.events('ready').length, 1);
});

for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
  test(`${signal} in the first instant of the process ends nothing`, async (t) => {
    const photon = startWithSignal(t, signal, 'listens');
    await photon.event('ready');
    photon.kill('SIGTERM');
    const { code, stderr } = await photon.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stderr, DEBUGGER);
  });
}

test('a debugger that Node has opened on a SIGUSR1 before our first line is closed', async (t) => {
  const photon = startWithSignal(t, 'SIGUSR1', 'before');
  await photon.event('ready');
  // Node may have been quick enough to open none.
  const [, port] = DEBUGGER.exec(photon.stderr) ?? [];
  if (port === undefined) return;
  assert.equal(await outcomeOf(connect(Number(port), '127.0.0.1')), 'ECONNREFUSED');
});

async function outcomeOf(socket: Socket): Promise<string> {
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

test('a signal ends another command as it ends any program, also in its first instant', async (t) => {
  const env = { EARLY_SIGNAL: 'SIGTERM', EARLY_MOMENT: 'listens' };
  const check = new PhotonProcess(t, ['--config', writeConfig(t), 'check'], env, { preload: EARLY });
  assert.equal((await check.ended).signal, 'SIGTERM');
});

/** A configuration that says that it is being read, and never is. */
const NEVER_READ = `
console.error(JSON.stringify({ event: 'reading' }));
await new Promise(() => setInterval(() => {}, 1_000_000));
`;

test('a signal calls off a start that waits for something, with exit code 0', async (t) => {
  const file = join(temporaryDirectory(t), 'photon.config.ts');
  writeFileSync(file, NEVER_READ);
  const photon = new PhotonProcess(t, ['--config', file]);
  await photon.event('reading');
  photon.kill('SIGTERM');
  const { code, signal, stderr } = await photon.ended;
  assert.deepEqual([code, signal], [0, null], stderr);
});

/** The process that will read the next configuration, when it listens to its signals. */
async function waitingCompiler({ pid }: PhotonProcess): Promise<number> {
  for (;;) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
    if (child !== undefined && nameOf(Number(child)) === 'photon-compiler') return Number(child);
    await pause(5);
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}

test('the process that reads configurations takes no notice of the signals that are meant for the gateway', async (t) => {
  const photon = startPhoton(t);
  await photon.event('ready');
  const compiler = await waitingCompiler(photon);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    process.kill(compiler, signal);
  }
  photon.kill('SIGHUP');
  await photon.event('reload-unchanged');
  photon.kill('SIGTERM');
  const { code, stderr } = await photon.ended;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, DEBUGGER);
});

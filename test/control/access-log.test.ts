import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, guarded } from '../support/guard.ts';
import { endGroup, type PhotonProcess, startPhoton, temporaryDirectory, writeConfig } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Line {
  readonly path: string;
  readonly status: number;
}

function linesIn(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  return parseLines(readFileSync(file, 'latin1'));
}

function parseLines(text: string): readonly Line[] {
  assert.ok(text === '' || text.endsWith('\n'), 'the last line is whole');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

const pathsOf = (lines: readonly Line[]) => lines.map(({ path }) => path);

async function askFor(port: number, paths: readonly string[]): Promise<void> {
  for (const path of paths) assert.equal((await get({ port }, path)).status, 200);
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `/${from + index}`);

const sorted = (paths: readonly string[]) => paths.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

async function expectPaths(file: string, paths: readonly string[]): Promise<void> {
  await eventually(
    `${paths.length} lines in ${file}`,
    () => linesIn(file).length >= paths.length,
    () => pathsOf(linesIn(file)).join(' '),
  );
  assert.deepEqual(sorted(pathsOf(linesIn(file))), paths);
}

async function stop(photon: PhotonProcess): Promise<string> {
  photon.kill('SIGTERM');
  const { code, stdout, stderr } = await photon.ended;
  assert.equal(code, 0, stderr);
  return stdout;
}

test('by default a line of JSON for every request goes to standard output, the last ones too', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port });
  await askFor(await photon.port(), numbered(30));
  // At once: nothing of it has been handed over by the clock.
  assert.deepEqual(sorted(pathsOf(parseLines(await stop(photon)))), numbered(30));
});

test('with output a file has the lines, soon after the requests; others may not read it', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { output: file } });
  await askFor(await photon.port(), numbered(5));
  await expectPaths(file, numbered(5));
  assert.equal(statSync(file).mode & 0o137, 0, 'at most 0640');
  assert.equal(await stop(photon), '');
});

test('a file that is there is added to', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  writeFileSync(file, '{"path":"/0"}\n');
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { output: file } });
  await askFor(await photon.port(), ['/1']);
  await stop(photon);
  assert.deepEqual(pathsOf(linesIn(file)), ['/0', '/1']);
});

test('a file that cannot be opened ends the start with one line that says why', async (t) => {
  const photon = startPhoton(t, { accessLog: { output: '/no/such/directory/access.log' } });
  const { code, stderr } = await photon.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^photon: Cannot write access_log\.output \/no\/such\/directory\/access\.log: ENOENT[^\n]*\n$/m);
});

test('with enabled: false nothing is written', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { enabled: false, output: file } });
  await askFor(await photon.port(), ['/1']);
  assert.equal(await stop(photon), '');
  assert.equal(existsSync(file), false);
});

test('SIGUSR2 opens a file anew that was moved away, and no line is lost', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { output: file } });
  const port = await photon.port();
  await askFor(port, numbered(10));
  await expectPaths(file, numbered(10));
  renameSync(file, `${file}.1`);
  photon.kill('SIGUSR2');
  await photon.event('access-log-reopened');
  await askFor(port, numbered(10, 10));
  await stop(photon);
  assert.deepEqual(sorted(pathsOf(linesIn(`${file}.1`))), numbered(10));
  assert.deepEqual(sorted(pathsOf(linesIn(file))), numbered(10, 10));
});

test('a file that was moved away is noticed without a signal', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { output: file } });
  const port = await photon.port();
  for (const round of [0, 1, 2]) {
    await askFor(port, numbered(5, round * 5));
    await expectPaths(file, numbered(5, round * 5));
    renameSync(file, `${file}.${round}`);
    await photon.event('access-log-reopened', round);
  }
  assert.deepEqual(linesIn(file), []);
  await stop(photon);
});

test('SIGUSR2 is harmless where nothing is logged to a file', async (t) => {
  const upstream = await Upstream.start(t);
  for (const accessLog of [{}, { enabled: false }]) {
    const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog });
    const port = await photon.port();
    photon.kill('SIGUSR2');
    await askFor(port, ['/1']);
    await stop(photon);
  }
});

test('a full disk is said once, traffic goes on, and the lines that were lost are counted', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { output: '/dev/full' } });
  const port = await photon.port();
  await askFor(port, numbered(20));
  const { reason } = await photon.event('access-log-failed');
  assert.match(String(reason), /^ENOSPC/);
  await askFor(port, numbered(20));
  await stop(photon);
  assert.equal(photon.events('access-log-failed').length, 1);
  const lost = photon.events('access-log-dropped').reduce((sum, { count }) => sum + Number(count), 0);
  assert.equal(lost, 40);
});

test('when there is room again the log goes on by itself, and what waited is written', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  symlinkSync('/dev/full', file);
  const photon = startPhoton(t, { upstreamPort: upstream.port, accessLog: { output: file } });
  const port = await photon.port();
  await askFor(port, numbered(10));
  await photon.event('access-log-failed');
  unlinkSync(file);
  await photon.event('access-log-recovered');
  await askFor(port, numbered(10, 10));
  await stop(photon);
  assert.deepEqual(sorted(pathsOf(linesIn(file))), numbered(20));
  assert.deepEqual(photon.events('access-log-dropped'), []);
});

test('lines of a worker that has died are written all the same, once they are handed over', async (t) => {
  const upstream = await Upstream.start(t);
  const file = join(temporaryDirectory(t), 'access.log');
  const settings = { upstreamPort: upstream.port, server: { workers: 1 }, accessLog: { output: file } };
  const photon = startPhoton(t, settings);
  const port = await photon.port();
  await askFor(port, numbered(5));
  await expectPaths(file, numbered(5));
  photon.crashWorker(0);
  await photon.event('worker-replaced');
  await askFor(port, numbered(5, 5));
  await expectPaths(file, numbered(10));
  await stop(photon);
});

/** Photon in a shell's pipe; `reader` is what reads it. The shell says how Photon ended: `exit 0`. */
function startPiped(t: TestContext, config: string, reader: string) {
  const script = `{ "$0" "$1" --config "$2"; echo "exit $?" >&2; } | ${reader}`;
  // In a process group of its own, so that what the shell started ends with it.
  const shell = spawn('sh', ['-c', script, process.execPath, MAIN, config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  t.after(() => endGroup(shell));
  return { events: (event: string) => eventsIn(stderr, event), seen: () => stderr };
}

interface Event {
  readonly event: string;
  readonly pid: number;
  readonly [field: string]: unknown;
}

function eventsIn(stderr: string, event: string): readonly Event[] {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as Event).filter((line) => line.event === event);
}

const STUCK = [
  { what: 'a pipe that nobody reads', reader: 'sleep 600' },
  { what: 'a pipe whose reader has gone', reader: 'true' },
] as const;

/** A hundred of them are more than the 64 KiB that a pipe holds. */
const LONG = `/${'x'.repeat(2000)}`;

for (const { what, reader } of STUCK) {
  test(`${what} does not hold up traffic, and SIGTERM ends with exit code 0`, async (t) => {
    const upstream = await Upstream.start(t);
    const { events, seen } = startPiped(t, writeConfig(t, { upstreamPort: upstream.port }), reader);
    await eventually('Photon to be ready', () => events('ready').length > 0, seen);
    const [listening] = events('listening');
    await askFor(
      portOf(listening),
      Array.from({ length: 100 }, () => LONG),
    );
    process.kill(Number(listening?.pid), 'SIGTERM');
    await eventually('the process to end', () => /^exit /m.test(seen()), seen);
    assert.match(seen(), /^exit 0$/m);
    const lost = events('access-log-dropped').reduce((sum, { count }) => sum + Number(count), 0);
    assert.ok(lost > 0, seen());
    assert.ok(events('access-log-failed').length <= 1, 'said once');
  });
}

function portOf(listening: Event | undefined): number {
  return Number(String(listening?.['address']).split(':').at(-1));
}

test('a socket that nobody reads does not hold up traffic either, and SIGTERM ends with exit code 0', async (t) => {
  const upstream = await Upstream.start(t);
  const config = writeConfig(t, { upstreamPort: upstream.port });
  // Node gives its children sockets for pipes, and nobody listens to this one.
  const child = spawn(process.execPath, [MAIN, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'exit');
  await eventually(
    'Photon to be ready',
    () => eventsIn(stderr, 'ready').length > 0,
    () => stderr,
  );
  const port = Number(String(eventsIn(stderr, 'listening')[0]?.['address']).split(':').at(-1));
  const long = `/${'x'.repeat(2000)}`;
  await askFor(
    port,
    Array.from({ length: 400 }, () => long),
  );
  child.kill('SIGTERM');
  assert.deepEqual(await guarded('the process to end', ended, () => stderr), [0, null]);
  assert.ok(Number(eventsIn(stderr, 'access-log-dropped')[0]?.['count']) > 0, stderr);
});

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually, guarded } from '../support/guard.ts';
import { temporaryDirectory, writeConfig } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

/** Nobody reads what the gateway has to say. It serves all the same, and ends as it should. */

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const HELLO = { status: 200, body: 'hello' };

/** A gateway behind a Unix socket, whose path is known without a word of it. */
interface MuteGateway {
  readonly child: ChildProcess;
  readonly socketPath: string;
}

async function startMute(t: TestContext, stderr: 'pipe' | number): Promise<MuteGateway> {
  const upstream = await Upstream.start(t);
  const socketPath = join(temporaryDirectory(t), 'photon.sock');
  const config = writeConfig(t, { upstreamPort: upstream.port, server: { http_addr: `unix:${socketPath}` } });
  return { child: run(t, ['--config', config, '--log-level', 'trace'], ['ignore', 'ignore', stderr]), socketPath };
}

function run(t: TestContext, args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function assertServes({ child, socketPath }: MuteGateway): Promise<void> {
  let reply: unknown;
  while (reply === undefined) {
    assert.deepEqual([child.exitCode, child.signalCode], [null, null], 'the gateway has ended');
    await pause(20);
    reply = await get({ socketPath }).catch(() => undefined);
  }
  assert.deepEqual(reply, HELLO);
}

async function assertServesAndStops(gateway: MuteGateway): Promise<void> {
  await assertServes(gateway);
  await assertStops(gateway);
}

async function assertStops({ child }: MuteGateway): Promise<void> {
  child.kill('SIGTERM');
  assert.deepEqual(await endOf(child), [0, null]);
}

function endOf(child: ChildProcess): Promise<unknown[]> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve([child.exitCode, child.signalCode]);
  return guarded('the gateway to end', once(child, 'exit'), () => '');
}

/** A pipe into which not one more byte goes; what is in it is a number of zeros. */
interface FullPipe {
  readonly reader: number;
  /** Opened apart: a process that writes blocking or not blocking decides for all that share the open file with it. */
  readonly writer: number;
}

function fullPipe(t: TestContext): FullPipe {
  const path = join(temporaryDirectory(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  t.after(() => [reader, writer].forEach(closeSync));
  for (const bytes of [Buffer.alloc(4096), Buffer.alloc(1)]) {
    while (writes(reader, bytes));
  }
  return { reader, writer };
}

function writes(pipe: number, bytes: Buffer): boolean {
  try {
    return writeSync(pipe, bytes) > 0;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    return false;
  }
}

/** What is in the pipe now. */
function drain(pipe: number): string {
  const parts: Buffer[] = [];
  const part = Buffer.alloc(65_536);
  try {
    for (;;) parts.push(Buffer.from(part.subarray(0, readSync(pipe, part))));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
  }
  return Buffer.concat(parts).toString('latin1').replaceAll('\0', '');
}

test('a gateway whose standard error is closed serves, and SIGTERM ends it with exit code 0', async (t) => {
  const gateway = await startMute(t, 'pipe');
  gateway.child.stderr?.destroy();
  await assertServesAndStops(gateway);
});

test('a gateway whose standard error is a full pipe serves, and SIGTERM ends it with exit code 0', async (t) => {
  const { reader, writer } = fullPipe(t);
  await assertServesAndStops(await startMute(t, writer));
  assert.equal(drain(reader), '');
});

test('a gateway whose log is on a full disk serves, and SIGTERM ends it with exit code 0', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  await assertServesAndStops(await startMute(t, full));
});

test('when a full pipe is read at last, the lines that waited are in it', async (t) => {
  const { reader, writer } = fullPipe(t);
  const gateway = await startMute(t, writer);
  await assertServes(gateway);
  let text = '';
  await eventually(
    'the lines that waited',
    () => {
      text += drain(reader);
      return text.includes('"event":"ready"');
    },
    () => text,
  );
  assert.match(text, /"event":"listening"/);
  await assertStops(gateway);
});

for (const [stream, openStream] of [
  ['closed', (): 'pipe' => 'pipe'],
  ['a full pipe', (t: TestContext) => fullPipe(t).writer],
] as const) {
  test(`a start that fails while standard error is ${stream} ends with exit code 1`, async (t) => {
    const child = run(t, ['--config', '/no/such/file.yaml'], ['ignore', 'ignore', openStream(t)]);
    child.stderr?.destroy();
    assert.deepEqual(await endOf(child), [1, null]);
  });
}

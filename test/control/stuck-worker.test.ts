import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LogLine, PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get } from './upstream.ts';

const STUCK = fileURLToPath(new URL('./fixtures/stuck-middleware.ts', import.meta.url));
const TIMEOUT_MS = 1000;

interface Server {
  readonly workers?: number;
  readonly shutdown_timeout?: string;
  readonly worker_timeout?: string;
}

/** A gateway whose middleware keeps a worker for ever, by the path of the request. */
class StuckBench {
  readonly photon: PhotonProcess;
  readonly pidFile: string;
  readonly #t: TestContext;
  readonly #directory: string;
  readonly #server: Server;

  private constructor(t: TestContext, server: Server, module: string) {
    this.#t = t;
    this.#directory = temporaryDirectory(t);
    this.#server = server;
    this.pidFile = join(this.#directory, 'photon.pid');
    this.write(module);
    this.photon = new PhotonProcess(t, ['--config', this.#file], { XDG_RUNTIME_DIR: this.#directory });
  }

  /** Resolves when it serves. */
  static async start(t: TestContext, server: Server = {}): Promise<StuckBench> {
    const bench = StuckBench.starting(t, server);
    await bench.photon.event('ready');
    return bench;
  }

  static starting(t: TestContext, server: Server = {}, module = STUCK): StuckBench {
    return new StuckBench(t, { workers: 1, worker_timeout: `${TIMEOUT_MS}ms`, ...server }, module);
  }

  get #file(): string {
    return join(this.#directory, 'config.json');
  }

  /** Has a module for its middleware from now on. */
  write(module: string, route = 'keeps-it'): void {
    const document = {
      server: { http_addr: '127.0.0.1:0', pid_file: this.pidFile, ...this.#server },
      middleware: { custom: { stuck: { module } } },
      load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:9' }] } } },
      routes: [{ id: route, path: '/**', middleware: ['stuck'] }],
      access_log: { enabled: false },
    };
    writeFileSync(this.#file, JSON.stringify(document));
  }

  writeModule(text: string): string {
    const path = join(this.#directory, `module-${text.length}.ts`);
    writeFileSync(path, text);
    return path;
  }

  /** A pipe that nobody writes to: whoever opens it to read waits in the system. */
  makePipe(): string {
    const path = join(this.#directory, 'pipe');
    execFileSync('mkfifo', [path]);
    return path;
  }

  /** Sends a request that gets no reply: its connection ends with the worker. Resolves when the middleware has it. */
  async stick(path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.send(path, headers);
    await this.photon.event('hook-begins');
  }

  /** The same, for a request that may come to a worker that is stuck already. */
  async send(path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const lost = assert.rejects(get({ port: await this.photon.port() }, path, headers));
    this.#t.after(() => lost);
  }

  async assertServes(): Promise<void> {
    assert.deepEqual(await get({ port: await this.photon.port() }), { status: 200, body: 'hello' });
  }
}

for (const { path, why } of [
  { path: '/spin', why: 'an endless loop' },
  { path: '/later', why: 'an endless loop after a promise' },
  { path: '/wait', why: 'it waits for a word in shared memory' },
  { path: '/pattern', why: 'a pattern that tries everything' },
]) {
  test(`a worker that middleware keeps is replaced, and the log says at what it was: ${why}`, async (t) => {
    const { photon, stick, assertServes } = bound(await StuckBench.start(t));
    await stick(`${path}?token=secret`);
    const stuck = await photon.event('worker-stuck');
    assert.deepEqual([stuck['worker'], stuck['recovered'], stuck['timeoutMs']], [0, false, TIMEOUT_MS]);
    assert.match(String((stuck['stack'] as readonly string[])[0]), /\(file:\/\/.*stuck-middleware\.ts.*:\d+:\d+\)$/);
    assert.deepEqual([stuck['method'], stuck['path'], stuck['route']], ['GET', path, 'keeps-it']);
    assert.doesNotMatch(photon.stderr, /secret/);
    assert.match(String((await photon.event('worker-died'))['reason']), /^it was stuck for more than 1000 ms$/);
    await photon.event('worker-replaced');
    await assertServes();
    photon.kill('SIGTERM');
    assert.equal((await photon.ended).code, 0);
  });
}

/** So that they can be taken out of it. */
function bound(bench: StuckBench) {
  const { photon } = bench;
  return { bench, photon, stick: bench.stick.bind(bench), assertServes: bench.assertServes.bind(bench) };
}

test('a worker in a native call is replaced when that ends: two never share a row', async (t) => {
  const { bench, photon, stick, assertServes } = bound(await StuckBench.start(t, { worker_timeout: '5s' }));
  const pipe = bench.makePipe();
  await stick('/file', { 'X-Fifo': pipe });
  const stuck = await photon.event('worker-stuck');
  assert.equal(stuck['stack'], null);
  assert.deepEqual(photon.events('worker-died'), []);
  writeFileSync(pipe, 'an end');
  await photon.event('worker-replaced');
  await assertServes();
});

for (const { path, why } of [
  { path: '/hash', why: 'a hash of hours' },
  { path: '/file', why: 'a file that does not come' },
]) {
  test(`a worker in a native call that does not end takes the process with it, which says why: ${why}`, async (t) => {
    const { bench, photon, stick } = bound(await StuckBench.start(t));
    await stick(path, { 'X-Fifo': bench.makePipe() });
    const { code, signal, stderr } = await photon.ended;
    assert.deepEqual([code, signal], [1, null], stderr);
    assert.equal(photon.events('worker-stuck').length, 1);
    assert.deepEqual(photon.events('workers-not-ended')[0]?.['workers'], [0]);
    assert.deepEqual(photon.events('worker-replaced'), []);
    assert.equal(existsSync(bench.pidFile), false);
  });

  test(`a drain does not wait for a worker in a native call: ${why}`, async (t) => {
    const { bench, photon, stick } = bound(await StuckBench.start(t, { shutdown_timeout: '100ms' }));
    await stick(path, { 'X-Fifo': bench.makePipe() });
    await photon.event('worker-stuck');
    photon.kill('SIGTERM');
    assert.equal((await photon.ended).signal, null);
    assert.equal(photon.events('workers-not-ended').length, 1);
  });

  test(`a second signal ends a gateway at once, whatever its workers do: ${why}`, async (t) => {
    const { bench, photon, stick } = bound(await StuckBench.start(t, { worker_timeout: '100s' }));
    await stick(path, { 'X-Fifo': bench.makePipe() });
    photon.kill('SIGTERM');
    await photon.event('draining');
    photon.kill('SIGTERM');
    const { code, signal } = await photon.ended;
    assert.deepEqual([code, signal], [1, null]);
  });
}

test('of two workers that are stuck one is ended after the other', async (t) => {
  const { bench, photon, assertServes } = bound(await StuckBench.start(t, { workers: 2 }));
  // The system gives the connections to both.
  for (let count = 0; count < 20; count++) await bench.send('/spin');
  const [first, second] = [await photon.event('worker-stuck'), await photon.event('worker-stuck', 1)];
  assert.deepEqual(new Set([first['worker'], second['worker']]), new Set([0, 1]));
  // A tenth of the time between two looks is less than what a timer may be early.
  assert.ok(timeOf(second) - timeOf(first) > TIMEOUT_MS - 10, `${first['time']} ${second['time']}`);
  await photon.event('worker-replaced', 1);
  await assertServes();
});

const timeOf = ({ time }: LogLine): number => Date.parse(String(time));

test('the system says for how long each worker has waited for a processor, and the gateway knows whom to ask about', async (t) => {
  if (process.platform !== 'linux') t.skip('only Linux says so');
  const { photon } = bound(await StuckBench.start(t, { workers: 2 }));
  const { threadNumbers } = await photon.counts();
  const names = threadNumbers.map((number) => readFileSync(`/proc/${photon.pid}/task/${number}/comm`, 'latin1'));
  assert.deepEqual(names, ['photon-worker-0\n', 'photon-worker-1\n']);
});

test('a gateway that was stopped as a whole, and goes on, ends no worker', async (t) => {
  const { photon, assertServes } = bound(await StuckBench.start(t));
  photon.kill('SIGSTOP');
  await pause(2.5 * TIMEOUT_MS);
  photon.kill('SIGCONT');
  photon.kill('SIGHUP');
  await photon.event('reload-unchanged');
  await assertServes();
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
  assert.deepEqual([...photon.events('worker-stuck'), ...photon.events('worker-died')], []);
});

test('a worker that is stuck while it drains is ended, and the drain is over', async (t) => {
  const { photon, stick } = bound(await StuckBench.start(t, { shutdown_timeout: '100s' }));
  await stick('/spin');
  photon.kill('SIGTERM');
  await photon.event('worker-stuck');
  assert.equal((await photon.ended).code, 0);
  assert.deepEqual([...photon.events('drain-timeout'), ...photon.events('worker-replaced')], []);
});

test('a worker that is stuck does not keep later configurations from being served', async (t) => {
  const { bench, photon, stick, assertServes } = bound(await StuckBench.start(t));
  await stick('/spin');
  bench.write(STUCK, 'another');
  photon.kill('SIGHUP');
  await photon.event('worker-stuck');
  await photon.event('worker-replaced');
  bench.write(STUCK, 'yet-another');
  photon.kill('SIGHUP');
  while (!photon.events('reloaded').some(({ routes }) => JSON.stringify(routes)?.includes('yet-another'))) {
    await photon.event('reloaded', photon.events('reloaded').length);
  }
  await assertServes();
});

/** The process that compiles loads it too. */
const SPINS_WHEN_LOADED = `
import { isMainThread } from 'node:worker_threads';
if (!isMainThread) for (;;);
import { defineMiddleware } from 'photon-gateway';
export default defineMiddleware({ name: 'spins', create: () => ({}) });
`;

test('a module that spins while it is loaded keeps the configuration of before, and the next one is served', async (t) => {
  const { bench, photon, assertServes } = bound(await StuckBench.start(t));
  bench.write(bench.writeModule(SPINS_WHEN_LOADED));
  assert.match(String((await photon.event('worker-stuck'))['stack']), /module-\d+\.ts/);
  await photon.event('reload-failed');
  await photon.event('worker-replaced');
  await assertServes();
  bench.write(STUCK, 'another');
  await photon.event('reloaded');
  await assertServes();
});

test('a module that spins while it is loaded keeps Photon from starting, in one line', async (t) => {
  const bench = StuckBench.starting(t, {}, STUCK);
  bench.write(bench.writeModule(SPINS_WHEN_LOADED));
  const { code, stderr } = await bench.photon.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^photon: .*it was stuck for more than 1000 ms$/m);
});

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testCertificate } from '../support/certificates.ts';
import { DnsServer } from '../support/dns-server.ts';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get } from './upstream.ts';

/** Long enough for a worker that does what it should, however busy the machine is. */
const ENOUGH = '2m';
/** A module that never comes to its end does not do so in half a second either. */
const SHORT = '500ms';

/** A module that answers with `word` once `code` has come to its end. */
const moduleText = (word: string, code = '') => `
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { defineMiddleware } from 'photon-gateway';
${code}
export default defineMiddleware({ name: 'x', create: () => ({ onRequest: () => ({ body: '${word}' }) }) });
void [existsSync, pause, isMainThread];
`;

const NEVER = 'await new Promise(() => undefined);';
/** The compiler loads it in its main thread. */
const NEVER_IN_A_WORKER = `if (!isMainThread) ${NEVER}`;

/** A gateway whose middleware answers with a word, on a name that a DNS server of the test knows and a certificate in a file. */
class Bench {
  readonly directory: string;
  readonly file: string;
  readonly module: string;
  readonly #resolver: string;

  constructor(t: TestContext, resolver = '127.0.0.1:9') {
    this.#resolver = resolver;
    this.directory = temporaryDirectory(t);
    this.file = join(this.directory, 'config.json');
    this.module = join(this.directory, 'module.ts');
    this.putCertificate('localhost');
    this.put('one');
  }

  put(word: string, code = '', reloadTimeout = ENOUGH): void {
    writeFileSync(this.module, moduleText(word, code));
    const document = {
      server: {
        http_addr: '127.0.0.1:0',
        https_addr: '127.0.0.1:0',
        tls_cert: this.mark('server.crt'),
        tls_key: this.mark('server.key'),
        tls_ticket_keys: this.mark('ticket-keys'),
        workers: 2,
        reload_timeout: reloadTimeout,
        // A worker that computes is left to its deadlines.
        worker_timeout: ENOUGH,
      },
      middleware: { custom: { mine: { module: './module.ts' } } },
      load_balancing: {
        resolver: this.#resolver,
        backends: { web: { upstreams: [{ address: 'shop.test:9' }] } },
      },
      routes: [{ path: '/**', middleware: ['mine'] }],
      access_log: { enabled: false },
    };
    writeFileSync(this.file, JSON.stringify(document));
  }

  putCertificate(name: 'localhost' | 'api'): void {
    const { certFile, keyFile } = testCertificate(name);
    copyFileSync(certFile, this.mark('server.crt'));
    copyFileSync(keyFile, this.mark('server.key'));
  }

  run(t: TestContext, ...command: readonly string[]): PhotonProcess {
    return new PhotonProcess(t, ['--config', this.file, ...command], { XDG_RUNTIME_DIR: this.directory });
  }

  /** A file of the bench; also those by which the test and the module tell each other something. */
  mark(name: string): string {
    return join(this.directory, name);
  }
}

/** What many connections get, which come to all workers. */
async function said(photon: PhotonProcess): Promise<readonly string[]> {
  const port = await photon.port();
  const replies = await Promise.all(Array.from({ length: 16 }, () => get({ port })));
  return [...new Set(replies.map(({ body }) => body))];
}

const STUCK =
  /^worker [01] did not make the configuration ready within 500ms: it was loading the module \S+module\.ts of the middleware "mine"$/;

test('a module that never comes to its end in a worker makes the reload fail, and nothing else', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('shop.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  const bench = new Bench(t, dns.address);
  const photon = bench.run(t);
  await photon.event('ready');
  bench.put('two', NEVER_IN_A_WORKER, SHORT);
  assert.match(String((await photon.event('reload-failed'))['reason']), STUCK);
  assert.deepEqual(await said(photon), ['one']);

  bench.putCertificate('api');
  await photon.event('certificates-reloaded');
  dns.set('shop.test', { A: ['127.0.0.3'], ttlSeconds: 60 });
  await photon.event('upstreams-changed');
  assert.deepEqual(await said(photon), ['one']);

  bench.put('three');
  await photon.event('reloaded');
  assert.deepEqual(await said(photon), ['three']);
  assert.deepEqual([...photon.events('worker-died'), ...photon.events('upstreams-kept')], []);
});

test('a module that comes to its end after its reload was given up changes nothing, and is served when it is asked for again', async (t) => {
  const bench = new Bench(t);
  const photon = bench.run(t);
  await photon.event('ready');
  const waits = `if (!isMainThread) while (!existsSync(${JSON.stringify(bench.mark('go-on'))})) await pause(5);`;
  const ended = `if (!isMainThread) (await import('node:fs')).appendFileSync(${JSON.stringify(bench.mark('ended'))}, '.');`;
  bench.put('two', waits + ended, SHORT);
  await photon.event('reload-failed');
  writeFileSync(bench.mark('go-on'), '');
  while (!existsSync(bench.mark('ended'))) await pause(5);
  assert.deepEqual(await said(photon), ['one']);
  photon.kill('SIGHUP');
  await photon.event('reloaded');
  assert.deepEqual(await said(photon), ['two']);
});

test('a module that never comes to its end where the configuration is compiled is named by the reload and by `photon check`', async (t) => {
  const bench = new Bench(t);
  const photon = bench.run(t);
  await photon.event('ready');
  bench.put('two', NEVER, SHORT);
  const reason = 'its module has not loaded within 500ms: does an await at its top level never end?';
  assert.equal((await photon.event('reload-failed'))['reason'], `Cannot use the middleware "mine": ${reason}`);
  const check = await bench.run(t, 'check').ended;
  assert.equal(check.code, 1);
  assert.match(check.stdout, /error\[module-failed\]: Cannot use the middleware "mine": its module has not loaded/);
  const reload = await bench.run(t, 'reload').ended;
  assert.equal(reload.code, 1);
  assert.match(reload.stderr, /Cannot reload .*: Cannot use the middleware "mine": its module has not loaded/);
  bench.put('three');
  await photon.event('reloaded');
  assert.deepEqual(await said(photon), ['three']);
});

test('a start whose workers do not come to the end of a module fails, and names the worker and the module', async (t) => {
  const bench = new Bench(t);
  bench.put('one', NEVER_IN_A_WORKER, '2s');
  const { code, stderr } = await bench.run(t).ended;
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^photon: worker [01] did not start within 2s: it was loading the module \S+module\.ts of the middleware "mine"$/m,
  );
});

test('a worker that takes the place of another and gets stuck in a module is replaced in its turn', async (t) => {
  const bench = new Bench(t);
  const stuck = `if (!isMainThread) while (existsSync(${JSON.stringify(bench.mark('stuck'))})) await pause(5);`;
  bench.put('one', stuck, '5s');
  const photon = bench.run(t);
  await photon.event('ready');
  writeFileSync(bench.mark('stuck'), '');
  photon.crashWorker(1);
  await photon.event('worker-died');
  const { worker, reason } = await photon.event('worker-died', 1);
  assert.equal(worker, 1);
  assert.match(String(reason), /^worker 1 did not start within 5s: it was loading the module \S+module\.ts/);
  await photon.event('worker-died', 2);
});

test('SIGTERM while workers load a module: the reload is given up at once, and the exit code is 0', async (t) => {
  const bench = new Bench(t);
  const photon = bench.run(t);
  await photon.event('ready');
  const mark = JSON.stringify(bench.mark('reached'));
  bench.put('two', `if (!isMainThread) (await import('node:fs')).writeFileSync(${mark}, ''); ${NEVER_IN_A_WORKER}`);
  while (!existsSync(bench.mark('reached'))) await pause(5);
  photon.kill('SIGTERM');
  const { code } = await photon.ended;
  assert.equal(code, 0);
  assert.equal(photon.events('reload-failed')[0]?.['reason'], 'the gateway is stopping');
  assert.deepEqual(photon.events('worker-died'), []);
});

test('a good configuration that comes while workers are stuck in the module of another is served when that has failed', async (t) => {
  const bench = new Bench(t);
  const photon = bench.run(t);
  await photon.event('ready');
  const mark = JSON.stringify(bench.mark('reached'));
  const reached = `if (!isMainThread) (await import('node:fs')).writeFileSync(${mark}, '');`;
  bench.put('two', reached + NEVER_IN_A_WORKER, '2s');
  while (!existsSync(bench.mark('reached'))) await pause(5);
  bench.put('three');
  await photon.event('reload-failed');
  await photon.event('reloaded');
  assert.deepEqual(await said(photon), ['three']);
});

test('a worker that says nothing about new certificates, because it computes, is replaced by one that uses them', async (t) => {
  const bench = new Bench(t);
  bench.put('one', '', '5s');
  const photon = bench.run(t);
  await photon.event('ready');
  photon.crashWorker(1, 'spin');
  bench.putCertificate('api');
  const { worker, reason } = await photon.event('worker-died');
  assert.deepEqual([worker, reason], [1, 'worker 1 did not use new certificates within 5s']);
  await photon.event('certificates-reloaded');
  await photon.event('worker-replaced');
});

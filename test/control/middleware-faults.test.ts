import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';

/** What the hook of a module does besides its job. */
const FAULTS: readonly { readonly name: string; readonly does: string; readonly why: string }[] = [
  { name: 'rejected', does: "void Promise.reject(new Error('oops'));", why: 'nobody waits for a promise' },
  { name: 'later', does: "(async () => { await null; throw new Error('oops'); })();", why: 'the same, a moment later' },
  { name: 'text', does: "void Promise.reject('oops');", why: 'a promise is rejected with what is no error' },
  { name: 'nothing', does: 'void Promise.reject();', why: 'a promise is rejected with nothing' },
  { name: 'odd', does: 'void Promise.reject(Object.create(null));', why: 'that cannot even be made a text' },
  { name: 'timer', does: "setTimeout(() => { throw new Error('oops'); }, 1);", why: 'its own timer throws' },
  {
    name: 'timer-text',
    does: "setTimeout(() => { throw 'oops'; }, 1);",
    why: 'its own timer throws what has no stack',
  },
  { name: 'tick', does: "process.nextTick(() => { throw new Error('oops'); });", why: 'a tick throws' },
  { name: 'microtask', does: "queueMicrotask(() => { throw new Error('oops'); });", why: 'a microtask throws' },
  { name: 'imported', does: 'setTimeout(fail, 1);', why: 'what it imports throws' },
  { name: 'required', does: 'setTimeout(failInCommonJs, 1);', why: 'what it requires throws' },
  { name: 'fetch', does: "void fetch('http://127.0.0.1:1/');", why: 'an error has no stack at all' },
  { name: 'event', does: "request('http://127.0.0.1:1/').end();", why: 'nobody listens to an error of a socket' },
  { name: 'finish', does: "endings.push(new Error('oops'));", why: 'onFinish is asynchronous, and rejects' },
  {
    name: 'storm',
    does: "for (let n = 0; n < 500; n++) void Promise.reject(new Error('oops'));",
    why: 'again and again',
  },
];

const moduleThat = (does: string) => `
import { defineMiddleware } from 'photon-gateway';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import { fail } from './fail.ts';
const { failInCommonJs } = createRequire(import.meta.url)('./fail.cjs');
export default defineMiddleware({
  name: 'x',
  create: () => {
    const endings: Error[] = [];
    return {
      onRequest() { ${does} return { status: 200, body: 'well' }; },
      async onFinish() { for (const error of endings) throw error; },
    };
  },
});`;

interface Modules {
  readonly [name: string]: string;
}

/** Writes a configuration of one worker with these modules, each a middleware of that name on a route of that name. */
function write(t: TestContext, modules: Modules): { readonly directory: string; readonly config: string } {
  const directory = temporaryDirectory(t);
  const put = (name: string, text: string) => writeFileSync(join(directory, name), text);
  put('fail.ts', "export const fail = (): never => { throw new Error('oops'); };");
  put('fail.cjs', "exports.failInCommonJs = () => { throw new Error('oops'); };");
  for (const [name, text] of Object.entries(modules)) put(`${name}.ts`, text);
  const names = Object.keys(modules);
  const document = {
    server: { http_addr: '127.0.0.1:0', workers: 1 },
    middleware: { custom: Object.fromEntries(names.map((name) => [name, { module: `./${name}.ts` }])) },
    load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:9' }] } } },
    routes: names.map((name) => ({ path: `/${name}`, middleware: [name] })),
    access_log: { enabled: false },
  };
  put('config.json', JSON.stringify(document));
  return { directory, config: join(directory, 'config.json') };
}

/** A gateway with them. */
async function start(t: TestContext, modules: Modules): Promise<PhotonProcess> {
  const { directory, config } = write(t, modules);
  const photon = new PhotonProcess(t, ['--config', config], { XDG_RUNTIME_DIR: directory });
  await photon.event('ready');
  return photon;
}

/** A client of one connection, which must live as long as the test. */
function connectionTo(t: TestContext, port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  let sockets = 0;
  return async function status(path: string): Promise<number | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const sent = get({ port, path, agent }, (reply) => reply.resume().on('end', () => resolve(reply.statusCode)));
    sent.on('error', reject);
    sent.on('socket', () => {
      if (!sent.reusedSocket) sockets++;
      assert.equal(sockets, 1, 'the connection was lost');
    });
    return promise;
  };
}

test('a fault of a module outside of its hooks is logged with its name, and the worker and its connections live on', async (t) => {
  const photon = await start(t, Object.fromEntries(FAULTS.map(({ name, does }) => [name, moduleThat(does)])));
  const status = connectionTo(t, await photon.port());
  for (const { name, why } of FAULTS) {
    const seen = photon.events('middleware-failed').length;
    assert.equal(await status(`/${name}`), 200, why);
    const { middleware, worker } = await photon.event('middleware-failed', seen);
    assert.deepEqual([middleware, worker], [name, 0], why);
  }
  assert.equal(await status('/rejected'), 200);
  assert.deepEqual(photon.events('worker-died'), []);
  // The log does not grow with the storm: most of it is counted only.
  const lines = photon.events('middleware-failed').filter(({ middleware }) => middleware === 'storm');
  assert.ok(lines.length <= 20, `${lines.length} lines`);
});

/** What it starts fails before it is loaded. */
const HASTY = `import { defineMiddleware } from 'photon-gateway';
  void Promise.reject(new Error('oops'));
  setImmediate(() => { throw new Error('oops'); });
  await new Promise((done) => setImmediate(done));
  export default defineMiddleware({ name: 'x', create: () => ({}) });`;

test('a module that starts something when it is loaded, and it fails, keeps nothing from starting', async (t) => {
  const photon = await start(t, { hasty: HASTY });
  for (const seen of [0, 1]) assert.equal((await photon.event('middleware-failed', seen))['middleware'], 'hasty');
});

for (const [command = '', ...words] of [['check'], ['explain', 'GET', 'http://a/hasty'], ['routes']]) {
  test(`photon ${command} tells of such a fault, and does its work`, async (t) => {
    const { config } = write(t, { hasty: HASTY });
    const { code, stdout, stderr } = await new PhotonProcess(t, ['--config', config, command, ...words]).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^The middleware "hasty" fails outside of its hooks: Error: oops\n/);
    assert.match(stdout, /\S/);
  });
}

test('an error of the gateway itself that nobody caught ends its worker, with modules or without', async (t) => {
  const photon = await start(t, { well: moduleThat('') });
  photon.crashWorker(0);
  assert.equal((await photon.event('worker-died'))['reason'], 'Error: crash on request');
  await photon.event('worker-replaced');
});

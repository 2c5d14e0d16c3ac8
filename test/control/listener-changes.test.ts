import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testCertificate } from '../support/certificates.ts';
import { type LogLine, PhotonProcess, temporaryDirectory } from './photon-process.ts';

const { certFile, keyFile, cert } = testCertificate('localhost');

/** Long enough for a worker that does what it should, however busy the machine is. */
const ENOUGH = '2m';

interface Server {
  readonly http_addr?: readonly string[];
  readonly https_addr?: readonly string[];
  readonly reload_timeout?: string;
}

/** Where a client connects. */
type Place = { readonly socketPath: string } | { readonly host: string; readonly port: number };

type Scheme = 'http' | 'https';

/** A gateway of two workers whose middleware answers with a word. */
class Bench {
  readonly directory: string;
  readonly photon: PhotonProcess;

  private constructor(t: TestContext, server: (directory: string) => Server) {
    this.directory = temporaryDirectory(t);
    this.write(server(this.directory), 'one');
    const file = join(this.directory, 'config.json');
    this.photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: this.directory });
  }

  static async start(t: TestContext, server: (directory: string) => Server): Promise<Bench> {
    const bench = new Bench(t, server);
    await bench.photon.event('ready');
    return bench;
  }

  /** `code` runs when a worker loads the middleware, of which each has a file of its own. */
  write(server: Server, word: string, code = ''): void {
    const module = `
      import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
      import { createServer, Server } from 'node:net';
      import { setTimeout as pause } from 'node:timers/promises';
      import { isMainThread, parentPort, threadName } from 'node:worker_threads';
      import { defineMiddleware } from 'photon-gateway';
      const here = (name: string) => new URL(name, import.meta.url);
      ${code === '' ? '' : `if (!isMainThread) { ${code} }`}
      export default defineMiddleware({ name: 'x', create: () => ({ onRequest: () => ({ body: '${word}' }) }) });
      void [appendFileSync, existsSync, writeFileSync, createServer, Server, pause, isMainThread, parentPort, threadName, here];`;
    writeFileSync(join(this.directory, `${word}.ts`), module);
    const document = {
      server: {
        ...{ tls_cert: certFile, tls_key: keyFile, tls_ticket_keys: join(this.directory, 'ticket-keys') },
        ...{ workers: 2, reload_timeout: ENOUGH, ...server },
      },
      middleware: { custom: { mine: { module: `./${word}.ts` } } },
      load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:9' }] } } },
      routes: [{ path: '/**', middleware: ['mine'] }],
      access_log: { enabled: false },
    };
    writeFileSync(join(this.directory, 'config.json'), JSON.stringify(document));
  }

  /** Where it listens, in the order of the events. */
  get places(): readonly Place[] {
    return this.photon.events('listening').map(placeOf);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async reached(name: string): Promise<void> {
    while (!existsSync(this.path(name))) await pause(5);
  }

  /** What many connections get, which come to all workers. */
  async said(place: Place, scheme: Scheme): Promise<readonly string[]> {
    const bodies = await Promise.all(Array.from({ length: 16 }, () => get(place, scheme)));
    return [...new Set(bodies)];
  }
}

function placeOf({ address }: LogLine): Place {
  const text = String(address);
  if (text.startsWith('unix:')) return { socketPath: text.slice('unix:'.length) };
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '::' ? '127.0.0.1' : host, port: Number(text.slice(colon + 1)) };
}

/** The body of a reply; rejects when the connection cannot be opened, or something else is spoken there. */
function get(place: Place, scheme: Scheme, agent: HttpAgent | HttpsAgent | false = false): Promise<string> {
  const options = { ...place, agent, path: '/', headers: { Host: 'localhost' } };
  return new Promise((resolve, reject) => {
    const sent =
      scheme === 'http' ? requestHttp(options) : requestHttps({ ...options, ca: cert, servername: 'localhost' });
    sent.once('error', reject);
    sent.once('response', async (response) => {
      try {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        resolve(body);
      } catch (error) {
        reject(error);
      }
    });
    sent.end();
  });
}

/** Connects again and again until `stop`; resolves with the errors. */
async function connectMeanwhile(place: Place, stop: Promise<unknown>): Promise<readonly string[]> {
  const errors: string[] = [];
  let stopped = false;
  void stop.then(() => {
    stopped = true;
  });
  while (!stopped) {
    const socket = 'socketPath' in place ? connect(place.socketPath) : connect(place.port, place.host);
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      socket.once('error', (error: NodeJS.ErrnoException) => {
        errors.push(String(error.code));
        resolve();
      });
    });
    socket.destroy();
    await pause(10);
  }
  return errors;
}

type Addresses = readonly string[];

for (const { why, before, after } of [
  {
    why: 'a Unix socket',
    before: (unix: string) => ({ http: [unix] }),
    after: (unix: string) => ({ https: [unix] }),
  },
  { why: 'TCP on port 0', before: () => ({ http: ['127.0.0.1:0'] }), after: () => ({ https: ['127.0.0.1:0'] }) },
  { why: 'IPv6', before: () => ({ http: ['[::1]:0'] }), after: () => ({ https: ['[::1]:0'] }) },
  { why: 'every address', before: () => ({ http: [':0'] }), after: () => ({ https: [':0'] }) },
  {
    why: 'and back: a Unix socket',
    before: (unix: string) => ({ https: [unix] }),
    after: (unix: string) => ({ http: [unix] }),
  },
  {
    why: 'several at once',
    before: (unix: string) => ({ http: [unix, '127.0.0.1:0', '[::1]:0'] }),
    after: (unix: string) => ({ https: ['[::1]:0', unix, '127.0.0.1:0'] }),
  },
] satisfies readonly {
  why: string;
  before: (unix: string) => { http?: Addresses; https?: Addresses };
  after: (unix: string) => { http?: Addresses; https?: Addresses };
}[]) {
  const serverOf = ({ http, https }: { http?: Addresses; https?: Addresses }): Server => ({
    ...(http === undefined ? {} : { http_addr: http }),
    ...(https === undefined ? {} : { https_addr: https }),
  });

  test(`an address goes over from HTTP to HTTPS with the reload, and never refuses a connection: ${why}`, async (t) => {
    const unixOf = (directory: string) => `unix:${join(directory, 'photon.sock')}`;
    const bench = await Bench.start(t, (directory) => serverOf(before(unixOf(directory))));
    const { photon } = bench;
    const first: Scheme = 'http' in before('') ? 'http' : 'https';
    const second: Scheme = first === 'http' ? 'https' : 'http';
    const { places } = bench;
    for (const place of places) assert.deepEqual(await bench.said(place, first), ['one']);
    const agent = first === 'http' ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true });
    t.after(() => agent.destroy());
    const kept = places[0] ?? assert.fail('it does not listen');
    assert.equal(await get(kept, first, agent), 'one');
    const reloaded = photon.event('reloaded');
    const meanwhile = places.map((place) => connectMeanwhile(place, reloaded));
    bench.write(serverOf(after(unixOf(bench.directory))), 'two');
    await reloaded;
    assert.deepEqual((await Promise.all(meanwhile)).flat(), []);
    for (const place of places) assert.deepEqual(await bench.said(place, second), ['two']);
    assert.equal(await get(kept, first, agent), 'two', 'a connection that was open goes on as it began');
    assert.deepEqual([...photon.events('worker-died'), ...photon.events('listener-closed')], []);
    assert.deepEqual(
      photon.events('listening').map(({ scheme }) => scheme),
      [...places.map(() => first), ...places.map(() => second)],
    );
  });
}

/** Code that makes one step of a worker fail; `after`: what happens to that worker. */
const FAILURES = [
  {
    why: 'a worker cannot bind an address',
    code: "if (threadName === 'photon-worker-0') await new Promise((done) => createServer((socket) => socket.destroy()).listen(here('next.sock').pathname, () => done(0)).unref());",
    reason: /^Cannot listen on unix:\S+next\.sock: the address is in use$/,
    dies: false,
  },
  {
    why: 'a worker cannot listen where it has bound',
    code: `if (threadName === 'photon-worker-1') Server.prototype.listen = function (this: Server) {
      const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
      process.nextTick(() => this.emit('error', error));
      return this;
    };`,
    reason: /^Cannot listen on 127\.0\.0\.2:\d+: the address is in use$/,
    dies: false,
  },
  {
    why: 'a worker never says that it listens',
    code: "if (threadName === 'photon-worker-1') Server.prototype.listen = function (this: Server) { return this; };",
    reason: /^worker 1 did not listen within 5s$/,
    dies: false,
    reloadTimeout: '5s',
  },
  {
    why: 'a worker dies while it makes the configuration ready',
    code: "if (threadName === 'photon-worker-1') Reflect.get(process, 'reallyExit')(7);",
    reason: /^worker 1 died: exit code 7$/,
    dies: true,
  },
  {
    why: 'a worker dies while it opens its listeners',
    code: "if (threadName === 'photon-worker-1') Server.prototype.listen = () => process.exit(7);",
    reason: /^worker 1 died: exit code 7$/,
    dies: true,
  },
] as const;

for (const { why, code, reason, dies, ...more } of FAILURES) {
  test(`everything stays as it was when ${why}, and a later reload is served`, async (t) => {
    const bench = await Bench.start(t, (directory) => ({
      http_addr: [`unix:${join(directory, 'old.sock')}`, '127.0.0.1:0'],
    }));
    const { photon, places } = bench;
    const [unix, tcp] = places as [Place, Place];
    const changed = {
      http_addr: [`unix:${bench.path('next.sock')}`, '127.0.0.2:0'],
      https_addr: ['127.0.0.1:0'],
    };
    bench.write({ ...changed, reload_timeout: 'reloadTimeout' in more ? more.reloadTimeout : ENOUGH }, 'two', code);
    assert.match(String((await photon.event('reload-failed'))['reason']), reason);
    if (dies) await photon.event('worker-replaced');
    assert.deepEqual(await bench.said(unix, 'http'), ['one']);
    assert.deepEqual(await bench.said(tcp, 'http'), ['one']);
    await assert.rejects(get({ socketPath: bench.path('next.sock') }, 'http'));
    assert.equal(photon.events('listening').length, 2);

    bench.write({ ...changed, http_addr: [`unix:${bench.path('third.sock')}`] }, 'three');
    await photon.event('reloaded');
    assert.deepEqual(await bench.said({ socketPath: bench.path('third.sock') }, 'http'), ['three']);
    assert.deepEqual(await bench.said(tcp, 'https'), ['three']);
    await assert.rejects(get(unix, 'http'), { code: 'ENOENT' });
    assert.equal(photon.events('worker-died').length, dies ? 1 : 0);
  });
}

for (const { why, scheme } of [
  { why: 'HTTP', scheme: 'http' },
  { why: 'HTTPS, whose handshake has begun', scheme: 'https' },
] as const) {
  test(`what is asked at a new address before the last worker listens is answered by the new configuration: ${why}`, async (t) => {
    const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
    const { photon } = bench;
    const next = bench.path('next.sock');
    // A Unix socket belongs to the first worker.
    const waits = `if (threadName === 'photon-worker-1') {
      const { listen } = Server.prototype;
      Server.prototype.listen = function (this: Server, ...on: unknown[]) {
        const wait = () => existsSync(here('go-on')) ? Reflect.apply(listen, this, on) : setTimeout(wait, 5);
        wait();
        return this;
      };
    }`;
    bench.write(
      {
        http_addr: ['127.0.0.1:0', '127.0.0.2:0'],
        [`${scheme}_addr`]: [...(scheme === 'http' ? ['127.0.0.2:0'] : []), `unix:${next}`],
      },
      'two',
      waits,
    );
    await bench.reached('next.sock');
    let asked: Promise<string> | null = null;
    while (asked === null) {
      const sent = get({ socketPath: next }, scheme);
      // Bound, and not listening yet.
      const refused = await Promise.race([sent.catch((error: NodeJS.ErrnoException) => error.code), pause(100, null)]);
      if (refused !== 'ECONNREFUSED') asked = sent;
    }
    assert.deepEqual(photon.events('reloaded'), []);
    writeFileSync(bench.path('go-on'), '');
    assert.equal(await asked, 'two');
    await photon.event('reloaded');
    assert.deepEqual(photon.events('worker-died'), []);
  });
}

test('a reload has failed when every worker has given back what it opened for it', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon } = bench;
  // It takes its time to close.
  const slow = `if (threadName === 'photon-worker-0') {
    const { close } = Server.prototype;
    Server.prototype.close = function (this: Server) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      writeFileSync(here('closed'), '');
      return Reflect.apply(close, this, []);
    };
  } else Server.prototype.listen = function (this: Server) {
    process.nextTick(() => this.emit('error', new Error('it cannot')));
    return this;
  };`;
  bench.write({ http_addr: ['127.0.0.2:0'] }, 'two', slow);
  await photon.event('reload-failed');
  assert.ok(existsSync(bench.path('closed')));
});

test('a port that was given up and is asked for again is had again, while connections from before are open', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon } = bench;
  const [first] = bench.places as [{ readonly host: string; readonly port: number }];
  const agent = new HttpAgent({ keepAlive: true });
  t.after(() => agent.destroy());
  assert.equal(await get(first, 'http', agent), 'one');
  bench.write({ http_addr: ['127.0.0.2:0'] }, 'two');
  await photon.event('reloaded');
  await assert.rejects(get(first, 'http'), { code: 'ECONNREFUSED' });
  assert.equal(await get(first, 'http', agent), 'two', 'its connections are kept');
  const reloaded = photon.event('reloaded', 1);
  bench.write({ https_addr: [`127.0.0.1:${first.port}`] }, 'three');
  await reloaded;
  assert.deepEqual(await bench.said(first, 'https'), ['three']);
  assert.equal(await get(first, 'http', agent), 'three', 'its connections are kept');
});

test('a worker that dies with an address that it has bound leaves nothing there for the next reload to stumble over', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon, places } = bench;
  const [tcp] = places as [Place];
  const next = bench.path('next.sock');
  const dies = "if (threadName === 'photon-worker-0') Server.prototype.listen = () => process.exit(7);";
  bench.write({ http_addr: [`unix:${next}`] }, 'two', dies);
  assert.equal((await photon.event('reload-failed'))['reason'], 'worker 0 died: exit code 7');
  await photon.event('worker-replaced');
  assert.equal(existsSync(next), false);
  assert.deepEqual(await bench.said(tcp, 'http'), ['one']);
  bench.write({ https_addr: [`unix:${next}`] }, 'three');
  await photon.event('reloaded');
  assert.deepEqual(await bench.said({ socketPath: next }, 'https'), ['three']);
});

for (const { why, address, reason } of [
  {
    why: 'a file that is not a socket is there',
    address: (bench: Bench) => `unix:${bench.path('config.json')}`,
    reason: /^Cannot listen on unix:\S+config\.json: there is a file that is not a socket$/,
  },
  {
    why: 'its directory is not there',
    address: (bench: Bench) => `unix:${bench.path('none/photon.sock')}`,
    reason: /^Cannot listen on unix:\S+photon\.sock: the directory does not exist$/,
  },
  {
    why: 'the machine does not have it',
    address: () => '192.0.2.1:8443',
    reason: /^Cannot listen on 192\.0\.2\.1:8443: this machine does not have the address$/,
  },
]) {
  test(`an address that cannot be had keeps every protocol as it was: ${why}`, async (t) => {
    const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
    const { photon, places } = bench;
    const [tcp] = places as [Place];
    bench.write({ https_addr: ['127.0.0.1:0', address(bench)] }, 'two');
    assert.match(String((await photon.event('reload-failed'))['reason']), reason);
    assert.deepEqual(await bench.said(tcp, 'http'), ['one']);
    bench.write({ https_addr: ['127.0.0.1:0'] }, 'three');
    await photon.event('reloaded');
    assert.deepEqual(await bench.said(tcp, 'https'), ['three']);
  });
}

test('a worker that dies while it goes over is replaced by one that serves the new configuration', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon, places } = bench;
  const [tcp] = places as [Place];
  const dies = `if (threadName === 'photon-worker-1' && !existsSync(here('died'))) {
    const post = parentPort.postMessage.bind(parentPort);
    parentPort.postMessage = (message: { type: string }) => {
      if (message.type !== 'committed') return post(message);
      writeFileSync(here('died'), '');
      process.exit(7);
    };
  }`;
  bench.write({ https_addr: ['127.0.0.1:0'] }, 'two', dies);
  await photon.event('reloaded');
  await photon.event('worker-replaced');
  assert.deepEqual(await bench.said(tcp, 'https'), ['two']);
  assert.deepEqual(
    photon.events('worker-died').map(({ worker, reason }) => [worker, reason]),
    [[1, 'exit code 7']],
  );
});

test('a worker that takes the place of another while the rest make a configuration ready goes over with them', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon, places } = bench;
  const [tcp] = places as [Place];
  const waits = `if (threadName === 'photon-worker-1') {
    writeFileSync(here('reached'), '');
    while (!existsSync(here('go-on'))) await pause(5);
  } else appendFileSync(here('loaded'), '.');`;
  bench.write({ https_addr: ['127.0.0.1:0'], http_addr: ['127.0.0.2:0'] }, 'two', waits);
  await Promise.all([bench.reached('reached'), bench.reached('loaded')]);
  // It has answered when a request that came after its module was loaded is answered.
  await bench.said(tcp, 'http');
  photon.crashWorker(0);
  await photon.event('worker-replaced');
  writeFileSync(bench.path('go-on'), '');
  await photon.event('reloaded');
  assert.deepEqual(await bench.said(tcp, 'https'), ['two']);
  const [, , added] = bench.places;
  assert.ok(bench.places.length === 3 && added !== undefined);
  for (const place of bench.places.filter((each) => 'host' in each && each.host === '127.0.0.2')) {
    assert.deepEqual(await bench.said(place, 'http'), ['two']);
  }
  assert.equal(photon.events('worker-died').length, 1, photon.stderr);
  assert.deepEqual(photon.events('reload-failed'), []);
});

test('certificates that change while a configuration is made ready are used once it is served', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon } = bench;
  const [tcp] = bench.places as [Place];
  const own = { tls_cert: bench.path('own.crt'), tls_key: bench.path('own.key') };
  const put = (name: 'localhost' | 'api') => {
    const { cert: text, key } = testCertificate(name);
    writeFileSync(own.tls_cert, text);
    writeFileSync(own.tls_key, key);
  };
  put('api');
  const waits = "writeFileSync(here('reached'), ''); while (!existsSync(here('go-on'))) await pause(5);";
  bench.write({ https_addr: ['127.0.0.1:0'], ...own }, 'two', waits);
  await bench.reached('reached');
  put('localhost');
  writeFileSync(bench.path('go-on'), '');
  await photon.event('reloaded');
  await photon.event('certificates-reloaded');
  assert.deepEqual(await bench.said(tcp, 'https'), ['two']);
});

test('SIGTERM while workers open their listeners: nothing new is served, and the exit code is 0', async (t) => {
  const bench = await Bench.start(t, () => ({ http_addr: ['127.0.0.1:0'] }));
  const { photon } = bench;
  const stuck = `if (threadName === 'photon-worker-1') Server.prototype.listen = function (this: Server) {
    writeFileSync(here('reached'), '');
    return this;
  };`;
  bench.write({ http_addr: ['127.0.0.1:0', '127.0.0.2:0'] }, 'two', stuck);
  await bench.reached('reached');
  photon.kill('SIGTERM');
  const { code } = await photon.ended;
  assert.equal(code, 0);
  assert.equal(photon.events('reload-failed')[0]?.['reason'], 'the gateway is stopping');
  assert.equal(photon.events('listening').length, 1);
  assert.deepEqual(photon.events('worker-died'), []);
});

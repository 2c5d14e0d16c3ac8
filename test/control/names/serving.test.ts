import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, createServer, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { testCertificate } from '../../support/certificates.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { settle } from '../../support/guard.ts';
import { PhotonProcess, temporaryDirectory } from '../photon-process.ts';
import { get } from '../upstream.ts';

/** Servers on one port of several addresses. Each answers with its own address, `/held` when the test lets it. */
class Farm {
  readonly port: number;
  /** How many have come to each address. */
  readonly connections: Record<string, number> = {};
  readonly #held = Promise.withResolvers<ServerResponse>();

  private constructor(port: number) {
    this.port = port;
  }

  static async start(t: TestContext, [first = '', ...others]: readonly string[]): Promise<Farm> {
    const server = createServer();
    server.listen(0, first);
    await once(server, 'listening');
    const farm = new Farm((server.address() as AddressInfo).port);
    farm.#serve(t, server, first);
    for (const address of others) {
      const other = createServer();
      other.listen(farm.port, address);
      await once(other, 'listening');
      farm.#serve(t, other, address);
    }
    return farm;
  }

  #serve(t: TestContext, server: Server, address: string): void {
    server.on('connection', () => {
      this.connections[address] = (this.connections[address] ?? 0) + 1;
    });
    server.on('request', (message, response) => {
      if (message.url === '/held') this.#held.resolve(response);
      else response.end(message.url === '/host' ? message.headers.host : address);
    });
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
  }

  /** Resolves when a request for `/held` has arrived. */
  holds(): Promise<ServerResponse> {
    return this.#held.promise;
  }
}

interface Setting {
  readonly upstreams: readonly object[];
  readonly backend?: object;
  readonly route?: object;
  /** Other DNS servers. */
  readonly resolver?: string;
}

/** A gateway whose names are those of a DNS server of the test. */
class Scene {
  readonly dns: DnsServer;
  readonly photon: PhotonProcess;
  readonly #file: string;

  private constructor(t: TestContext, dns: DnsServer, setting: Setting) {
    this.dns = dns;
    this.#file = join(temporaryDirectory(t), 'config.yaml');
    this.write(setting);
    this.photon = new PhotonProcess(t, ['--config', this.#file], { XDG_RUNTIME_DIR: dirname(this.#file) });
  }

  /** `prepare` tells the DNS server what it knows at the start. */
  static async start(t: TestContext, setting: Setting, prepare: (dns: DnsServer) => void): Promise<Scene> {
    const dns = await DnsServer.start(t);
    prepare(dns);
    const scene = new Scene(t, dns, setting);
    await scene.photon.event('ready');
    return scene;
  }

  write({ upstreams, backend = {}, route = {}, resolver = this.dns.address }: Setting): void {
    const document = {
      server: { http_addr: '127.0.0.1:0', workers: 2 },
      load_balancing: { resolver, backends: { web: { upstreams, ...backend } } },
      routes: [{ path: '/**', ...route }],
      access_log: { enabled: false },
    };
    writeFileSync(this.#file, JSON.stringify(document));
  }

  async get(path = '/') {
    return get({ port: await this.photon.port() }, path);
  }

  /** How many of `total` requests each server answered. */
  async spread(total: number): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (let index = 0; index < total; index++) {
      const { status, body } = await this.get();
      assert.equal(status, 200, body);
      counts[body] = (counts[body] ?? 0) + 1;
    }
    return counts;
  }
}

test('every address of a name gets requests, and a new one does when the answer no longer holds', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, (dns) =>
    dns.set('app.test', { A: ['127.0.0.2', '127.0.0.1'], ttlSeconds: 1 }),
  );
  assert.deepEqual(await scene.spread(20), { '127.0.0.1': 10, '127.0.0.2': 10 });
  scene.dns.set('app.test', { A: ['127.0.0.3', '127.0.0.1'], ttlSeconds: 1 });
  const changed = await scene.photon.event('upstreams-changed');
  assert.deepEqual(
    { added: changed['added'], removed: changed['removed'], upstreams: changed['upstreams'] },
    {
      added: [`web/app.test:${farm.port} (127.0.0.3)`],
      removed: [`web/app.test:${farm.port} (127.0.0.2)`],
      upstreams: 2,
    },
  );
  assert.deepEqual(await scene.spread(20), { '127.0.0.1': 10, '127.0.0.3': 10 });
});

test('a request that waits for the only server of a name is served by the next one as soon as the name has it', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2']);
  const setting = {
    upstreams: [{ address: `app.test:${farm.port}`, max_connections: 1 }],
    backend: { queue: { timeout: '120s' } },
  };
  const scene = await Scene.start(t, setting, (dns) => dns.set('app.test', { A: ['127.0.0.1'], ttlSeconds: 1 }));
  const held = scene.get('/held');
  const response = await farm.holds();
  const waiting = scene.get();
  scene.dns.set('app.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  assert.deepEqual(await waiting, { status: 200, body: '127.0.0.2' });
  response.end('held');
  assert.equal((await held).body, 'held');
});

test('while a name changes its addresses under load no request fails, and one under way at an address that is gone ends', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, (dns) =>
    dns.set('app.test', { A: ['127.0.0.1'], ttlSeconds: 1 }),
  );
  const held = scene.get('/held');
  const response = await farm.holds();
  const load = new Load(t, await scene.photon.port(), 8);
  for (const [round, addresses] of [['127.0.0.2'], ['127.0.0.2', '127.0.0.3'], ['127.0.0.3']].entries()) {
    scene.dns.set('app.test', { A: addresses, ttlSeconds: 1 });
    await scene.photon.event('upstreams-changed', round);
  }
  const { answers, failures } = await load.stop();
  assert.deepEqual(failures, []);
  assert.deepEqual([...answers].toSorted(), ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  response.end('late');
  assert.deepEqual(await held, { status: 200, body: 'late' });
});

test('an address that stays keeps its connections when another one comes', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2']);
  const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, (dns) =>
    dns.set('app.test', { A: ['127.0.0.2'], ttlSeconds: 1 }),
  );
  const client = new Load(t, await scene.photon.port(), 1);
  scene.dns.set('app.test', { A: ['127.0.0.1', '127.0.0.2'], ttlSeconds: 1 });
  await scene.photon.event('upstreams-changed');
  const asked = client.replies;
  while (client.replies < asked + 20) await settle();
  assert.deepEqual((await client.stop()).failures, []);
  assert.deepEqual(farm.connections, { '127.0.0.1': 1, '127.0.0.2': 1 });
});

/** Clients that ask one request after the other on connections that they keep. */
class Load {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #clients: readonly Promise<void>[];
  readonly #answers = new Set<string>();
  readonly #failures: string[] = [];
  #stopping = false;
  replies = 0;

  constructor(t: TestContext, port: number, clients: number) {
    t.after(() => this.#agent.destroy());
    this.#clients = Array.from({ length: clients }, () => this.#ask(port));
  }

  async #ask(port: number): Promise<void> {
    while (!this.#stopping) {
      try {
        const sent = request({ host: '127.0.0.1', port, agent: this.#agent }).end();
        const [response] = await once(sent, 'response');
        const body = (await response.setEncoding('utf8').toArray()).join('');
        if (response.statusCode === 200) this.#answers.add(body);
        else this.#failures.push(body);
        this.replies++;
      } catch (error) {
        this.#failures.push(String(error));
      }
    }
  }

  async stop() {
    this.#stopping = true;
    await Promise.all(this.#clients);
    return { answers: this.#answers, failures: this.#failures };
  }
}

for (const { why, fail } of [
  { why: 'does not exist any more', fail: (dns: DnsServer) => dns.remove('app.test') },
  { why: 'has no server that knows it', fail: (dns: DnsServer) => dns.set('app.test', { failure: 'SERVFAIL' }) },
]) {
  test(`a name that ${why} is served where it was, and that is said once`, async (t) => {
    const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2']);
    const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, (dns) =>
      dns.set('app.test', { A: ['127.0.0.1'], ttlSeconds: 1 }),
    );
    fail(scene.dns);
    const said = await scene.photon.event('name-does-not-resolve');
    assert.deepEqual([said.level, said['name'], said['kept']], ['warn', 'app.test', 1]);
    await scene.dns.asked('app.test', scene.dns.count('app.test') + 1);
    assert.deepEqual(await scene.spread(4), { '127.0.0.1': 4 });
    scene.dns.set('app.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
    await scene.photon.event('name-resolves');
    await scene.photon.event('upstreams-changed');
    assert.deepEqual(await scene.spread(4), { '127.0.0.2': 4 });
    assert.equal(scene.photon.events('name-does-not-resolve').length, 1);
  });
}

test('a name that does not exist keeps nobody from starting: its requests get 503 until it does', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1']);
  const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, () => {});
  const { status, body } = await scene.get();
  assert.equal(status, 503);
  assert.match(body, /No upstream/);
  scene.dns.set('app.test', { A: ['127.0.0.1'] });
  await scene.photon.event('upstreams-changed');
  assert.deepEqual(await scene.spread(2), { '127.0.0.1': 2 });
});

test('servers that say nothing hold up the start for two seconds, and no request to another upstream', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1']);
  const upstreams = [{ address: `app.test:${farm.port}` }, { address: `127.0.0.1:${farm.port}` }];
  const startedMs = performance.now();
  const scene = await Scene.start(t, { upstreams }, (dns) => dns.set('app.test', { failure: 'SILENCE' }));
  assert.ok(performance.now() - startedMs > 2000);
  assert.deepEqual(scene.photon.events('name-does-not-resolve'), [], 'nobody waited until it was given up');
  assert.deepEqual(await scene.spread(4), { '127.0.0.1': 4 });
});

test('an upstream without weight does not stand in for a name that does not resolve', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1']);
  const upstreams = [{ address: `app.test:${farm.port}` }, { address: `127.0.0.1:${farm.port}`, weight: 0 }];
  const scene = await Scene.start(t, { upstreams }, () => {});
  assert.equal((await scene.get()).status, 503);
});

test('an answer is asked for again when it no longer holds, and not before', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1']);
  const upstreams = ['short', 'long'].map((name) => ({ address: `${name}.test:${farm.port}` }));
  const startedMs = performance.now();
  const scene = await Scene.start(t, { upstreams }, (dns) => {
    dns.set('short.test', { A: ['127.0.0.1'], ttlSeconds: 1 });
    dns.set('long.test', { A: ['127.0.0.1'], ttlSeconds: 60 });
  });
  await scene.dns.asked('short.test', 4);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs > 3000, `three times a second in ${tookMs} ms`);
  assert.equal(scene.dns.count('long.test'), 1);
  assert.equal(scene.photon.events('upstreams-changed').length, 0);
});

test('the servers of a service get requests by their weights, on their ports', async (t) => {
  const [one, two] = [await Farm.start(t, ['127.0.0.1']), await Farm.start(t, ['127.0.0.2'])];
  const record = { priority: 1, weight: 30, port: one.port, target: 'one.test' };
  const other = { priority: 1, weight: 10, port: two.port, target: 'two.test' };
  const scene = await Scene.start(t, { upstreams: [{ address: 'srv:_http._tcp.app.test' }] }, (dns) => {
    dns.set('_http._tcp.app.test', { SRV: [record, other, { ...other, priority: 2, port: 1 }] });
    dns.set('one.test', { A: ['127.0.0.1'], ttlSeconds: 1 });
    dns.set('two.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  });
  assert.deepEqual(await scene.spread(40), { '127.0.0.1': 30, '127.0.0.2': 10 });
  scene.dns.set('_http._tcp.app.test', { SRV: [other] });
  await scene.photon.event('upstreams-changed');
  assert.deepEqual(await scene.spread(4), { '127.0.0.2': 4 });
});

for (const { why, upstreamHost, address, expected } of [
  {
    why: 'a name is called as it is written',
    upstreamHost: 'upstream',
    address: 'app.test',
    expected: /^app\.test:\d+$/,
  },
  { why: 'a service by its domain', upstreamHost: 'upstream', address: null, expected: /^app\.test$/ },
]) {
  test(`an upstream that is to hear its own name hears no address: ${why}`, async (t) => {
    const farm = await Farm.start(t, ['127.0.0.1']);
    const written = address === null ? 'srv:_http._tcp.app.test' : `${address}:${farm.port}`;
    const setting = { upstreams: [{ address: written }], route: { upstream_host: upstreamHost } };
    const scene = await Scene.start(t, setting, (dns) => {
      dns.set('app.test', { A: ['127.0.0.1'] });
      dns.set('_http._tcp.app.test', { SRV: [{ priority: 0, weight: 0, port: farm.port, target: 'app.test' }] });
    });
    assert.match((await scene.get('/host')).body, expected);
  });
}

for (const { why, listens, zone } of [
  { why: 'refused over IPv4', listens: '::1', zone: { A: ['127.0.0.9'], AAAA: ['::1'] } },
  { why: 'over IPv6 alone', listens: '::1', zone: { AAAA: ['::1'] } },
  { why: 'without a way out over IPv6', listens: '127.0.0.1', zone: { A: ['127.0.0.1'], AAAA: ['2001:db8::1'] } },
]) {
  test(`one server with addresses of both families is reached: ${why}`, async (t) => {
    const farm = await Farm.start(t, [listens]);
    const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, (dns) =>
      dns.set('app.test', zone),
    );
    assert.deepEqual(await scene.spread(4), { [listens]: 4 });
  });
}

test('a worker that takes the place of a dead one serves the addresses of now', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2']);
  const scene = await Scene.start(t, { upstreams: [{ address: `app.test:${farm.port}` }] }, (dns) =>
    dns.set('app.test', { A: ['127.0.0.1'], ttlSeconds: 1 }),
  );
  scene.dns.set('app.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  await scene.photon.event('upstreams-changed');
  for (const row of [0, 1]) {
    scene.photon.crashWorker(row);
    await scene.photon.event('worker-replaced', row);
  }
  assert.deepEqual(await scene.spread(20), { '127.0.0.2': 20 });
});

test('a reload asks for new names before it serves them, and no longer for those that are gone', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2']);
  const scene = await Scene.start(t, { upstreams: [{ address: `old.test:${farm.port}` }] }, (dns) => {
    dns.set('old.test', { A: ['127.0.0.1'], ttlSeconds: 1 });
    dns.set('new.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  });
  scene.write({ upstreams: [{ address: `new.test:${farm.port}` }] });
  await scene.photon.event('reloaded');
  const asked = scene.dns.count('old.test');
  assert.deepEqual(await scene.spread(4), { '127.0.0.2': 4 });
  await scene.dns.asked('new.test', scene.dns.count('new.test') + 2);
  assert.equal(scene.dns.count('old.test'), asked);
});

test('an upstream behind TLS is asked for by the name in the configuration, without a port', async (t) => {
  const certificate = testCertificate('localhost');
  const server = createTlsServer(certificate, (message, response) => {
    response.end(JSON.stringify((message.socket as TLSSocket).servername));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const address of [`app.test:${port}`, `app.test.:${port}`, 'srv:_https._tcp.app.test']) {
    const scene = await Scene.start(t, { upstreams: [{ address, tls: true, tls_verify: false }] }, (dns) => {
      dns.set('app.test', { A: ['127.0.0.1'] });
      dns.set('_https._tcp.app.test', { SRV: [{ priority: 0, weight: 0, port, target: 'app.test' }] });
    });
    assert.deepEqual(await scene.get(), { status: 200, body: '"app.test"' }, address);
  }
});

test('other DNS servers are asked from a reload on', async (t) => {
  const farm = await Farm.start(t, ['127.0.0.1', '127.0.0.2']);
  const other = await DnsServer.start(t);
  other.set('app.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  const setting = { upstreams: [{ address: `app.test:${farm.port}` }] };
  const scene = await Scene.start(t, setting, (dns) => dns.set('app.test', { A: ['127.0.0.1'], ttlSeconds: 1 }));
  scene.write({ ...setting, resolver: other.address });
  await scene.photon.event('reloaded');
  await scene.photon.event('upstreams-changed');
  const asked = scene.dns.count('app.test');
  assert.deepEqual(await scene.spread(4), { '127.0.0.2': 4 });
  await other.asked('app.test', other.count('app.test') + 1);
  assert.equal(scene.dns.count('app.test'), asked);
});

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { testCertificate } from '../support/certificates.ts';
import { DnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/guard.ts';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get } from './upstream.ts';

/** What differs between two configurations, each with a name of its own: every part that a change has. */
interface Version {
  readonly name: 'first' | 'second';
  readonly certificate: 'localhost' | 'api';
  readonly resolver: string;
  /** The name of the upstream. */
  readonly host: string;
}

const IMPORTS = `
  import { existsSync, writeFileSync } from 'node:fs';
  import { setTimeout as pause } from 'node:timers/promises';
  import { isMainThread, parentPort, threadName } from 'node:worker_threads';
  const here = (name: string) => new URL(name, import.meta.url);
  void [existsSync, writeFileSync, pause, parentPort, threadName, here];`;

/** A gateway whose second configuration differs from the first one in everything. */
class Bench {
  readonly directory: string;
  readonly photon: PhotonProcess;
  readonly first: Version;
  readonly second: Version;
  /** How often each issuer was asked for its keys. */
  readonly asked: Readonly<Record<Version['name'], () => number>>;
  readonly upstream: CountingServer;
  readonly #issuers: Readonly<Record<Version['name'], string>>;

  private constructor(t: TestContext, dns: readonly [DnsServer, DnsServer], servers: readonly CountingServer[]) {
    const [upstream, one, other] = servers as [CountingServer, CountingServer, CountingServer];
    // Before the directory goes, in which the gateway would open its access log again.
    t.after(async () => {
      this.photon.kill('SIGKILL');
      await this.photon.ended;
    });
    this.directory = temporaryDirectory(t);
    this.upstream = upstream;
    this.#issuers = { first: one.url, second: other.url };
    this.asked = { first: () => one.requests, second: () => other.requests };
    this.first = { name: 'first', certificate: 'localhost', resolver: dns[0].address, host: 'first.test' };
    this.second = { name: 'second', certificate: 'api', resolver: dns[1].address, host: 'second.test' };
    this.write(this.first);
    const file = this.path('config.json');
    // Several reloads, on a machine that may be busy.
    const options = { lifetimeMs: 900_000 };
    this.photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: this.directory }, options);
  }

  static async start(t: TestContext, dns: readonly [DnsServer, DnsServer]): Promise<Bench> {
    const servers = [await CountingServer.start(t), await CountingServer.start(t), await CountingServer.start(t)];
    const bench = new Bench(t, dns, servers);
    await bench.photon.event('ready');
    return bench;
  }

  /** `code` runs when a worker loads the middleware of the configuration; `more` goes into `server`. */
  write({ name, certificate, resolver, host }: Version, code = '', more: object = {}): void {
    const module = `${IMPORTS}
      import { defineMiddleware } from 'photon-gateway';
      ${code === '' ? '' : `if (!isMainThread) { ${code} }`}
      export default defineMiddleware({
        name: 'x',
        create: () => ({ onRequest: (request) => (request.path === '/word' ? { body: '${name}' } : undefined) }),
      });`;
    writeFileSync(this.path(`${name}.ts`), module);
    const { certFile, keyFile } = testCertificate(certificate);
    const document = {
      server: {
        http_addr: ['127.0.0.1:0', `unix:${this.path(`${name}.sock`)}`],
        https_addr: '127.0.0.1:0',
        tls_cert: certFile,
        tls_key: keyFile,
        tls_ticket_keys: this.path('ticket-keys'),
        workers: 2,
        reload_timeout: '10m',
        shutdown_timeout: '10m',
        ...more,
      },
      middleware: {
        custom: { mine: { module: `./${name}.ts` } },
        authentication: { auth_type: 'jwt', jwt: { jwks_url: this.#issuers[name], algorithms: ['ES256'] } },
      },
      load_balancing: {
        resolver,
        backends: { web: { upstreams: [{ address: `${host}:${this.upstream.port}`, read_timeout: '600s' }] } },
      },
      routes: [
        { path: '/closed/**', middleware: ['auth'] },
        { path: '/**', middleware: ['mine'] },
      ],
      access_log: { output: this.path(`${name}.log`) },
    };
    writeFileSync(this.path('config.json'), JSON.stringify(document));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async reached(name: string): Promise<void> {
    while (!existsSync(this.path(name))) await pause(5);
  }

  /** Everything that a client or an upstream can see is as this configuration has it. */
  async expectServes({ name, certificate }: Version): Promise<void> {
    const port = await this.photon.port();
    const replies = await Promise.all(Array.from({ length: 16 }, () => get({ port }, '/word')));
    assert.deepEqual([...new Set(replies.map(({ body }) => body))], [name]);
    assert.equal((await get({ socketPath: this.path(`${name}.sock`) }, '/word')).body, name);
    assert.deepEqual(await this.shownCertificates(), [certificate]);
    const path = `/to-${name}-${this.#lines(name).length}`;
    assert.equal((await get({ port }, path)).body, 'upstream');
    await eventually(
      `the line of ${path}`,
      () => this.#lines(name).some((line) => line.includes(path)),
      () => this.#lines(name).join('\n'),
    );
    await eventually(
      `${name}.log to be the one that is open`,
      () => this.#openLogs.join() === `${name}.log`,
      () => this.#openLogs.join(),
    );
    const other = name === 'first' ? 'second' : 'first';
    await assert.rejects(get({ socketPath: this.path(`${other}.sock`) }));
  }

  #lines(name: string): readonly string[] {
    const file = this.path(`${name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  }

  /** Which access logs the gateway has open. */
  get #openLogs(): readonly string[] {
    const directory = `/proc/${this.photon.pid}/fd`;
    const links = readdirSync(directory).flatMap((fd) => {
      try {
        return [readlinkSync(join(directory, fd))];
      } catch {
        return [];
      }
    });
    return links
      .filter((link) => link.startsWith(this.directory) && link.endsWith('.log'))
      .map((link) => link.slice(this.directory.length + 1));
  }

  /** The certificates that many clients see at the address for HTTPS, which come to all workers. */
  async shownCertificates(): Promise<readonly string[]> {
    const { address } = this.photon.events('listening').find(({ scheme }) => scheme === 'https') ?? assert.fail();
    const port = Number(String(address).split(':').at(-1));
    const shown = await Promise.all(Array.from({ length: 16 }, () => certificateAt(port)));
    return [...new Set(shown)];
  }
}

/** The name of the test's certificate that a server shows. */
async function certificateAt(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    const isShown = (name: Version['certificate']) => new X509Certificate(testCertificate(name).cert).raw.equals(raw);
    return (['localhost', 'api'] as const).find(isShown) ?? 'another';
  } finally {
    socket.destroy();
  }
}

/** A server that answers everything with the same words, and counts. It answers `/held` when the test lets it. */
class CountingServer {
  readonly port: number;
  requests = 0;
  readonly held: ServerResponse[] = [];

  private constructor(port: number) {
    this.port = port;
  }

  static async start(t: TestContext): Promise<CountingServer> {
    const server = createServer((message, response) => {
      counting.requests++;
      if (message.url === '/held') counting.held.push(response);
      else response.end('upstream');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const counting = new CountingServer((server.address() as AddressInfo).port);
    return counting;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/keys`;
  }
}

/** Two DNS servers that know the upstreams of both configurations. */
async function dnsServers(t: TestContext): Promise<readonly [DnsServer, DnsServer]> {
  const servers = [await DnsServer.start(t), await DnsServer.start(t)] as const;
  for (const dns of servers) {
    for (const name of ['first.test', 'second.test']) dns.set(name, { A: ['127.0.0.1'], ttlSeconds: 1 });
  }
  return servers;
}

/** How a change of everything fails, each after another part of it was prepared. */
const FAILURES: readonly { why: string; spoil: (bench: Bench) => void; reason: RegExp }[] = [
  {
    why: 'a certificate cannot be read',
    spoil: (bench) => bench.write(bench.second, '', { tls_key: bench.path('none.key') }),
    reason: /^Cannot read server\.tls_key \S+none\.key: ENOENT$/,
  },
  {
    why: 'an address cannot be bound',
    spoil: (bench) => {
      const taken = `unix:${bench.path('config.json')}`;
      bench.write(bench.second, '', { http_addr: ['127.0.0.1:0', `unix:${bench.path('second.sock')}`, taken] });
    },
    reason: /^Cannot listen on unix:\S+config\.json: there is a file that is not a socket$/,
  },
  {
    why: 'a worker cannot load its middleware',
    spoil: (bench) => bench.write(bench.second, "if (threadName === 'photon-worker-1') throw new Error('it cannot');"),
    reason: /it cannot/,
  },
];

test('a configuration that changes everything leaves everything as it was if a part of it fails, and changes everything if none does', async (t) => {
  const [dns, other] = await dnsServers(t);
  const bench = await Bench.start(t, [dns, other]);
  const { photon, first, second } = bench;
  await bench.expectServes(first);
  for (const [index, { why, spoil, reason }] of FAILURES.entries()) {
    spoil(bench);
    assert.match(String((await photon.event('reload-failed', index))['reason']), reason, why);
    await bench.expectServes(first);
    const asked = other.count('second.test');
    await dns.asked('first.test', dns.count('first.test') + 2);
    assert.equal(other.count('second.test'), asked, 'the names of a configuration that has failed are not asked for');
    assert.equal(bench.asked.second(), 0, 'nor are the keys of its issuers');
  }
  bench.write(second);
  await photon.event('reloaded');
  await bench.expectServes(second);
  const asked = [dns.count('first.test'), dns.count('second.test')];
  await other.asked('second.test', other.count('second.test') + 2);
  assert.deepEqual([dns.count('first.test'), dns.count('second.test')], asked);
  await eventually(
    'the keys of the new issuer to be asked for',
    () => bench.asked.second() > 0,
    () => String(bench.asked.second()),
  );
  assert.deepEqual([...photon.events('worker-died'), ...photon.events('internal-error')], []);
});

test('names that stand for other addresses while a configuration is made ready are served by that configuration', async (t) => {
  const [dns, other] = await dnsServers(t);
  const bench = await Bench.start(t, [dns, other]);
  const { photon, first, second } = bench;
  const waits = "writeFileSync(here('reached'), ''); while (!existsSync(here('go-on'))) await pause(5);";
  bench.write({ ...second, host: first.host }, waits);
  await bench.reached('reached');
  other.set('first.test', { A: ['127.0.0.1', '127.0.0.9'], ttlSeconds: 1 });
  const asked = other.count('first.test');
  await other.asked('first.test', asked + 2);
  assert.deepEqual(photon.events('upstreams-changed'), []);
  writeFileSync(bench.path('go-on'), '');
  await photon.event('reloaded');
  assert.equal((await photon.event('upstreams-changed'))['upstreams'], 2);
  await bench.expectServes(second);
});

test('SIGTERM while a worker goes over: both access logs have all of their lines, and the exit code is 0', async (t) => {
  const bench = await Bench.start(t, await dnsServers(t));
  const { photon, second } = bench;
  const port = await photon.port();
  // The worker has gone over, and does not say so.
  const silent = `if (threadName === 'photon-worker-1') {
    const post = parentPort.postMessage.bind(parentPort);
    parentPort.postMessage = (message: { type: string }) => {
      if (message.type === 'committed') writeFileSync(here('committed'), '');
      else post(message);
    };
  }`;
  assert.equal((await get({ port }, '/before')).body, 'upstream');
  bench.write(second, silent);
  await bench.reached('committed');
  assert.equal((await get({ port }, '/after')).body, 'upstream');
  assert.deepEqual(photon.events('reloaded'), [], 'one worker has not said that it has gone over');
  photon.kill('SIGTERM');
  const { code } = await photon.ended;
  assert.equal(code, 0);
  assert.match(readFileSync(bench.path('first.log'), 'utf8'), /"\/before"/);
  assert.match(readFileSync(bench.path('second.log'), 'utf8'), /"\/after"/);
  assert.deepEqual([...photon.events('worker-died'), ...photon.events('internal-error')], []);
});

test('certificates that one worker refuses are used by none of them, and by all when none refuses', async (t) => {
  const bench = await Bench.start(t, await dnsServers(t));
  const { photon, second } = bench;
  const own = { tls_cert: bench.path('own.crt'), tls_key: bench.path('own.key') };
  const put = (name: Version['certificate']) => {
    const { cert, key } = testCertificate(name);
    writeFileSync(own.tls_cert, cert);
    writeFileSync(own.tls_key, key);
  };
  const refuses = `if (threadName === 'photon-worker-1') {
    const post = parentPort.postMessage.bind(parentPort);
    parentPort.postMessage = (message: { type: string }) => {
      const isRefused = message.type === 'tls-used' && existsSync(here('refuse'));
      post(isRefused ? { ...message, failure: 'it cannot' } : message);
    };
  }`;
  put('localhost');
  bench.write(second, refuses, own);
  await photon.event('reloaded');
  writeFileSync(bench.path('refuse'), '');
  put('api');
  // It refuses the former ones as well, which it has in use.
  assert.equal((await photon.event('certificates-kept'))['reason'], 'it cannot');
  assert.deepEqual(await bench.shownCertificates(), ['localhost']);
  rmSync(bench.path('refuse'));
  put('api');
  await photon.event('certificates-reloaded');
  assert.deepEqual(await bench.shownCertificates(), ['api']);
  assert.deepEqual(photon.events('worker-died'), []);
});

test('SIGTERM while a configuration is made ready: it is given up before the requests under way have ended', async (t) => {
  const bench = await Bench.start(t, await dnsServers(t));
  const { photon, upstream } = bench;
  const port = await photon.port();
  // So many connections come to every worker, and keep it from ending.
  const held = Array.from({ length: 16 }, () => get({ port }, '/held'));
  await eventually(
    'the requests',
    () => upstream.held.length === held.length,
    () => String(upstream.held.length),
  );
  const stuck = "writeFileSync(here(threadName), ''); await new Promise(() => undefined);";
  bench.write(bench.second, stuck);
  await Promise.all([bench.reached('photon-worker-0'), bench.reached('photon-worker-1')]);
  photon.kill('SIGTERM');
  assert.equal((await photon.event('reload-failed'))['reason'], 'the gateway is stopping');
  for (const response of upstream.held) response.end('late');
  for (const { body } of await Promise.all(held)) assert.equal(body, 'late');
  assert.equal((await photon.ended).code, 0);
});

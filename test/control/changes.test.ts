import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BackendConfig, Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { ServedAccessLog } from '../../src/control/access-log.ts';
import { ServedCertificates } from '../../src/control/certificates.ts';
import type { Change } from '../../src/control/change.ts';
import { KeySetFetcher } from '../../src/control/key-set-fetcher.ts';
import { NameLookup } from '../../src/control/names/name-lookup.ts';
import { UpstreamNames } from '../../src/control/names/upstream-names.ts';
import { PasswordQueue } from '../../src/control/password-queue.ts';
import { SerialQueue } from '../../src/control/serial-queue.ts';
import { type Served, WorkerPlans } from '../../src/control/worker-plans.ts';
import { compileConfig } from '../../src/pipeline/compiled-config.ts';
import { testCertificate } from '../support/certificates.ts';
import { DnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/guard.ts';
import { temporaryDirectory } from './photon-process.ts';

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

function configOf(document: object): Config {
  const text = JSON.stringify({ server: { http_addr: '127.0.0.1:80' }, routes: [{ path: '/**' }], ...document });
  return parseConfig(text, { file: 'a.json', format: 'json', env: {} }).config;
}

const backendsOf = (...addresses: readonly string[]) =>
  configOf({ load_balancing: { backends: { web: { upstreams: addresses.map((address) => ({ address })) } } } })
    .backends;

/** Prepares and commits, and what follows a commit. */
async function make(change: Change): Promise<void> {
  await change.prepare();
  await change.commit();
  change.finish();
}

// --- the access log ----------------------------------------------------------------------------------------------------

/** The access log of a gateway, and files for it. */
class LogBench {
  readonly directory: string;
  readonly served = new ServedAccessLog(SILENT, 10);

  constructor(t: TestContext) {
    this.directory = temporaryDirectory(t);
    t.after(() => this.served.close());
  }

  change(name: string | null): Change {
    return this.served.change({ enabled: name !== null, file: name === null ? null : this.#path(name) });
  }

  /** A line goes wherever lines go now. */
  append(line: string): void {
    this.served.current?.append({ bytes: Buffer.from(`${line}\n`), lines: 1, release: () => undefined });
  }

  text(name: string): string {
    return readFileSync(this.#path(name), 'latin1');
  }

  /** Resolves when the file has these lines. */
  async expect(name: string, lines: string): Promise<void> {
    await eventually(
      `lines in ${name}`,
      () => this.text(name) === lines,
      () => this.text(name),
    );
  }

  /** Which of the files are open. */
  get open(): readonly string[] {
    const links = readdirSync('/proc/self/fd').flatMap((fd) => {
      const path = `/proc/self/fd/${fd}`;
      return existsSync(path) ? [readlinkSync(path)] : [];
    });
    return links.filter((link) => link.startsWith(this.directory)).map((link) => link.slice(this.directory.length + 1));
  }

  async expectOpen(...names: readonly string[]): Promise<void> {
    await eventually(
      `${names.join(' and ')} to be open`,
      () => this.open.toSorted().join() === names.toSorted().join(),
      () => this.open.join(),
    );
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

test('a change to another access log: its file is open from the prepare on, and has the lines from the commit on', async (t) => {
  const bench = new LogBench(t);
  await make(bench.change('first.log'));
  const change = bench.change('second.log');
  await change.prepare();
  await bench.expectOpen('first.log', 'second.log');
  bench.append('one');
  await change.commit();
  bench.append('two');
  change.finish();
  await bench.expectOpen('second.log');
  await bench.expect('first.log', 'one\n');
  await bench.expect('second.log', 'two\n');
});

test('an access log that is turned off has the lines that come until the last worker has gone over', async (t) => {
  const bench = new LogBench(t);
  await make(bench.change('first.log'));
  const change = bench.change(null);
  await change.prepare();
  await change.commit();
  bench.append('late');
  change.finish();
  assert.equal(bench.served.current, null);
  await bench.expectOpen();
  assert.equal(bench.text('first.log'), 'late\n');
});

test('an access log that is turned on has the lines of the first worker that goes over', async (t) => {
  const bench = new LogBench(t);
  const change = bench.change('first.log');
  await change.prepare();
  assert.equal(bench.served.current, null);
  await change.commit();
  bench.append('early');
  change.finish();
  await bench.expect('first.log', 'early\n');
});

test('an access log that both configurations want stays the same, whether the change is made or given up', async (t) => {
  const bench = new LogBench(t);
  await make(bench.change('first.log'));
  const before = bench.served.current;
  const change = bench.change('first.log');
  await change.prepare();
  await change.abandon();
  await make(bench.change('first.log'));
  assert.equal(bench.served.current, before);
  bench.append('one');
  await bench.expect('first.log', 'one\n');
});

test('an access log that is given up is closed, and the former one goes on', async (t) => {
  const bench = new LogBench(t);
  await make(bench.change('first.log'));
  const change = bench.change('second.log');
  await change.prepare();
  await change.abandon();
  await bench.expectOpen('first.log');
  bench.append('one');
  await bench.expect('first.log', 'one\n');
  // What was given up is not taken for what is served.
  await make(bench.change('second.log'));
  await bench.expectOpen('second.log');
});

test('an access log that cannot be opened changes nothing', async (t) => {
  const bench = new LogBench(t);
  await make(bench.change('first.log'));
  await assert.rejects(bench.change('none/second.log').prepare(), /^Error: Cannot write access_log\.output /);
  bench.append('one');
  await bench.expect('first.log', 'one\n');
});

test('an end while workers go over writes the lines that wait for the former access log', async (t) => {
  const bench = new LogBench(t);
  await make(bench.change('first.log'));
  const change = bench.change('second.log');
  await change.prepare();
  const lines = Array.from({ length: 5 }, (_, number) => String(number));
  for (const line of lines) bench.append(line);
  await change.commit();
  await bench.served.close();
  assert.equal(bench.text('first.log'), lines.map((line) => `${line}\n`).join(''));
  change.finish();
  await bench.expectOpen();
});

// --- the certificates --------------------------------------------------------------------------------------------------

/** The certificates of a gateway, whose files the test changes. */
class CertificatesBench {
  readonly directory: string;
  readonly served: ServedCertificates;
  readonly queue = new SerialQueue();
  /** Resolves when new certificates wait in the queue. */
  readonly queued = Promise.withResolvers<void>();
  /** The log's errors. */
  readonly errors: string[] = [];
  /** The certificate of each set that was used after its files had changed. */
  readonly used: (string | undefined)[] = [];

  constructor(t: TestContext) {
    this.directory = temporaryDirectory(t);
    this.served = new ServedCertificates({
      log: { ...SILENT, error: (event: string) => void this.errors.push(event) },
      queue: {
        run: (work) => {
          this.queued.resolve();
          return this.queue.run(work);
        },
      },
      use: async ({ server }) => {
        this.used.push(server?.certificates[0]?.cert);
        return true;
      },
    });
    t.after(() => this.served.close());
  }

  put(file: string, certificate: 'localhost' | 'api'): void {
    const { certFile, keyFile } = testCertificate(certificate);
    copyFileSync(certFile, join(this.directory, `${file}.crt`));
    copyFileSync(keyFile, join(this.directory, `${file}.key`));
  }

  change(file: string) {
    const path = (name: string) => join(this.directory, name);
    const server = {
      https_addr: '127.0.0.1:8443',
      tls_cert: path(`${file}.crt`),
      tls_key: path(`${file}.key`),
      tls_ticket_keys: path('ticket-keys'),
    };
    const load_balancing = { backends: { web: { upstreams: [{ address: '127.0.0.1:9' }] } } };
    return this.served.change(configOf({ server, load_balancing }));
  }

  async expectUsed(...names: readonly ('localhost' | 'api')[]): Promise<void> {
    const wanted = names.map((name) => testCertificate(name).cert);
    await eventually(
      `${names.join(' and ')} to be used`,
      () => this.used.length >= wanted.length,
      () => `${this.used.length} used`,
    );
    assert.deepEqual(this.used, wanted);
  }
}

test('files of certificates that change after the commit are used, and those of the former configuration are not looked at', async (t) => {
  const bench = new CertificatesBench(t);
  bench.put('first', 'localhost');
  bench.put('second', 'localhost');
  await make(bench.change('first'));
  await make(bench.change('second'));
  writeFileSync(join(bench.directory, 'first.crt'), 'nothing');
  bench.put('second', 'api');
  await bench.expectUsed('api');
  // By the end of this one, the other files would have been looked at often enough.
  bench.put('second', 'localhost');
  await bench.expectUsed('api', 'localhost');
  assert.deepEqual(bench.errors, []);
});

test('certificates that are given up are not watched, and those that are served still are', async (t) => {
  const bench = new CertificatesBench(t);
  bench.put('first', 'localhost');
  bench.put('second', 'api');
  await make(bench.change('first'));
  const change = bench.change('second');
  await change.prepare();
  assert.equal(change.prepared.material.server?.certificates[0]?.cert, testCertificate('api').cert);
  await change.abandon();
  bench.put('second', 'localhost');
  bench.put('first', 'api');
  await bench.expectUsed('api');
});

test('certificates that wait in the queue behind a change of the configuration are not used after it', async (t) => {
  const bench = new CertificatesBench(t);
  bench.put('first', 'localhost');
  bench.put('second', 'localhost');
  await make(bench.change('first'));
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const changed = bench.queue.run(async () => {
    begun.resolve();
    await gate.promise;
    await make(bench.change('second'));
  });
  await begun.promise;
  bench.put('first', 'api');
  await bench.queued.promise;
  gate.resolve();
  await changed;
  await bench.queue.run(async () => undefined);
  assert.deepEqual(bench.used, []);
});

// --- the names ---------------------------------------------------------------------------------------------------------

/** The names of a gateway. Answers hold for a second. */
class NamesBench {
  readonly names: UpstreamNames;
  /** What the log says about names that do not resolve. */
  readonly failed: object[] = [];

  constructor(t: TestContext, servers: readonly string[]) {
    const [hostsFile, resolvConf] = ['/nonexistent/hosts', '/nonexistent/resolv.conf'];
    const lookup = new NameLookup({ hostsFile, resolvConf, servers, tryTimeoutMs: 100, system: async () => [] });
    const log = { ...SILENT, warn: (_event: string, fields: object = {}) => void this.failed.push(fields) };
    this.names = new UpstreamNames(lookup, log, () => undefined);
    t.after(() => this.names.close());
  }

  change(backends: readonly BackendConfig[], dns: DnsServer): Change {
    return this.names.change({ backends, resolver: [dns.address] }, 120_000);
  }

  find(name: string): readonly string[] | undefined {
    return this.names.addressesOf(name)?.ipv4;
  }
}

async function serverOf(t: TestContext, zones: Readonly<Record<string, string>>): Promise<DnsServer> {
  const dns = await DnsServer.start(t);
  for (const [name, address] of Object.entries(zones)) dns.set(name, { A: [address], ttlSeconds: 1 });
  return dns;
}

test('names of both configurations are known once a change is prepared, and those of the new one alone after the commit', async (t) => {
  const dns = await serverOf(t, { 'old.test': '127.0.0.1', 'both.test': '127.0.0.2', 'new.test': '127.0.0.3' });
  const bench = new NamesBench(t, [dns.address]);
  await make(bench.change(backendsOf('old.test:80', 'both.test:80'), dns));
  const change = bench.change(backendsOf('both.test:80', 'new.test:80'), dns);
  await change.prepare();
  const known = () => ['old.test', 'both.test', 'new.test'].map((name) => bench.find(name)?.[0]);
  assert.deepEqual(known(), ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  await change.commit();
  assert.deepEqual(known(), [undefined, '127.0.0.2', '127.0.0.3']);
});

test('after a change that is given up, the former servers are asked for the former names', async (t) => {
  const dns = await serverOf(t, { 'old.test': '127.0.0.1' });
  const other = await serverOf(t, { 'old.test': '127.0.0.9', 'new.test': '127.0.0.3' });
  const bench = new NamesBench(t, [dns.address]);
  await make(bench.change(backendsOf('old.test:80'), dns));
  const change = bench.change(backendsOf('new.test:80'), other);
  await change.prepare();
  assert.deepEqual(bench.find('new.test'), ['127.0.0.3']);
  await change.abandon();
  assert.equal(bench.find('new.test'), undefined);
  const asked = other.count('new.test');
  dns.set('old.test', { A: ['127.0.0.2'], ttlSeconds: 1 });
  await eventually(
    'the new address',
    () => bench.find('old.test')?.[0] === '127.0.0.2',
    () => String(bench.find('old.test')),
  );
  await dns.asked('old.test', dns.count('old.test') + 2);
  assert.equal(other.count('new.test'), asked);
});

test('names do not keep a change waiting until they are given up', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('silent.test', { failure: 'SILENCE' });
  const { names, failed } = new NamesBench(t, [dns.address]);
  await make(names.change({ backends: backendsOf('silent.test:80'), resolver: [dns.address] }, 1));
  assert.equal(failed.length, 0);
  assert.equal(names.addressesOf('silent.test'), null);
});

// --- what workers ask for ----------------------------------------------------------------------------------------------

test('keys are fetched from the commit on: for both configurations until all workers have gone over, then for the new one', async (t) => {
  const [old, both, fresh] = ['http://old.test/', 'http://both.test/', 'http://new.test/'];
  const read: string[] = [];
  const fetcher = new KeySetFetcher(SILENT, () => undefined, {
    read: async (url) => {
      read.push(url);
      return '{"keys":[]}';
    },
  });
  t.after(() => fetcher.close());
  await make(fetcher.change([old, both]));
  const change = fetcher.change([both, fresh]);
  await change.prepare();
  const urls = () => fetcher.current.map(({ url }) => url);
  assert.deepEqual(
    [urls(), read],
    [
      [old, both],
      [old, both],
    ],
    'a change that may be given up asks no issuer',
  );
  await change.commit();
  assert.deepEqual(
    [urls(), read],
    [
      [old, both, fresh],
      [old, both, fresh],
    ],
  );
  change.finish();
  assert.deepEqual(urls(), [both, fresh]);
});

test('no keys are fetched for a change that comes to its end after the gateway has', async () => {
  const read: string[] = [];
  const fetcher = new KeySetFetcher(SILENT, () => undefined, {
    read: async (url) => {
      read.push(url);
      return '{"keys":[]}';
    },
  });
  const change = fetcher.change(['http://new.test/']);
  await change.prepare();
  fetcher.close();
  await change.commit();
  change.finish();
  assert.deepEqual([fetcher.current, read], [[], []]);
});

/** The steps of changes that want passwords hashed, or not, and how many threads there are after each. */
const PASSWORD_CHANGES = [
  { why: 'the first that has passwords', before: false, wanted: true, threads: { prepare: 0, commit: 1, finish: 1 } },
  { why: 'the first that has none', before: true, wanted: false, threads: { prepare: 1, commit: 1, finish: 0 } },
  { why: 'another that has some', before: true, wanted: true, threads: { prepare: 1, commit: 1, finish: 1 } },
  { why: 'another that has none', before: false, wanted: false, threads: { prepare: 0, commit: 0, finish: 0 } },
] as const;

function passwordBench() {
  let threads = 0;
  const queue = new PasswordQueue(SILENT as never, () => undefined, {
    start: () => {
      threads++;
      return { gone: new Promise(() => {}), hash: () => undefined, end: () => threads-- };
    },
  });
  return { queue, threads: () => threads };
}

for (const { why, before, wanted, threads } of PASSWORD_CHANGES) {
  test(`there is a thread for passwords as long as a worker may ask: ${why}`, async () => {
    const bench = passwordBench();
    await make(bench.queue.change(before));
    const change = bench.queue.change(wanted);
    await change.prepare();
    assert.equal(bench.threads(), threads.prepare);
    await change.commit();
    assert.equal(bench.threads(), threads.commit);
    change.finish();
    assert.equal(bench.threads(), threads.finish);
  });
}

test('no thread for passwords is started by a change that comes to its end after the gateway has', async () => {
  const bench = passwordBench();
  const change = bench.queue.change(true);
  await change.prepare();
  await change.commit();
  bench.queue.close();
  change.finish();
  assert.equal(bench.threads(), 0);
});

// --- the plan of the workers -------------------------------------------------------------------------------------------

function planBench() {
  const checked: string[][] = [];
  const names = { addressesOf: () => ({ ipv4: [], ipv6: [] }), targetsOf: () => [] };
  const plans = new WorkerPlans(2, names, SILENT, (upstreams) =>
    checked.push(upstreams.map(({ config }) => config.key)),
  );
  const compiledOf = (...addresses: readonly string[]) =>
    compileConfig(
      configOf({ load_balancing: { backends: { web: { upstreams: addresses.map((address) => ({ address })) } } } }),
    );
  const made = (compiled: ReturnType<typeof compiledOf>): Served =>
    plans.make(compiled, { server: null, upstreams: [] }, []);
  return { plans, checked, compiledOf, made };
}

test('a plan is checked and counted from the commit on, and an upstream that stays is counted where it was', async () => {
  const { plans, checked, compiledOf, made } = planBench();
  const [first, second] = [compiledOf('127.0.0.1:81', '127.0.0.1:82'), compiledOf('127.0.0.1:82', '127.0.0.1:83')];
  await make(plans.change(() => made(first)));
  assert.deepEqual(checked, [['127.0.0.1:81', '127.0.0.1:82']]);
  const slot = plans.current?.plan.serving.slots.upstreams[1];
  const change = plans.change(() => made(second));
  await change.prepare();
  assert.equal(plans.current?.compiled, first);
  assert.equal(checked.length, 1);
  await change.commit();
  assert.equal(plans.current?.compiled, second);
  assert.deepEqual(checked[1], ['127.0.0.1:82', '127.0.0.1:83']);
  assert.equal(plans.current.plan.serving.slots.upstreams[0], slot);
});

test('a plan that is given up, or cannot be made, leaves what is served; each configuration has its own number', async () => {
  const { plans, checked, compiledOf, made } = planBench();
  const [first, second, third] = [compiledOf('127.0.0.1:81'), compiledOf('127.0.0.1:82'), compiledOf('127.0.0.1:83')];
  await make(plans.change(() => made(first)));
  const change = plans.change(() => made(second));
  await change.prepare();
  await change.abandon();
  const failing = plans.change(() => {
    throw new RangeError('too many');
  });
  await assert.rejects(failing.prepare(), { message: 'too many' });
  assert.equal(plans.current?.compiled, first);
  assert.equal(checked.length, 1);
  const numberOf = (served: Served) => served.plan.serving.configuration;
  assert.equal(numberOf(made(first)), numberOf(plans.current));
  const numbers = [plans.current, change.prepared, made(third)].map(numberOf);
  assert.equal(new Set(numbers).size, 3);
});

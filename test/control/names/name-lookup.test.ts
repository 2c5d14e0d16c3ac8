import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NameLookup } from '../../../src/control/names/name-lookup.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { temporaryDirectory } from '../photon-process.ts';

interface Files {
  readonly hosts?: string;
  readonly resolvConf?: string;
}

/** A machine with these files, and a DNS server. */
class Scene {
  readonly lookup: NameLookup;
  readonly hostsFile: string;
  /** What the system's resolver was asked for. */
  readonly askedOfSystem: string[] = [];
  systemKnows: readonly string[] = [];

  constructor(t: TestContext, servers: readonly string[] | null, { hosts = '', resolvConf = '' }: Files = {}) {
    const directory = temporaryDirectory(t);
    this.hostsFile = join(directory, 'hosts');
    writeFileSync(this.hostsFile, hosts);
    writeFileSync(join(directory, 'resolv.conf'), resolvConf);
    this.lookup = new NameLookup({
      hostsFile: this.hostsFile,
      resolvConf: join(directory, 'resolv.conf'),
      servers,
      tryTimeoutMs: 100,
      system: async (name) => {
        this.askedOfSystem.push(name);
        return this.systemKnows;
      },
    });
    t.after(() => this.lookup.close());
  }

  async find(name: string): Promise<readonly string[]> {
    const { value } = await this.lookup.addresses(name, null);
    return [...value.ipv4, ...value.ipv6];
  }
}

test('the hosts file comes before DNS, and is read again when it has changed', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.test', { A: ['10.0.0.1'] });
  const scene = new Scene(t, [dns.address], { hosts: '10.0.0.9 app.test' });
  assert.deepEqual(await scene.find('app.test'), ['10.0.0.9']);
  assert.deepEqual(await scene.find('app.test.'), ['10.0.0.9']);
  assert.equal(dns.count('app.test'), 0);
  writeFileSync(scene.hostsFile, '10.0.0.10 other.test');
  assert.deepEqual(await scene.find('app.test'), ['10.0.0.1']);
});

test('DNS gives both families, sorted, and the shortest time to live', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.test', { A: ['10.0.0.10', '10.0.0.9'], AAAA: ['fd00::2', 'fd00::1'], ttlSeconds: 7 });
  assert.deepEqual(await new Scene(t, [dns.address]).lookup.addresses('app.test', null), {
    value: { ipv4: ['10.0.0.9', '10.0.0.10'], ipv6: ['fd00::1', 'fd00::2'] },
    ttlMs: 7000,
  });
});

test('a short name is found in the domains of the search list', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.b.test', { A: ['10.0.0.1'] });
  dns.set('_http._tcp.app.b.test', { SRV: [{ priority: 0, weight: 0, port: 80, target: 'app.b.test' }] });
  const scene = new Scene(t, [dns.address], { resolvConf: 'search a.test b.test\noptions ndots:5' });
  assert.deepEqual(await scene.find('app'), ['10.0.0.1']);
  assert.equal(dns.count('app'), 0);
  assert.deepEqual((await scene.lookup.targets('_http._tcp.app')).value[0]?.host, 'app.b.test.');
});

test('a search ends where nobody can tell: the next domain may be somebody else', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.a.test', { failure: 'SERVFAIL' });
  dns.set('app.b.test', { A: ['10.0.0.1'] });
  const scene = new Scene(t, [dns.address], { resolvConf: 'search a.test b.test' });
  await assert.rejects(scene.find('app'), { message: 'ESERVFAIL', absent: false });
  assert.equal(dns.count('app.b.test'), 0);
});

test('a family that cannot be asked for keeps what was known of it; one that has nothing is empty', async (t) => {
  const dns = await DnsServer.start(t);
  const scene = new Scene(t, [dns.address]);
  dns.set('app.test', { A: ['10.0.0.1'], failures: { AAAA: 'SERVFAIL' } });
  const known = { ipv4: ['10.0.0.7'], ipv6: ['fd00::7'] };
  assert.deepEqual((await scene.lookup.addresses('app.test', known)).value, { ipv4: ['10.0.0.1'], ipv6: ['fd00::7'] });
  dns.set('app.test', { A: ['10.0.0.1'] });
  assert.deepEqual((await scene.lookup.addresses('app.test', known)).value, { ipv4: ['10.0.0.1'], ipv6: [] });
});

const FAILURES = [
  { why: 'it does not exist', failure: null, message: 'ENOTFOUND' },
  { why: 'the server fails', failure: 'SERVFAIL', message: 'ESERVFAIL' },
  { why: 'the server says nothing', failure: 'SILENCE', message: 'ETIMEOUT' },
] as const;

for (const { why, failure, message } of FAILURES) {
  test(`a name that cannot be looked up rejects: ${why}`, async (t) => {
    const dns = await DnsServer.start(t);
    if (failure !== null) dns.set('app.test', { failure });
    await assert.rejects(new Scene(t, [dns.address]).find('app.test'), { message });
    await assert.rejects(new Scene(t, [dns.address]).lookup.targets('app.test'), { message });
  });
}

test('what is asked when it is closed is given up at once, and nothing is asked after it', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.test', { failure: 'SILENCE' });
  const { lookup } = new Scene(t, [dns.address]);
  const asked = lookup.addresses('app.test', null);
  await dns.asked('app.test', 1);
  lookup.close();
  await assert.rejects(asked, { message: 'ECANCELLED' });
  await assert.rejects(lookup.addresses('app.test', null), { message: 'closed' });
});

test('a name without addresses rejects, and so does a service that is not to be had', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('app.test', { SRV: [{ priority: 0, weight: 0, port: 0, target: '.' }] });
  const { lookup } = new Scene(t, [dns.address]);
  await assert.rejects(lookup.addresses('app.test', null), { message: 'ENODATA', absent: true });
  await assert.rejects(lookup.targets('app.test'), { message: 'no target', absent: true });
});

test('localhost is this machine, whatever DNS says', async (t) => {
  const dns = await DnsServer.start(t);
  dns.set('localhost', { A: ['10.0.0.1'] });
  const scene = new Scene(t, [dns.address]);
  assert.deepEqual(await scene.find('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(await scene.find('app.localhost'), ['127.0.0.1', '::1']);
});

test('where DNS has no such name the system is asked, but not beside servers of our own', async (t) => {
  const dns = await DnsServer.start(t);
  const own = new Scene(t, [dns.address]);
  own.systemKnows = ['10.0.0.1'];
  await assert.rejects(own.find('app.test'), { message: 'ENOTFOUND' });
  assert.deepEqual(own.askedOfSystem, []);
});

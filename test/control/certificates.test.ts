import assert from 'node:assert/strict';
import { copyFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { Certificates } from '../../src/control/certificates.ts';
import type { TlsMaterial } from '../../src/messages/to-worker.ts';
import { type TestCertificate, testAuthority, testCertificate } from '../support/certificates.ts';
import { temporaryDirectory } from './photon-process.ts';

const LOCALHOST = testCertificate('localhost');
const API = testCertificate('api');

/** Certificates of a gateway whose files lie in a directory of their own. */
class Bench {
  readonly directory: string;
  readonly events: { readonly event: string; readonly reason: string }[] = [];
  readonly changes: TlsMaterial[] = [];
  readonly certificates: Certificates;

  constructor(t: TestContext) {
    this.directory = temporaryDirectory(t);
    this.put(LOCALHOST);
    const note = (event: string, fields: { readonly reason?: string } = {}) => {
      this.events.push({ event, reason: fields.reason ?? '' });
    };
    this.certificates = new Certificates(this.#config(), { info: note, warn: note, error: note });
    t.after(() => this.certificates.close());
  }

  #config() {
    const document = {
      server: {
        https_addr: '127.0.0.1:8443',
        tls_cert: this.path('server.crt'),
        tls_key: this.path('server.key'),
        tls_ticket_keys: this.path('ticket-keys'),
      },
      load_balancing: {
        backends: { web: { upstreams: [{ address: 'a:1', tls: true, tls_ca: testAuthority().caFile }] } },
      },
      routes: [{ path: '/**' }],
    };
    return parseConfig(JSON.stringify(document), { file: 'a.json', format: 'json', env: {} }).config;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  put({ certFile, keyFile }: TestCertificate): void {
    copyFileSync(certFile, this.path('server.crt'));
    copyFileSync(keyFile, this.path('server.key'));
  }

  /** Looks as often as it takes to see that a change is over. */
  async look(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await this.certificates.look(async (material) => {
        this.changes.push(material);
        return true;
      });
    }
  }

  get eventNames(): readonly string[] {
    return this.events.map(({ event }) => event);
  }

  get cert(): string | undefined {
    return this.certificates.material.server?.certificates[0]?.cert;
  }
}

test('what TLS needs is read from its files, for clients and for upstreams', (t) => {
  const { server, upstreams } = new Bench(t).certificates.material;
  assert.deepEqual(server?.certificates, [{ hosts: [], cert: LOCALHOST.cert, key: LOCALHOST.key }]);
  assert.equal(server?.ticketKeys.length, 48);
  assert.deepEqual(upstreams, [{ serverName: 'a', verify: true, ca: testAuthority().ca, certificate: null }]);
});

test('as long as nothing changes, nothing is said', async (t) => {
  const bench = new Bench(t);
  await bench.look();
  assert.deepEqual(bench.changes, []);
  assert.deepEqual(bench.events, []);
});

for (const { why, replace } of [
  { why: 'written over', replace: (bench: Bench) => bench.put(API) },
  {
    why: 'renamed over',
    replace: (bench: Bench) => {
      copyFileSync(API.certFile, bench.path('new.crt'));
      copyFileSync(API.keyFile, bench.path('new.key'));
      renameSync(bench.path('new.crt'), bench.path('server.crt'));
      renameSync(bench.path('new.key'), bench.path('server.key'));
    },
  },
  {
    why: 'that become links to others, as a mounted secret does',
    replace: (bench: Bench) => {
      rmSync(bench.path('server.crt'));
      rmSync(bench.path('server.key'));
      symlinkSync(API.certFile, bench.path('server.crt'));
      symlinkSync(API.keyFile, bench.path('server.key'));
    },
  },
]) {
  test(`files ${why} are read again`, async (t) => {
    const bench = new Bench(t);
    replace(bench);
    await bench.look();
    assert.equal(bench.cert, API.cert);
    assert.deepEqual(bench.changes, [bench.certificates.material]);
    assert.deepEqual(bench.eventNames, ['certificates-reloaded']);
  });
}

test('files in the middle of a change are left alone until it is over', async (t) => {
  const bench = new Bench(t);
  copyFileSync(API.certFile, bench.path('server.crt'));
  const halves: TlsMaterial[] = [];
  const take = async (half: TlsMaterial) => halves.push(half) > 0;
  await bench.certificates.look(take);
  copyFileSync(API.keyFile, bench.path('server.key'));
  await bench.certificates.look(take);
  assert.deepEqual(halves, []);
  await bench.look();
  assert.equal(bench.cert, API.cert);
  assert.deepEqual(bench.eventNames, ['certificates-reloaded']);
});

for (const { why, spoil, reason } of [
  {
    why: 'a key that is not that of the certificate',
    spoil: (bench: Bench) => copyFileSync(API.certFile, bench.path('server.crt')),
    reason: /^Cannot use server\.tls_key .*server\.key: want the private key of the certificate in .*server\.crt$/,
  },
  {
    why: 'a certificate that is none',
    spoil: (bench: Bench) => writeFileSync(bench.path('server.crt'), 'nothing'),
    reason: /want a PEM certificate$/,
  },
  {
    why: 'no file at all',
    spoil: (bench: Bench) => rmSync(bench.path('server.key')),
    reason: /^Cannot read server\.tls_key .*: ENOENT$/,
  },
]) {
  test(`${why} changes nothing, is said once, and is mended by what comes next`, async (t) => {
    const bench = new Bench(t);
    spoil(bench);
    await bench.look();
    await bench.look();
    assert.equal(bench.cert, LOCALHOST.cert);
    assert.deepEqual(bench.changes, []);
    assert.deepEqual(bench.eventNames, ['certificates-kept']);
    assert.match(bench.events[0]?.reason ?? '', reason);
    bench.put(API);
    await bench.look();
    assert.equal(bench.cert, API.cert);
    assert.deepEqual(bench.eventNames, ['certificates-kept', 'certificates-reloaded']);
  });
}

for (const { why, refuse, events } of [
  { why: 'a worker refuses', refuse: () => Promise.reject(new Error('no')), events: ['certificates-kept'] },
  { why: 'are not wanted any more', refuse: () => Promise.resolve(false), events: [] },
]) {
  test(`new files that ${why} are not in use, and the next ones can be`, async (t) => {
    const bench = new Bench(t);
    bench.put(API);
    for (let turn = 0; turn < 3; turn++) await bench.certificates.look(refuse);
    assert.equal(bench.cert, LOCALHOST.cert);
    assert.deepEqual(bench.eventNames, events);
    bench.put(API);
    await bench.look();
    assert.equal(bench.cert, API.cert);
    assert.deepEqual(bench.eventNames, [...events, 'certificates-reloaded']);
  });
}

test('a change that waits until it can be used is not overtaken by the next look', async (t) => {
  const bench = new Bench(t);
  bench.put(API);
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
  await bench.certificates.look(async () => true);
  const waiting = bench.certificates.look(() => {
    begun.resolve();
    return gate.promise;
  });
  await begun.promise;
  bench.put(LOCALHOST);
  await bench.look();
  assert.deepEqual(bench.changes, []);
  gate.resolve(true);
  await waiting;
  assert.equal(bench.cert, API.cert);
  await bench.look();
  assert.equal(bench.cert, LOCALHOST.cert);
});

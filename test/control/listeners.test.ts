import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseListenAddress } from '../../src/base/address.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Change } from '../../src/control/change.ts';
import { type ListenerChange, Listeners } from '../../src/control/listeners.ts';
import { formatAddress } from '../../src/net/binding.ts';
import { eventually } from '../support/guard.ts';
import { temporaryDirectory } from './photon-process.ts';

type Addresses = readonly string[];

/** The part of a configuration that names its addresses. */
function serverOf(http: Addresses, https: Addresses) {
  const document = {
    server: { http_addr: '127.0.0.1:1', tls_cert: 'a.crt', tls_key: 'a.key' },
    load_balancing: { backends: { web: { upstreams: [{ address: 'a:1' }] } } },
    routes: [{ path: '/**' }],
  };
  const { server } = parseConfig(JSON.stringify(document), { file: 'a.json', format: 'json', env: {} }).config;
  const read = (texts: Addresses) => texts.map((text) => ({ ...parseListenAddress(text), text }));
  return { ...server, httpAddr: read(http), httpsAddr: read(https) };
}

class Bench {
  readonly listeners = new Listeners();
  readonly #servers: Server[] = [];

  constructor(t: TestContext) {
    t.after(() => {
      this.listeners.close();
      for (const server of this.#servers) server.close();
    });
  }

  async prepare(http: Addresses, https: Addresses): Promise<Change<ListenerChange>> {
    const change = this.listeners.change(serverOf(http, https));
    await change.prepare();
    return change;
  }

  async use(http: Addresses, https: Addresses): Promise<void> {
    (await this.prepare(http, https)).commit();
  }

  /** Listens on all that is open, as workers do. */
  async listen(): Promise<void> {
    for (const { binding } of this.listeners.open) {
      const server = createServer((socket) => socket.destroy());
      this.#servers.push(server);
      await new Promise<void>((resolve) => server.listen(binding.sourceFor(0), resolve));
    }
  }

  /** What is open, such as `http 127.0.0.1:8080`. */
  get shown(): readonly string[] {
    return show(this.listeners.open);
  }

  get ports(): readonly number[] {
    return this.listeners.open.map(({ binding }) => binding.address.port);
  }
}

function show(listeners: ListenerChange['all']): readonly string[] {
  return listeners.map(({ binding, secure }) => `${secure ? 'https' : 'http'} ${formatAddress(binding.address)}`);
}

for (const { address, why } of [
  { address: '127.0.0.1:0', why: 'a port that the system chose' },
  { address: '[::1]:0', why: 'IPv6' },
  { address: ':0', why: 'every address' },
]) {
  test(`an address that goes over from HTTP to HTTPS and back stays bound: ${why}`, async (t) => {
    const bench = new Bench(t);
    await bench.use([address], []);
    await bench.listen();
    const [before] = bench.listeners.open;
    const change = await bench.prepare([], [address]);
    assert.deepEqual(change.prepared.closed, []);
    assert.deepEqual(
      change.prepared.opened.map(({ key, secure }) => [key, secure]),
      [[before?.key, true]],
    );
    change.commit();
    assert.equal(bench.listeners.open[0]?.binding, before?.binding);
    await bench.use([address], []);
    assert.equal(bench.listeners.open[0]?.binding, before?.binding);
  });
}

test('a Unix socket that goes over to HTTPS stays the same, and its file stays', async (t) => {
  const bench = new Bench(t);
  const address = `unix:${join(temporaryDirectory(t), 'photon.sock')}`;
  await bench.use([address], []);
  await bench.listen();
  await bench.use([], [address]);
  assert.deepEqual(bench.shown, [`https ${address}`]);
});

test('two addresses exchange what is spoken there', async (t) => {
  const bench = new Bench(t);
  await bench.use(['127.0.0.1:0', '[::1]:0'], []);
  await bench.listen();
  const [one = 0, other = 0] = bench.ports;
  await bench.use([`127.0.0.1:${one}`], [`[::1]:${other}`]);
  await bench.use([`[::1]:${other}`], [`127.0.0.1:${one}`]);
  assert.deepEqual(bench.shown, [`http [::1]:${other}`, `https 127.0.0.1:${one}`]);
});

test('port 0 is another port each time that it is written: those that speak the same stay what they were', async (t) => {
  const bench = new Bench(t);
  await bench.use(['127.0.0.1:0', '127.0.0.1:0'], ['127.0.0.1:0']);
  await bench.listen();
  const [first, second, third] = bench.ports;
  assert.equal(new Set(bench.ports).size, 3);
  await bench.use(['127.0.0.1:0'], ['127.0.0.1:0', '127.0.0.1:0']);
  assert.deepEqual(bench.ports, [first, third, second]);
});

for (const { from, to, why } of [
  { from: 'localhost:PORT', to: '127.0.0.1:PORT', why: 'one of the addresses of a name' },
  { from: '127.0.0.1:PORT', to: 'localhost:PORT', why: 'a name that stands for it' },
  { from: '[::1]:PORT', to: '[0:0:0:0:0:0:0:1]:PORT', why: 'IPv6 in full' },
  { from: '127.0.0.1:PORT', to: ':PORT', why: 'every address in the place of one' },
  { from: ':PORT', to: '127.0.0.1:PORT', why: 'one address in the place of all' },
  { from: '0.0.0.0:PORT', to: ':PORT', why: 'IPv6 in addition' },
]) {
  test(`an address that is written in another way is not in use by itself: ${why}`, async (t) => {
    const bench = new Bench(t);
    await bench.use(['127.0.0.1:0'], []);
    const [port] = bench.ports;
    const at = (text: string) => [text.replace('PORT', String(port))];
    bench.listeners.close();
    await bench.use(at(from), []);
    await bench.listen();
    const change = await bench.prepare([], at(to));
    assert.ok(change.prepared.all.every(({ secure }) => secure));
    change.commit();
    await bench.listen();
    assert.ok(bench.ports.every((each) => each === port));
  });
}

test('an address that cannot be had leaves everything as it was, whatever else would have changed', async (t) => {
  const bench = new Bench(t);
  await bench.use(['127.0.0.1:0', '[::1]:0'], []);
  await bench.listen();
  const before = bench.shown;
  const [port] = bench.ports;
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port: takenPort } = taken.address() as { port: number };
  await assert.rejects(bench.prepare(['127.0.0.1:0'], ['[::1]:0', '127.0.0.2:0', `127.0.0.1:${takenPort}`]), {
    message: `Cannot listen on 127.0.0.1:${takenPort}: the address is in use`,
  });
  assert.deepEqual(bench.shown, before);
  await assert.rejects(new Listeners().change(serverOf([`127.0.0.1:${port}`], [])).prepare(), { code: 'EADDRINUSE' });
});

test('the same address twice, in two ways, is in use', async (t) => {
  const bench = new Bench(t);
  await bench.use(['127.0.0.1:0'], []);
  await bench.listen();
  const [port] = bench.ports;
  await assert.rejects(bench.prepare([`127.0.0.1:${port}`], [`localhost:${port}`]), { code: 'EADDRINUSE' });
  assert.deepEqual(bench.shown, [`http 127.0.0.1:${port}`]);
});

/** How many sockets this process has. */
function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

function expectSockets(count: number): Promise<void> {
  return eventually(
    `${count} open sockets`,
    () => openSockets() === count,
    () => String(openSockets()),
  );
}

test('an address is held from the prepare on, until the change is given up or another one has gone over to others', async (t) => {
  const bench = new Bench(t);
  await bench.use(['127.0.0.1:0'], []);
  const before = openSockets();
  const change = await bench.prepare(['127.0.0.1:0', '127.0.0.2:0'], []);
  await expectSockets(before + 1);
  await change.abandon();
  await expectSockets(before);
  await bench.use(['127.0.0.1:0', '127.0.0.2:0'], []);
  await expectSockets(before + 1);
  await bench.use(['127.0.0.1:0'], []);
  await expectSockets(before);
});

test('a change that is given up gives back what it took, and nothing else', async (t) => {
  const bench = new Bench(t);
  await bench.use(['127.0.0.1:0'], []);
  const before = bench.listeners.open[0]?.binding;
  const change = await bench.prepare(['127.0.0.2:0'], ['127.0.0.1:0']);
  const { binding } =
    change.prepared.opened.find(({ key }) => key.startsWith('127.0.0.2')) ?? assert.fail('it is not opened');
  await change.abandon();
  assert.equal(bench.listeners.open[0]?.binding, before);
  const again = await bench.prepare([`127.0.0.2:${binding.address.port}`], []);
  await again.abandon();
});

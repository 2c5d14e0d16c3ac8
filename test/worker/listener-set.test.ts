import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ListenerPlan } from '../../src/messages/to-worker.ts';
import { Binder } from '../../src/net/bind.ts';
import { chooseTransport } from '../../src/net/choose-transport.ts';
import { ListenerSet } from '../../src/worker/listener-set.ts';
import { eventually, settle } from '../support/guard.ts';

/** A set whose connections get what is spoken there, and end. */
class Bench {
  readonly set: ListenerSet;
  readonly #directory: string;

  constructor(t: TestContext) {
    this.#directory = mkdtempSync(join(tmpdir(), 'photon-test-'));
    this.set = new ListenerSet({
      transport: chooseTransport(process.env['PHOTON_TRANSPORT']),
      afterEvents: setImmediate,
      accept: (socket, secure) => socket.end(secure ? 'https' : 'http'),
      acceptFailed: (error) => assert.fail(error),
    });
    t.after(() => {
      this.set.close();
      rmSync(this.#directory, { recursive: true, force: true });
    });
  }

  unix(name: string, secure = false): ListenerPlan & { readonly path: string } {
    const path = join(this.#directory, name);
    return { key: `unix:${path}`, source: { path }, secure, path };
  }

  async use(...plans: readonly ListenerPlan[]): Promise<void> {
    this.set.bind(plans);
    await this.set.open();
    await this.set.commit();
  }
}

async function tcp(t: TestContext, host: string, secure = false): Promise<ListenerPlan & { readonly port: number }> {
  const binder = new Binder();
  const [binding] = await binder.bind({ host, port: 0, path: null, text: `${host}:0` });
  t.after(() => binder.release());
  const source = binding?.sourceFor(0) ?? assert.fail('it is not bound');
  return { key: binding?.key ?? '', source, secure, port: binding?.address.port ?? 0 };
}

/** What a new connection gets; the code of the error when there is none. */
async function spoken(at: { readonly path: string } | { readonly port: number; readonly host?: string }) {
  const socket = connect({ host: '127.0.0.1', ...at });
  try {
    return await textOf(socket);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  return text;
}

test('what is spoken at an address changes with the commit, for a Unix socket as for TCP, and connections are never refused', async (t) => {
  const bench = new Bench(t);
  const [unix, four, six] = [bench.unix('a.sock'), await tcp(t, '127.0.0.1'), await tcp(t, '::1')];
  const at = [unix, { port: four.port }, { port: six.port, host: '::1' }];
  await bench.use(unix, four, six);
  assert.deepEqual(await Promise.all(at.map(spoken)), ['http', 'http', 'http']);
  const secure = [unix, four, six].map((plan) => ({ ...plan, secure: true }));
  assert.equal(bench.set.bind(secure), 0);
  assert.deepEqual(await Promise.all(at.map(spoken)), ['http', 'http', 'http']);
  await bench.set.commit();
  assert.deepEqual(await Promise.all(at.map(spoken)), ['https', 'https', 'https']);
});

test('a new address is bound first, then listens, and its connections wait for the commit', async (t) => {
  const bench = new Bench(t);
  const [old, next, secure] = [bench.unix('old.sock'), bench.unix('next.sock'), await tcp(t, '127.0.0.1', true)];
  await bench.use(old);
  assert.equal(bench.set.bind([next, secure]), 2);
  assert.equal(await spoken(next), 'ECONNREFUSED');
  assert.equal(await spoken(secure), 'ECONNREFUSED');
  await bench.set.open();
  const waiting = [connect(next.path), connect(secure.port, '127.0.0.1')];
  await Promise.all(waiting.map((socket) => once(socket, 'connect')));
  await settle();
  assert.ok(waiting.every((socket) => socket.bytesRead === 0));
  assert.equal(await spoken(old), 'http');
  await bench.set.commit();
  assert.deepEqual(await Promise.all(waiting.map(textOf)), ['http', 'https']);
  assert.equal(await spoken(old), 'ENOENT');
});

test('what was opened and is given up is closed, with the connections that wait there; the rest serves on', async (t) => {
  const bench = new Bench(t);
  const [old, next] = [bench.unix('old.sock'), bench.unix('next.sock')];
  await bench.use(old);
  bench.set.bind([{ ...old, secure: true }, next]);
  await bench.set.open();
  const waiting = connect(next.path);
  await once(waiting, 'connect');
  await settle();
  bench.set.discard();
  await assert.rejects(textOf(waiting).then(() => Promise.reject(new Error('it ended'))));
  assert.equal(existsSync(next.path), false);
  assert.equal(await spoken(old), 'http');
  await bench.set.commit();
  assert.equal(await spoken(old), 'http');
});

test('an address that cannot be bound changes nothing, and what was bound with it is given back', async (t) => {
  const bench = new Bench(t);
  const [old, next, taken] = [bench.unix('old.sock'), bench.unix('next.sock'), bench.unix('taken.sock')];
  const other = createServer().listen(taken.path);
  await once(other, 'listening');
  t.after(() => other.close());
  await bench.use(old);
  assert.throws(() => bench.set.bind([{ ...old, secure: true }, next, taken]), {
    name: 'BindError',
    message: `Cannot listen on unix:${taken.path}: the address is in use`,
  });
  assert.equal(existsSync(next.path), false);
  await bench.set.commit();
  assert.equal(await spoken(old), 'http');
  await bench.use(next);
  assert.equal(await spoken(next), 'http');
});

test('a client that resets its connection while it waits for the commit does no harm', async (t) => {
  const bench = new Bench(t);
  const next = await tcp(t, '127.0.0.1');
  bench.set.bind([next]);
  await bench.set.open();
  const [rude, patient] = [connect(next.port, '127.0.0.1'), connect(next.port, '127.0.0.1')];
  await Promise.all([once(rude, 'connect'), once(patient, 'connect')]);
  await settle();
  rude.resetAndDestroy();
  await settle();
  await bench.set.commit();
  assert.equal(await textOf(patient), 'http');
});

for (const { why, end } of [
  {
    why: 'the next configuration does not have it',
    end: (set: ListenerSet) => {
      set.bind([]);
      return set.commit();
    },
  },
  { why: 'the set is drained', end: (set: ListenerSet) => set.retire() },
]) {
  test(`connections that wait in the backlog of a listener when it is given up are accepted, and then no more: ${why}`, async (t) => {
    const bench = new Bench(t);
    const [unix, four] = [bench.unix('a.sock'), await tcp(t, '127.0.0.1')];
    await bench.use(unix, four);
    const clients = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? connect(unix.path) : connect(four.port, '127.0.0.1'),
    );
    const texts = clients.map(textOf);
    // The system has accepted them by then, and we have not.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    await end(bench.set);
    assert.deepEqual(await Promise.all([unix, { port: four.port }].map(spoken)), ['ENOENT', 'ECONNREFUSED']);
    assert.deepEqual(new Set(await Promise.all(texts)), new Set(['http']));
  });
}

test('a set that is closed while a listener of it accepts what waits closes that one too', async (t) => {
  const bench = new Bench(t);
  const four = await tcp(t, '127.0.0.1');
  await bench.use(four);
  bench.set.bind([]);
  const committed = bench.set.commit();
  bench.set.close();
  assert.equal(await spoken({ port: four.port }), 'ECONNREFUSED');
  await committed;
});

test('a set that is closed while it opens leaves nothing open', async (t) => {
  const bench = new Bench(t);
  const next = await tcp(t, '127.0.0.1');
  bench.set.bind([next]);
  const opening = bench.set.open();
  bench.set.close();
  await opening;
  assert.equal(await spoken(next), 'ECONNREFUSED');
});

test('more connections than may wait are closed, and the others served', async (t) => {
  const bench = new Bench(t);
  const next = bench.unix('next.sock');
  bench.set.bind([next]);
  await bench.set.open();
  let [closed, served] = [0, 0];
  const clients = Array.from({ length: 520 }, () =>
    connect(next.path)
      .on('data', () => {
        served += 1;
      })
      .on('error', () => undefined)
      .on('close', () => {
        closed += 1;
      }),
  );
  await eventually(
    'some to be closed',
    () => closed === 520 - 512,
    () => `${closed} closed`,
  );
  await bench.set.commit();
  await Promise.all(clients.map((client) => client.closed || once(client, 'close')));
  assert.deepEqual([closed, served], [520, 512]);
});

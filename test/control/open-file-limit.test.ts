import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { checksWithin, connectionsWithin, readOpenFileLimit } from '../../src/control/open-file-limit.ts';
import { GUARD_MS } from '../support/guard.ts';
import { startPhoton } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

const HELLO = { status: 200, body: 'hello' };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A client that stays; `answer` settles with the status line of its reply, or with how it was closed. */
class StayingClient {
  readonly socket: Socket;
  readonly answer: Promise<string>;

  constructor(t: TestContext, port: number, asks: boolean) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.answer = promise;
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1').split('\r\n')[0] ?? ''));
    this.socket.on('error', (error: NodeJS.ErrnoException) => resolve(`error ${error.code}`));
    this.socket.on('close', () => resolve('closed'));
    if (asks) this.socket.write(GET);
    t.after(() => this.socket.destroy());
  }
}

const crowd = (t: TestContext, port: number, count: number, asks = true) =>
  Array.from({ length: count }, () => new StayingClient(t, port, asks));

async function disperse(clients: readonly StayingClient[]): Promise<void> {
  const open = clients.filter(({ socket }) => !socket.closed);
  const gone = open.map(({ socket }) => once(socket, 'close'));
  for (const { socket } of open) socket.destroy();
  await Promise.all(gone);
}

/** The gateway hears of clients that have gone a moment later. */
async function assertServesAgain(port: number): Promise<void> {
  for (const startedMs = performance.now(); performance.now() - startedMs < GUARD_MS; await pause(10)) {
    const reply = await get({ port }).catch(() => null);
    if (reply?.status === 200) return assert.deepEqual(reply, HELLO);
  }
  assert.fail('the gateway did not serve again');
}

for (const { openFileLimit, checks } of [
  { openFileLimit: null, checks: 1000 },
  { openFileLimit: 1_000_000, checks: 1000 },
  { openFileLimit: 1024, checks: 64 },
  { openFileLimit: 100, checks: 16 },
]) {
  test(`below an open-file limit of ${openFileLimit} there are at most ${checks} health checks at a time`, () => {
    assert.equal(checksWithin(openFileLimit), checks);
  });
}

test('the limit of this process is known', () => {
  const limit = readOpenFileLimit();
  assert.ok(limit !== null && limit > 0);
  assert.equal(readOpenFileLimit('/no/such/file'), null);
});

test('a connection takes two descriptors, and what the gateway needs for itself is set aside', () => {
  assert.equal(connectionsWithin(1024, 2), (1024 - 250 - 2 * 16) / 2);
  assert.ok(connectionsWithin(283, 2) < 1);
});

test('a limit that lowers max_connections is said at start; one more connection gets 503, until one has gone', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port }, {}, { openFileLimit: 350 });
  const port = await photon.port();
  const { maxConnections, loweredTo, openFileLimit } = await photon.event('max-connections-lowered');
  assert.deepEqual(
    { maxConnections, loweredTo, openFileLimit },
    { maxConnections: 10_000, loweredTo: 34, openFileLimit: 350 },
  );
  const served = crowd(t, port, 34);
  for (const { answer } of served) assert.equal(await answer, 'HTTP/1.1 200 OK');
  const refused = crowd(t, port, 200);
  for (const { answer } of refused) assert.equal(await answer, 'HTTP/1.1 503 Service Unavailable');
  await disperse([...refused, ...served.slice(0, 10)]);
  await assertServesAgain(port);
  assert.deepEqual(photon.events('accept-failed'), []);
});

test('a limit that is high enough is not mentioned', async (t) => {
  const photon = startPhoton(t, { server: { max_connections: 34 } }, {}, { openFileLimit: 350 });
  await photon.event('ready');
  assert.deepEqual(photon.events('max-connections-lowered'), []);
});

test('a limit below which nothing can be served is one line, and exit code 1', async (t) => {
  const { code, stderr } = await startPhoton(t, {}, {}, { openFileLimit: 200 }).ended;
  assert.equal(code, 1);
  assert.equal(
    stderr,
    'photon: Cannot serve 10000 connections with 2 workers: want an open-file limit of 20282, got 200\n',
  );
});

test('without a descriptor left, who is connected is served on, and who comes is once there are some again', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port }, {}, { openFileLimit: 350 });
  const port = await photon.port();
  const [early = assert.fail()] = crowd(t, port, 1);
  assert.equal(await early.answer, 'HTTP/1.1 200 OK');
  await photon.atRest();
  assert.ok((await photon.takeDescriptors()) > 100);
  // One of them may come by a descriptor that something else had open: it must not need the one connection to the upstream.
  const late = crowd(t, port, 60, false);
  for (let request = 0; request < 20; request++) {
    early.socket.write(GET);
    const [reply] = (await once(early.socket, 'data')) as [Buffer];
    assert.match(reply.toString('latin1'), /^HTTP\/1\.1 200 /);
  }
  await photon.giveDescriptors();
  await disperse(late);
  await assertServesAgain(port);
  assert.deepEqual(photon.events('worker-died'), []);
});

test('without a descriptor for the upstream a request gets 503, and the upstream is not blamed', async (t) => {
  const upstream = await Upstream.start(t);
  const photon = startPhoton(t, { upstreamPort: upstream.port }, {}, { openFileLimit: 350 });
  const port = await photon.port();
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  // Taken by a worker, which has not opened anything for it yet.
  while ((await photon.counts()).connections.reduce((sum, count) => sum + count) !== 1);
  await photon.atRest();
  await photon.takeDescriptors();
  socket.write(GET);
  const [reply] = (await once(socket, 'data')) as [Buffer];
  assert.match(reply.toString('latin1'), /^HTTP\/1\.1 503 [\s\S]*gateway_full/);
  await photon.giveDescriptors();
  await assertServesAgain(port);
});

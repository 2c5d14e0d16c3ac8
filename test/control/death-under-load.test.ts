import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually, GUARD_MS } from '../support/guard.ts';
import { type PhotonProcess, startPhoton } from './photon-process.ts';
import { get, Upstream } from './upstream.ts';

/** A worker dies while every connection is busy: whoever is served by another one must not notice. */

const CONNECTIONS = 60;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Sends one request after the other, until it is stopped or its connection ends. */
class BusyClient {
  readonly #socket: Socket;
  #stopped = false;
  replies = 0;
  lost = false;
  wrong: string | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.lost = !this.#stopped;
    });
    socket.write(GET);
  }

  #take(reply: string): void {
    if (!/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nhello$/.test(reply)) this.wrong ??= reply;
    this.replies++;
    if (!this.#stopped) this.#socket.write(GET);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, 'close');
  }
}

async function busyClients(t: TestContext, port: number): Promise<readonly BusyClient[]> {
  const clients: BusyClient[] = [];
  for (let count = 0; count < CONNECTIONS; count++) {
    const socket = connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    clients.push(new BusyClient(socket));
  }
  return clients;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

async function untilCounts(photon: PhotonProcess, what: string, holds: (connections: readonly number[]) => boolean) {
  const startedMs = performance.now();
  let seen = await photon.counts();
  while (!holds(seen.connections)) {
    assert.ok(performance.now() - startedMs < GUARD_MS, `${what}: ${JSON.stringify(seen)}`);
    seen = await photon.counts();
  }
  return seen;
}

/** Everybody has had another reply since now. */
async function allGoOn(clients: readonly BusyClient[]): Promise<void> {
  const before = clients.map(({ replies }) => replies);
  await eventually(
    'a further reply for everybody',
    () => clients.every(({ replies, lost }, index) => lost || replies > (before[index] ?? 0) + 1),
    () => JSON.stringify(clients.map(({ replies, lost }) => [replies, lost])),
  );
}

for (const [kind, reason] of [
  ['throw', /crash on request/],
  ['fill-heap', /memory limit/],
  ['terminate', /exit code 1/],
] as const) {
  test(`a worker ends under load (${kind}): its connections are lost, no other one, and the counts are right`, async (t) => {
    const upstream = await Upstream.start(t);
    const photon = startPhoton(t, { upstreamPort: upstream.port });
    const clients = await busyClients(t, await photon.port());
    const { connections } = await untilCounts(photon, 'all are connected', (each) => sum(each) === CONNECTIONS);
    const [ofOther = 0, ofDying = 0] = connections;
    assert.ok(ofOther > 0 && ofDying > 0, `${connections}`);
    await allGoOn(clients);

    photon.crashWorker(1, kind);
    const death = await photon.event('worker-died');
    assert.equal(death['worker'], 1);
    assert.match(String(death['reason']), reason);
    await photon.event('worker-replaced');
    await allGoOn(clients);

    assert.equal(clients.filter(({ lost }) => lost).length, ofDying);
    assert.deepEqual(
      clients.filter(({ lost, wrong }) => !lost && wrong !== null),
      [],
    );
    assert.deepEqual((await photon.counts()).connections, [ofOther, 0]);
    await Promise.all(clients.map((client) => client.stop()));
    await untilCounts(photon, 'nobody is connected', (each) => sum(each) === 0);

    const port = await photon.port();
    for (let count = 0; count < 40; count++) assert.equal((await get({ port })).status, 200);
    upstream.closeConnections();
    const after = await untilCounts(photon, 'nobody is connected', (each) => sum(each) === 0);
    assert.ok(sum(after.upstreamSockets) <= CONNECTIONS, JSON.stringify(after));
  });
}

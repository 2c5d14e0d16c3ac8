import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import { ClientFactory, type WireClient } from '../support/client.ts';
import { settle } from '../support/guard.ts';
import { ok, type UpstreamConnection, WireUpstream } from '../support/upstream.ts';
import { runWire, type WireContext, type WireOptions, wire } from '../support/wire.ts';

const get = (...lines: readonly string[]) => `GET /x HTTP/1.1\r\n${['Host: a.example', ...lines].join('\r\n')}\r\n\r\n`;
const challenge = (body: string, ...challenges: readonly string[]) =>
  `HTTP/1.1 401 Unauthorized\r\nContent-Length: ${body.length}\r\n${challenges
    .map((each) => `WWW-Authenticate: ${each}\r\n`)
    .join('')}\r\n${body}`;

const NTLM = 'Authorization: NTLM TlRMTVNTUAADAAAA';

/** Every reply names the connection that it came on. */
function nameConnections(upstream: WireUpstream): void {
  upstream.answerAll((_request, { name }) => ok(name));
}

/** Sends a request and returns the name of the connection that served it. */
async function ask(client: WireClient, ...lines: readonly string[]): Promise<string> {
  await client.send(get(...lines));
  return (await client.expectReply({ status: 200 })).body;
}

const first = (number: number) => `upstream 1 connection ${number}`;

interface Login {
  readonly why: string;
  /** Field lines of the request, and challenges of the reply. */
  readonly sent?: readonly string[];
  readonly challenges?: readonly string[];
  readonly isPrivate: boolean;
}

const LOGINS: readonly Login[] = [
  { why: 'a request with NTLM', sent: [NTLM], isPrivate: true },
  { why: 'a request with Negotiate', sent: ['authorization: negotiate YIIabc'], isPrivate: true },
  { why: 'a reply that asks for NTLM', challenges: ['NTLM'], isPrivate: true },
  {
    why: 'a reply that asks for Negotiate after another scheme',
    challenges: ['Basic realm="x", Negotiate'],
    isPrivate: true,
  },
  { why: 'a reply with two challenges', challenges: ['Bearer', 'NTLM TlRMTVNTUAACAAAA'], isPrivate: true },
  { why: 'a request with Basic', sent: ['Authorization: Basic dTpw'], isPrivate: false },
  { why: 'a request with Bearer', sent: ['Authorization: Bearer NTLM'], isPrivate: false },
  { why: 'a reply that asks for Basic', challenges: ['Basic realm="NTLM"'], isPrivate: false },
];

for (const { why, sent = [], challenges = [], isPrivate } of LOGINS) {
  const whose = isPrivate ? 'its own client only' : 'any client';
  wire(`a connection to an upstream serves ${whose} after ${why}`, async ({ client, upstream }) => {
    const other = await client.connect();
    await client.send(get(...sent));
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(challenge('', ...challenges));
    await client.expectStatus(401);
    await other.send(get());
    const next = isPrivate ? await upstream.accept() : connection;
    await next.expectRequest();
    await next.send(ok('other'));
    await other.expectReply({ body: 'other' });
    for (const body of ['again', 'and again']) {
      await client.send(get());
      await connection.expectRequest();
      await connection.send(ok(body));
      await client.expectReply({ body });
    }
    upstream.expectConnections(isPrivate ? 2 : 1);
  });
}

wire('a connection that others have used becomes private with the first credentials on it', async (context) => {
  const { client, upstream } = context;
  nameConnections(upstream);
  const other = await client.connect();
  assert.deepEqual([await ask(other), await ask(client, NTLM)], [first(1), first(1)]);
  assert.deepEqual([await ask(other), await ask(client), await ask(other)], [first(2), first(1), first(2)]);
});

for (const { why, transform, sent, isPrivate } of [
  { why: 'sets', transform: { set: { Authorization: 'Negotiate YIIabc' } }, sent: [], isPrivate: true },
  { why: 'adds', transform: { add: { authorization: 'NTLM abc' } }, sent: [], isPrivate: true },
  { why: 'removes', transform: { remove: ['Authorization'] }, sent: [NTLM], isPrivate: false },
]) {
  wire(
    `credentials that middleware ${why} ${isPrivate ? 'make a connection private' : 'change nothing'}`,
    { middleware: { transform: { request_headers: transform } }, routes: [{ middleware: ['transform'] }] },
    async ({ client, upstream }) => {
      nameConnections(upstream);
      const other = await client.connect();
      assert.equal(await ask(client, ...sent), first(1));
      assert.equal(await ask(other), first(isPrivate ? 2 : 1));
      assert.equal(await ask(client), first(1));
    },
  );
}

for (const { why, leaves } of [
  { why: 'ends', leaves: (client: WireClient) => client.end() },
  { why: 'is reset', leaves: (client: WireClient) => client.reset() },
]) {
  wire(
    `a private connection is closed when that of its client ${why}, idle or in use`,
    async ({ client, upstream }) => {
      const busy = await client.connect();
      const open = async (each: WireClient) => {
        await each.send(get(NTLM));
        const connection = await upstream.accept();
        await connection.expectRequest();
        await connection.send(ok(''));
        await each.expectStatus(200);
        return connection;
      };
      const [idle, used] = [await open(client), await open(busy)];
      await busy.send(get());
      await used.expectRequest();
      leaves(client);
      await idle.expectClosed();
      await used.expectSilence();
      busy.reset();
      await used.expectClosed();
    },
  );
}

wire('an answer that comes before its request is complete ends a private connection as any other', async (context) => {
  const { client, upstream } = context;
  await client.send(get(NTLM).replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 4\r\n\r\nab'));
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('early'));
  await client.expectReply({ body: 'early' });
  await connection.expectText('ab');
  await connection.expectClosed();
});

wire('pipelined requests of one client go one after the other on its private connection', async (context) => {
  const { client, upstream } = context;
  nameConnections(upstream);
  const other = await client.connect();
  await ask(client, NTLM);
  await client.send(get() + get() + get());
  assert.equal(await ask(other), first(2));
  for (let count = 0; count < 3; count++) await client.expectReply({ body: first(1) });
});

// --- several upstreams -------------------------------------------------------------------------------------------------

const setHealthy = ({ gateway, clock }: WireContext, number: number, healthy: boolean) =>
  new UpstreamState({ memory: gateway.shared, number }).setHealthy(healthy, clock.nowMs());

wire(
  'a client stays with the upstream of its private connection, whoever has its turn',
  { upstreams: 3 },
  async (context) => {
    const { client, upstreams } = context;
    for (const each of upstreams) nameConnections(each);
    const other = await client.connect();
    const own = await ask(client, NTLM);
    const seen = new Set<string>();
    for (let round = 0; round < 6; round++) {
      assert.equal(await ask(client), own);
      seen.add(await ask(other));
    }
    assert.equal(seen.size, 3);
    assert.ok(!seen.has(own), 'no other client gets its connection');
  },
);

wire(
  'a client goes elsewhere while the upstream of its private connection is not well',
  { upstreams: 2 },
  async (context) => {
    const { client, upstreams } = context;
    for (const each of upstreams) nameConnections(each);
    const own = await ask(client, NTLM);
    setHealthy(context, 0, false);
    assert.equal(await ask(client), 'upstream 2 connection 1');
    setHealthy(context, 0, true);
    assert.equal(await ask(client), own);
  },
);

test('a client has a private connection in each backend', async () => {
  const more = await WireUpstream.listen('upstream 2');
  nameConnections(more);
  const routes = [{ path: '/x' }, { path: '/y', backend: 'more' }];
  await runWire({ routes, otherBackends: { more: more.port } }, async ({ client, upstream }) => {
    nameConnections(upstream);
    const other = await client.connect();
    const askAt = async (path: string, ...lines: readonly string[]) => {
      await client.send(get(...lines).replace('/x', path));
      return (await client.expectReply({ status: 200 })).body;
    };
    assert.deepEqual([await askAt('/x', NTLM), await askAt('/y', NTLM)], [first(1), 'upstream 2 connection 1']);
    assert.equal(await ask(other), first(2));
    for (const body of [first(1), 'upstream 2 connection 1']) {
      assert.equal(await askAt(body === first(1) ? '/x' : '/y'), body);
    }
  });
  await more.dispose();
});

// --- retries -----------------------------------------------------------------------------------------------------------

wire('a private connection that has died is replaced by a new one, not by one that others use', async (context) => {
  const { client, upstream } = context;
  const other = await client.connect();
  await client.send(get(NTLM));
  const own = await upstream.accept();
  await own.expectRequest();
  await own.send(ok('in'));
  await client.expectStatus(200);
  await other.send(get());
  const shared = await upstream.accept();
  await shared.expectRequest();
  await shared.send(ok('other'));
  await other.expectStatus(200);
  await client.send(get());
  await own.expectRequest();
  own.reset();
  const fresh = await upstream.accept();
  await fresh.expectRequest();
  await fresh.send(challenge('', 'NTLM'));
  await client.expectStatus(401);
  await client.send(get(NTLM));
  await fresh.expectRequest();
  await fresh.send(ok('in again'));
  await client.expectReply({ body: 'in again' });
  await other.send(get());
  await shared.expectRequest();
  await shared.send(ok('other'));
  await other.expectStatus(200);
});

wire(
  'credentials that were sent again elsewhere make that connection private too',
  { upstreams: 2 },
  async (context) => {
    const { client, upstreams } = context;
    const [failing, healthy] = upstreams as [WireUpstream, WireUpstream];
    await client.send(get(NTLM));
    const lost = await failing.accept();
    await lost.expectRequest();
    lost.reset();
    const connection = await healthy.accept();
    await connection.expectRequest();
    await connection.send(ok('in'));
    await client.expectReply({ body: 'in' });
    const other = await client.connect();
    nameConnections(failing);
    nameConnections(healthy);
    const seen = [await ask(other), await ask(other), await ask(other)];
    assert.ok(!seen.includes(connection.name), seen.join());
    await client.send(get());
    await connection.expectRequest();
    await connection.send(ok('still in'));
    await client.expectReply({ body: 'still in' });
  },
);

// --- limits ------------------------------------------------------------------------------------------------------------

const limited = (maxConnections: number): WireOptions => ({
  upstream: { max_connections: maxConnections, read_timeout: '600s' },
  backend: { queue: { timeout: '60s' } },
});

const waiting = ({ gateway }: WireContext) => gateway.inFlight().at(-1);

wire('a private connection that is idle is closed for a request that waits for room', limited(1), async (context) => {
  const { client, upstream } = context;
  nameConnections(upstream);
  const other = await client.connect();
  assert.equal(await ask(client, NTLM), first(1));
  assert.equal(await ask(other), first(2));
  assert.equal(await ask(client), first(2));
});

wire(
  'a private connection in use is closed for those that wait when its request is over',
  limited(1),
  async (context) => {
    const { client, upstream } = context;
    const other = await client.connect();
    await client.send(get(NTLM));
    const own = await upstream.accept();
    await own.expectRequest();
    await other.send(get());
    await settle();
    assert.equal(waiting(context), 1);
    nameConnections(upstream);
    await own.send(ok('in'));
    await client.expectReply({ body: 'in' });
    await own.expectClosed();
    await other.expectReply({ body: first(2) });
  },
);

/** A client that was challenged, while another one waits for the only connection that there may be. */
async function challenged({ client, upstream }: WireContext) {
  await client.send(get());
  const own = await upstream.accept();
  await own.expectRequest();
  await own.send(challenge('', 'NTLM TlRMTVNTUAACAAAA'));
  await client.expectStatus(401);
  const other = await client.connect();
  await other.send(get());
  await settle();
  return { own, other };
}

wire(
  'a client that was challenged answers on the same connection, although others wait for room',
  limited(1),
  async (context) => {
    const { client, upstream, clock } = context;
    const { own, other } = await challenged(context);
    await clock.advance(400);
    await client.send(get(NTLM));
    await own.expectRequest();
    assert.equal(waiting(context), 1);
    await clock.advance(5000);
    nameConnections(upstream);
    await own.send(ok('in'));
    await client.expectReply({ body: 'in' });
    await own.expectClosed();
    await other.expectReply({ body: first(2) });
  },
);

wire('a client that does not answer a challenge soon makes room', limited(1), async (context) => {
  const { client, upstream, clock } = context;
  const { own, other } = await challenged(context);
  nameConnections(upstream);
  await clock.advance(400);
  await own.expectSilence();
  await clock.advance(400);
  await own.expectClosed();
  await other.expectReply({ body: first(2) });
  assert.equal(await ask(client), first(2));
});

wire('a client with a private connection does not wait behind those that need room', limited(2), async (context) => {
  const { client, upstream } = context;
  const [busy, other] = [await client.connect(), await client.connect()];
  await client.send(get());
  const own = await upstream.accept();
  await own.expectRequest();
  await own.send(challenge('', 'Negotiate'));
  await client.expectStatus(401);
  await busy.send(get());
  const second = await upstream.accept();
  await second.expectRequest();
  await other.send(get());
  await settle();
  assert.equal(waiting(context), 1);
  await client.send(get('Authorization: Negotiate YIIabc'));
  await own.expectRequest();
  await second.send(ok('busy'));
  await busy.expectReply({ body: 'busy' });
  await second.expectRequest();
  await second.send(ok('other'));
  await other.expectReply({ body: 'other' });
  await own.send(ok('in'));
  await client.expectReply({ body: 'in' });
});

wire(
  'a request that waits in another worker gets the room of a private connection',
  { ...limited(1), workers: 2 },
  async (context) => {
    const { client, upstream, gateway, clock } = context;
    nameConnections(upstream);
    const beside = await gateway.beside(1);
    clock.onTick(() => {
      gateway.plane.tick();
      beside.plane.tick();
    });
    const elsewhere = new ClientFactory(beside.port, beside.scheme === 'https', '');
    try {
      assert.equal(await ask(client, NTLM), first(1));
      const other = await elsewhere.connect();
      await other.send(get());
      assert.equal((await clock.advanceUntil(other.expectReply({ status: 200 }))).body, first(2));
    } finally {
      for (const each of elsewhere.clients) await each.dispose();
      beside.plane.close();
    }
  },
);

// --- reload and drain --------------------------------------------------------------------------------------------------

wire('a private connection lives through a reload that leaves its upstream alone', async (context) => {
  const { client, upstream, gateway } = context;
  nameConnections(upstream);
  const other = await client.connect();
  assert.equal(await ask(client, NTLM), first(1));
  gateway.prepare({ upstreamPorts: [upstream.port], routes: [{ timeout: '7s' }] });
  gateway.plane.commit();
  assert.deepEqual([await ask(other), await ask(client)], [first(2), first(1)]);
});

wire(
  'a private connection is closed by a reload that changes its upstream, idle at once and in use at its end',
  async (context) => {
    const { client, upstream, gateway } = context;
    const busy = await client.connect();
    const connections: UpstreamConnection[] = [];
    for (const each of [client, busy]) {
      await each.send(get(NTLM));
      const connection = await upstream.accept();
      await connection.expectRequest();
      connections.push(connection);
    }
    const [idle, used] = connections as [UpstreamConnection, UpstreamConnection];
    await idle.send(ok('in'));
    await client.expectStatus(200);
    gateway.prepare({ upstreamPorts: [upstream.port], upstream: { read_timeout: '77s' } });
    gateway.plane.commit();
    await idle.expectClosed();
    nameConnections(upstream);
    assert.equal(await ask(client, NTLM), first(3));
    await used.send(ok('in too'));
    await busy.expectReply({ body: 'in too' });
    await used.expectClosed();
    assert.equal(await ask(busy), first(4));
  },
);

wire('a drain ends private connections with their clients', async ({ client, upstream, gateway, clock }) => {
  const busy = await client.connect();
  await client.send(get(NTLM));
  const idle = await upstream.accept();
  await idle.expectRequest();
  await idle.send(ok('in'));
  await client.expectStatus(200);
  await busy.send(get(NTLM));
  const used = await upstream.accept();
  await used.expectRequest();
  const drained = gateway.plane.drain();
  await clock.advance(200);
  await client.expectClosed();
  await idle.expectClosed();
  await used.send(ok('last'));
  await busy.expectReply({ body: 'last', headers: { connection: 'close' } });
  await busy.expectClosed();
  await used.expectClosed();
  await drained;
});

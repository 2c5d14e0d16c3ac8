import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedCount } from '../../src/memory/shared-memory.ts';
import { UpstreamState } from '../../src/memory/upstream-state.ts';
import { testCertificate } from '../support/certificates.ts';
import { ClientFactory, type WireClient } from '../support/client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { eventually, settle } from '../support/guard.ts';
import { ok, type UpstreamConnection, WireUpstream } from '../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const POST = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n';

const limited = (maxConnections: number, size = 64, timeout = '2s'): WireOptions => ({
  upstream: { max_connections: maxConnections, read_timeout: '600s' },
  backend: { queue: { size, timeout } },
  routes: [{ retries: 0 }],
});

const waiting = ({ gateway }: WireContext) => gateway.inFlight().at(-1);

wire(
  'requests wait in the order of their coming, and each gets the connection that becomes idle',
  limited(1),
  async (context) => {
    const { client, upstream } = context;
    const clients = [client, await client.connect(), await client.connect(), await client.connect()];
    for (const [number, each] of clients.entries()) {
      await each.send(GET.replace('/x', `/${number}`));
      await settle();
    }
    assert.equal(waiting(context), 3);
    const connection = await upstream.accept();
    for (const [number, each] of clients.entries()) {
      await connection.expectRequest({ target: `/${number}` });
      await connection.send(ok(`${number}`));
      await each.expectReply({ status: 200, body: `${number}` });
    }
    upstream.expectConnections(1);
  },
);

wire(
  'a request that waits opens a connection when the one before is closed',
  limited(1),
  async ({ client, upstream }) => {
    const other = await client.connect();
    await client.send(GET);
    const first = await upstream.accept();
    await first.expectRequest();
    await other.send(GET);
    await settle();
    upstream.answerAll(() => ok('second'));
    await first.send(ok('first', 'Connection: close'));
    await client.expectReply({ body: 'first' });
    await other.expectReply({ status: 200, body: 'second' });
  },
);

wire(
  'bytes beyond a reply do not reach the request that waits for its connection',
  limited(1),
  async ({ client, upstream }) => {
    const other = await client.connect();
    await client.send(GET);
    const first = await upstream.accept();
    await first.expectRequest();
    await other.send(GET);
    await settle();
    upstream.answerAll(() => ok('good'));
    await first.send(`${ok('first')}${ok('evil')}`);
    await client.expectReply({ body: 'first' });
    await other.expectReply({ status: 200, body: 'good' });
  },
);

for (const { why, sent } of [
  { why: 'a second reply', sent: GET },
  { why: 'the body of a reply to HEAD', sent: GET.replace('GET', 'HEAD') },
]) {
  wire(
    `${why}, in a TLS record of its own, does not reach the request that waits for its connection`,
    {
      ...limited(1),
      upstream: { max_connections: 1, read_timeout: '600s', tls: true, tls_verify: false },
      upstreamTls: testCertificate('localhost'),
    },
    async ({ client, upstream }) => {
      const other = await client.connect();
      await client.send(sent);
      const first = await upstream.accept();
      await first.expectRequest();
      await other.send(GET);
      await settle();
      const reply = ok('first');
      const surplus = sent === GET ? ok('evil') : 'first';
      void first.send(sent === GET ? reply : reply.slice(0, -'first'.length));
      void first.send(surplus);
      const second = await upstream.accept();
      await second.expectRequest();
      await second.send(ok('good'));
      await client.expectReply({ body: sent === GET ? 'first' : '', toHead: sent !== GET });
      await other.expectReply({ status: 200, body: 'good' });
    },
  );
}

wire(
  'the body of a request that waits is not lost, nor is the client blamed for it',
  limited(1, 64, '60s'),
  async (context) => {
    const { client, upstream, clock } = context;
    const other = await client.connect();
    await client.send(GET);
    const first = await upstream.accept();
    await first.expectRequest();
    const body = 'b'.repeat(300_000);
    void other.send(
      `${POST.replace('4\r\n', '')}300000\r\n\r\n`.replace('Content-Length: \r\n300000', 'Content-Length: 300000'),
    );
    await settle();
    void other.send(body);
    await clock.advance(40_000);
    assert.equal(waiting(context), 1);
    await first.send(ok('first'));
    await client.expectReply({ body: 'first' });
    await first.expectRequest({ body });
    await first.send(ok('second'));
    await other.expectReply({ status: 200, body: 'second' });
  },
);

wire(
  'what has been read already of a request that waits is kept, and its trailers too',
  limited(1),
  async (context) => {
    const { client, upstream } = context;
    const other = await client.connect();
    await client.send(GET);
    const first = await upstream.accept();
    await first.expectRequest();
    const body = 'b'.repeat(40_000);
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n`;
    await other.send(
      `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`,
    );
    await settle();
    assert.equal(waiting(context), 1);
    await first.send(ok('first'));
    await client.expectReply({ body: 'first' });
    await first.expectRequest({ body: `${body}abc`, trailers: { 'x-sum': '1' } });
    await first.send(ok('second'));
    await other.expectReply({ status: 200, body: 'second' });
  },
);

wire('503 after the queue timeout, with Retry-After', limited(1), async (context) => {
  const { client, upstream, clock } = context;
  const other = await client.connect();
  await client.send(GET);
  await (await upstream.accept()).expectRequest();
  await other.send(GET);
  await clock.advance(1900);
  await other.expectSilence();
  await clock.advance(400);
  await other.expectReply({ status: 503, body: /upstreams_full/, headers: { 'retry-after': /^\d+$/ } });
  assert.equal(waiting(context), 0);
});

wire('503 at once where as many wait as may', limited(1, 1), async (context) => {
  const { client, upstream } = context;
  const [second, third] = [await client.connect(), await client.connect()];
  await client.send(GET);
  await (await upstream.accept()).expectRequest();
  await second.send(GET);
  await settle();
  await third.send(GET);
  await third.expectReply({ status: 503, body: /upstreams_full/, headers: { 'retry-after': /^\d+$/ } });
});

for (const { how, leave } of [
  { how: 'resets its connection', leave: (client: WireClient) => client.reset() },
  { how: 'closes its connection', leave: (client: WireClient) => client.end() },
]) {
  wire(`a client that ${how} leaves the queue, and the next one is served`, limited(1), async (context) => {
    const { client, upstream } = context;
    const [second, third] = [await client.connect(), await client.connect()];
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    await second.send(GET.replace('/x', '/second'));
    await settle();
    await third.send(GET.replace('/x', '/third'));
    await settle();
    leave(second);
    await eventually(
      'the client to leave the queue',
      () => waiting(context) === 1,
      () => `${waiting(context)} wait`,
    );
    await connection.send(ok('first'));
    await connection.expectRequest({ target: '/third' });
    await connection.send(ok('third'));
    await third.expectReply({ body: 'third' });
  });
}

wire(
  'a client that has shut down its side is served where there is room, and does not wait',
  limited(1),
  async (context) => {
    const { client, upstream } = context;
    const pipelining = await client.connect();
    await pipelining.send(`${GET.replace('/x', '/first')}${GET.replace('/x', '/second')}`);
    pipelining.end();
    const connection = await upstream.accept();
    await connection.expectRequest({ target: '/first' });
    await client.send(GET.replace('/x', '/other'));
    await settle();
    await connection.send(ok('first'));
    await pipelining.expectReply({ body: 'first' });
    // Its second request comes behind that of the other client, for which there is no room either.
    await pipelining.expectClosed();
    await connection.expectRequest({ target: '/other' });
    await connection.send(ok('other'));
    await client.expectReply({ body: 'other' });
    assert.equal(waiting(context), 0);
    upstream.expectConnections(1);
  },
);

wire(
  'the deadline of the route holds in the queue',
  { ...limited(1, 9, '60s'), routes: [{ timeout: '2s' }] },
  async (context) => {
    const { client, upstream, clock } = context;
    const other = await client.connect();
    await client.send(GET);
    await (await upstream.accept()).expectRequest();
    await clock.advance(1000);
    await other.send(`${POST}ab`);
    await clock.advance(2500);
    await client.expectStatus(504);
    await other.expectStatus(504).catch(() => {});
    assert.equal(waiting(context), 0);
  },
);

wire(
  'an upstream that a reload removes finishes a request, an upload and one that waits',
  limited(2, 9, '60s'),
  async (context) => {
    const { client, upstream, gateway } = context;
    const [uploader, waiter] = [await client.connect(), await client.connect()];
    await client.send(GET.replace('/x', '/get'));
    const first = await upstream.accept();
    await first.expectRequest({ target: '/get' });
    await uploader.send(`${POST}ab`);
    const second = await upstream.accept();
    await second.expectHead();
    await waiter.send(GET.replace('/x', '/waiter'));
    await settle();
    const next = await WireUpstream.listen('the next upstream');
    try {
      // In this test both are counted in one place: a connection that stayed would take room of those that go.
      next.answerAll(() => ok('next', 'Connection: close'));
      gateway.prepare({ upstreamPorts: [next.port], upstream: { max_connections: 9 } });
      gateway.plane.commit();
      const newcomer = await client.connect();
      await newcomer.send(GET);
      await newcomer.expectReply({ status: 200, body: 'next' });
      await first.send(ok('got'));
      await client.expectReply({ status: 200, body: 'got' });
      await first.expectClosed();
      const third = await upstream.accept();
      await third.expectRequest({ target: '/waiter' });
      await third.send(ok('waited'));
      await waiter.expectReply({ status: 200, body: 'waited' });
      await uploader.send('cd');
      await second.expectText('abcd');
      await second.send(ok('put'));
      await uploader.expectReply({ status: 200, body: 'put' });
      await second.expectClosed();
      gateway.plane.close();
    } finally {
      await next.dispose();
    }
  },
);

/** As the health checks say of the upstream with this number. */
const setHealthy = ({ gateway, clock }: WireContext, number: number, healthy: boolean) =>
  new UpstreamState({ memory: gateway.shared, number }).setHealthy(healthy, clock.nowMs());

/** A request of `client` that the first upstream has taken, and that it has no room beside. */
async function occupy({ client, upstream }: WireContext): Promise<UpstreamConnection> {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  return connection;
}

wire(
  'requests that wait go to an upstream that the health checks find well again',
  { ...limited(1), upstreams: 2 },
  async (context) => {
    const { client, clock, upstreams } = context;
    setHealthy(context, 1, false);
    const busy = await occupy(context);
    const waiter = await client.connect();
    await waiter.send(GET);
    await clock.advance(1000);
    await waiter.expectSilence();
    upstreams[1]?.answerAll(() => ok('well again'));
    setHealthy(context, 1, true);
    await clock.advance(200);
    await waiter.expectReply({ status: 200, body: 'well again' });
    await busy.send(ok('first'));
    await client.expectReply({ body: 'first' });
  },
);

wire(
  'a request that waits probes an upstream whose breaker was open, and the others go there once it is closed',
  {
    ...limited(1),
    upstreams: 2,
    backend: { queue: { timeout: '5s' }, circuit_breaker: { failure_threshold: 1, open_timeout: '1s' } },
  },
  async (context) => {
    const { client, clock, upstreams } = context;
    const busy = await occupy(context);
    const others = await Promise.all(Array.from({ length: 3 }, () => client.connect()));
    const [failing, probing, following] = others as [WireClient, WireClient, WireClient];
    await failing.send(GET);
    const second = await (upstreams[1] as WireUpstream).accept();
    await second.expectRequest();
    await second.send('HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n');
    await failing.expectStatus(500);
    await probing.send(GET.replace('/x', '/probing'));
    await settle();
    await following.send(GET.replace('/x', '/following'));
    await clock.advance(800);
    await probing.expectSilence();
    await clock.advance(400);
    await second.expectRequest({ target: '/probing' });
    await following.expectSilence();
    await second.send(ok('well again'));
    await probing.expectReply({ body: 'well again' });
    await clock.advance(200);
    await second.expectRequest({ target: '/following' });
    await second.send(ok('well'));
    await following.expectReply({ body: 'well' });
    await busy.send(ok('first'));
    await client.expectReply({ body: 'first' });
  },
);

wire('requests that wait are refused as soon as no upstream is well', limited(1), async (context) => {
  const { client, clock } = context;
  const busy = await occupy(context);
  const waiters = await Promise.all([client.connect(), client.connect()]);
  for (const waiter of waiters) await waiter.send(GET);
  await clock.advance(500);
  setHealthy(context, 0, false);
  await clock.advance(200);
  for (const waiter of waiters) {
    await waiter.expectReply({ status: 503, body: /no_upstream/, headers: { 'retry-after': '10' } });
  }
  assert.equal(waiting(context), 0);
  await busy.send(ok('first'));
  await client.expectReply({ body: 'first' });
});

const SAME: WireOptions = { ...limited(1, 9, '60s'), maxUpstreams: 2, configuration: 1_000_000 };

wire(
  'requests that wait go to a server that a name stands for since, in the order of their coming, and new ones after them',
  SAME,
  async (context) => {
    const { client, upstream, gateway } = context;
    const busy = await occupy(context);
    const clients = await Promise.all(Array.from({ length: 3 }, () => client.connect()));
    for (const [number, waiter] of clients.slice(0, 2).entries()) {
      await waiter.send(GET.replace('/x', `/${number}`));
      await settle();
    }
    const next = await WireUpstream.listen('the next upstream');
    try {
      gateway.prepare({ upstreamPorts: [upstream.port, next.port] });
      gateway.plane.commit();
      const connection = await next.accept();
      await connection.expectRequest({ target: '/0' });
      assert.equal(waiting(context), 1);
      await clients[2]?.send(GET.replace('/x', '/2'));
      await settle();
      assert.equal(waiting(context), 2);
      for (const [number, each] of clients.entries()) {
        if (number > 0) await connection.expectRequest({ target: `/${number}` });
        await connection.send(ok(`${number}`));
        await each.expectReply({ status: 200, body: `${number}` });
      }
      await busy.send(ok('first'));
      await client.expectReply({ body: 'first' });
      gateway.plane.close();
    } finally {
      await next.dispose();
    }
  },
);

wire(
  'a request that waits for a server that its name stands for no more goes to the next one',
  SAME,
  async (context) => {
    const { client, gateway } = context;
    const busy = await occupy(context);
    const waiter = await client.connect();
    await waiter.send(GET);
    await settle();
    const next = await WireUpstream.listen('the next upstream');
    try {
      next.answerAll(() => ok('next', 'Connection: close'));
      // Counted in the same place: with the limit from before there would be no room.
      gateway.prepare({ upstreamPorts: [next.port], upstream: { max_connections: 9 } });
      gateway.plane.commit();
      await waiter.expectReply({ status: 200, body: 'next' });
      await busy.send(ok('first'));
      await client.expectReply({ body: 'first' });
      await busy.expectClosed();
      gateway.plane.close();
    } finally {
      await next.dispose();
    }
  },
);

wire(
  'a retry goes to a server that its name stands for since',
  { ...SAME, routes: [{ retries: 1 }] },
  async (context) => {
    const { client, upstream, gateway } = context;
    const busy = await occupy(context);
    const next = await WireUpstream.listen('the next upstream');
    try {
      next.answerAll(() => ok('next', 'Connection: close'));
      gateway.prepare({ upstreamPorts: [upstream.port, next.port] });
      gateway.plane.commit();
      busy.reset();
      await client.expectReply({ status: 200, body: 'next' });
      gateway.plane.close();
    } finally {
      await next.dispose();
    }
  },
);

const OTHER: WireOptions = { ...limited(1, 9, '2s'), maxUpstreams: 2 };

for (const { why, upstreamNow } of [
  { why: 'without a limit', upstreamNow: {} },
  { why: 'of another limit', upstreamNow: { max_connections: 2 } },
]) {
  wire(
    `a request that begins to wait behind a reload gets the room of a connection that is idle in the configuration ${why}`,
    { ...OTHER, routes: [{ retries: 1 }] },
    async (context) => {
      const { client, upstream, gateway, clock } = context;
      const busy = await occupy(context);
      gateway.prepare({ upstreamPorts: [upstream.port], upstream: upstreamNow });
      gateway.plane.commit();
      const newcomer = await client.connect();
      await newcomer.send(GET);
      const idle = await upstream.accept();
      await idle.expectRequest();
      await idle.send(ok('newcomer'));
      await newcomer.expectReply({ status: 200, body: 'newcomer' });
      busy.reset();
      await clock.advance(500);
      await idle.expectClosed();
      const again = await upstream.accept();
      await again.expectRequest();
      await again.send(ok('again'));
      await client.expectReply({ status: 200, body: 'again' });
      gateway.plane.close();
    },
  );
}

wire(
  'a connection that is idle since a reload stays one that other workers may ask for when one of the configuration before closes',
  { ...limited(2, 9, '2s'), workers: 2 },
  async (context) => {
    const { client, upstream, gateway } = context;
    const busy = await occupy(context);
    gateway.prepare({ upstreamPorts: [upstream.port], upstream: { max_connections: 3 } });
    gateway.plane.commit();
    const newcomer = await client.connect();
    await newcomer.send(GET);
    const idle = await upstream.accept();
    await idle.expectRequest();
    await idle.send(ok('newcomer'));
    await newcomer.expectReply({ status: 200, body: 'newcomer' });
    await busy.send(ok('first'));
    await client.expectReply({ status: 200, body: 'first' });
    await busy.expectClosed();
    await settle();
    assert.equal(SharedCount.upstreamIdle({ memory: gateway.shared, number: 0 }, 0).total, 1);
    gateway.plane.close();
  },
);

wire('a request that waits does not go to a server of another configuration', OTHER, async (context) => {
  const { client, upstream, gateway, clock } = context;
  const busy = await occupy(context);
  const waiter = await client.connect();
  await waiter.send(GET);
  await settle();
  const next = await WireUpstream.listen('the next upstream');
  try {
    gateway.prepare({ upstreamPorts: [upstream.port, next.port] });
    gateway.plane.commit();
    await clock.advance(1000);
    await busy.send(ok('first'));
    await busy.expectRequest();
    await busy.send(ok('second'));
    await waiter.expectReply({ status: 200, body: 'second' });
    await client.expectReply({ status: 200, body: 'first' });
    next.expectNoConnection();
    gateway.plane.close();
  } finally {
    await next.dispose();
  }
});

interface TwoWorkers {
  readonly gateways: readonly Gateway[];
  readonly factories: readonly ClientFactory[];
  readonly upstream: WireUpstream;
}

/** Two data planes over one shared memory: what the workers of a gateway are to each other. */
async function twoWorkers(maxConnections: number, script: (context: TwoWorkers) => Promise<void>): Promise<void> {
  const upstream = await WireUpstream.listen('the upstream');
  const settings = { ...limited(maxConnections, 64, '30s'), upstreamPorts: [upstream.port] };
  const first = await startGateway({ ...settings, workers: 2 });
  const started = [first, await first.beside(1)];
  const factories = started.map(({ port }) => new ClientFactory(port, false, ''));
  try {
    await script({ gateways: started, factories, upstream });
    for (const factory of factories) for (const client of factory.clients) client.reset();
    const counts = () => started.map((each) => each.inFlight().join(' ')).join(', ');
    await eventually('everything to end', () => !/[^0 ,]/.test(counts()), counts);
  } finally {
    for (const { plane } of started) plane.close();
    for (const factory of factories) for (const client of factory.clients) await client.dispose();
    await upstream.dispose();
  }
  assert.deepEqual(started[0]?.sockets(), [0]);
}

test('an idle connection of one worker is closed for a request that waits in the other', async () => {
  await twoWorkers(1, async ({ factories, upstream }) => {
    upstream.answerAll(() => ok('yes'));
    for (let turn = 0; turn < 6; turn++) {
      const client = await (factories[turn % 2] as ClientFactory).connect();
      await client.send(GET);
      await client.expectReply({ status: 200, body: 'yes' });
      assert.ok(upstream.openCount <= 1);
    }
  });
});

test('a busy connection of one worker is closed after its reply for a request that waits in the other', async () => {
  await twoWorkers(1, async ({ factories: [one, two], upstream }) => {
    const [here, there] = [await (one as ClientFactory).connect(), await (two as ClientFactory).connect()];
    await here.send(GET);
    const first = await upstream.accept();
    await first.expectRequest();
    await there.send(GET);
    await settle();
    await first.send(ok('first'));
    await here.expectReply({ body: 'first' });
    await first.expectClosed();
    const second = await upstream.accept();
    await second.expectRequest();
    await second.send(ok('second'));
    await there.expectReply({ body: 'second' });
  });
});

test('a worker without a connection goes before those who wait where the connection is', async () => {
  await twoWorkers(1, async ({ factories: [one, two], upstream }) => {
    const order: string[] = [];
    const ask = async (factory: ClientFactory, target: string) => {
      const client = await factory.connect();
      await client.send(GET.replace('/x', target));
      await settle();
      return client.expectReply({ status: 200 });
    };
    const here = [ask(one as ClientFactory, '/first')];
    const first = await upstream.accept();
    await first.expectRequest();
    for (let count = 0; count < 3; count++) here.push(ask(one as ClientFactory, '/here'));
    await settle();
    const there = ask(two as ClientFactory, '/there');
    await settle(200);
    upstream.answerAll(({ target }) => {
      order.push(target);
      return ok(target);
    });
    await first.send(ok('first'));
    await Promise.all([...here, there]);
    assert.equal(order[0], '/there', order.join(' '));
  });
});

for (const limit of [1, 2, 3]) {
  test(`neither of two busy workers starves at a limit of ${limit}, and there are never more connections`, async () => {
    await twoWorkers(limit, async ({ factories, upstream }) => {
      let most = 0;
      upstream.answerAll(async () => {
        most = Math.max(most, upstream.openCount);
        await settle(1);
        return ok('yes');
      });
      const clients = await Promise.all(
        factories.flatMap((factory) => Array.from({ length: 5 }, () => factory.connect())),
      );
      await Promise.all(
        clients.map(async (client) => {
          for (let turn = 0; turn < 20; turn++) {
            await client.send(GET);
            await client.expectReply({ status: 200, body: 'yes' });
          }
        }),
      );
      assert.ok(most <= limit, `${most} connections`);
    });
  });
}

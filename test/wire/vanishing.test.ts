import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/guard.ts';
import { listenUnresponsive } from '../support/unresponsive-upstream.ts';
import { ok } from '../support/upstream.ts';
import { runWire, type WireContext, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
/** One socket only: whoever vanishes and keeps it blocks everybody after him. */
const oneSocket = { upstream: { max_connections: 1 }, routes: [{ retries: 0 }] };

async function expectNoExchange({ gateway }: WireContext): Promise<void> {
  const { plane } = gateway;
  await eventually(
    'the exchange to end',
    () => plane.activeExchanges === 0,
    () => `${plane.activeExchanges} are active`,
  );
}

/** The next client is served, so no count and no socket was kept. */
async function expectServed({ client, upstream, clock }: WireContext): Promise<void> {
  upstream.answerAll(() => ok('served'));
  const next = await client.connect();
  await next.send(GET);
  await clock.advanceUntil(next.expectReply({ status: 200, body: 'served' }));
}

wire('a client that vanishes before its first byte leaves nothing', oneSocket, async (context) => {
  const { client, upstream } = context;
  client.reset();
  await expectNoExchange(context);
  upstream.expectNoConnection();
});

wire('a client that vanishes in its head leaves nothing', oneSocket, async (context) => {
  const { client, upstream } = context;
  await client.send('GET /x HTTP/1.1\r\nHost: a.ex');
  client.reset();
  await expectNoExchange(context);
  upstream.expectNoConnection();
});

wire('a client that vanishes in its request body takes the upstream request with it', oneSocket, async (context) => {
  const { client, upstream } = context;
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n');
  const connection = await upstream.accept();
  await connection.expectHead();
  client.reset();
  await connection.expectAborted();
  await expectNoExchange(context);
  await expectServed(context);
});

wire(
  'a client that vanishes while it waits cancels the upstream work, and nothing is tried again',
  oneSocket,
  async (context) => {
    const { client, upstream } = context;
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    client.reset();
    await connection.expectClosed();
    await expectNoExchange(context);
    assert.equal(upstream.connectionCount, 1);
    await expectServed(context);
  },
);

wire('a client that vanishes in its reply cancels the rest of it', oneSocket, async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabcd');
  await client.expectReplyHead();
  client.reset();
  await connection.expectClosed();
  await expectNoExchange(context);
  await expectServed(context);
});

wire('a client that vanishes with a stalled reply before it cancels the rest of it', oneSocket, async (context) => {
  const { client, upstream } = context;
  client.pause();
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
  await connection.sendUntilStalled(Buffer.alloc(65_536), 1_000_000_000);
  client.reset();
  await expectNoExchange(context);
  await expectServed(context);
});

wire('a client that vanishes with pipelined requests leaves nothing of them', oneSocket, async (context) => {
  const { client, upstream } = context;
  await client.send(GET.repeat(10));
  const connection = await upstream.accept();
  await connection.expectHead();
  client.reset();
  await connection.expectClosed();
  await expectNoExchange(context);
  assert.equal(upstream.connectionCount, 1);
  await expectServed(context);
});

wire('a client that vanishes between two requests leaves the upstream connection for others', async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(() => ok('yes'));
  await client.send(GET);
  await client.expectStatus(200);
  client.reset();
  await expectNoExchange(context);
  await expectServed({ ...context, client: await client.connect() });
  upstream.expectConnections(1);
});

test('a client that vanishes during the connect leaves nothing', async () => {
  const unresponsive = await listenUnresponsive();
  try {
    await runWire({ upstreams: 0, otherPorts: [unresponsive.port] }, async (context) => {
      const { client, gateway } = context;
      await client.send(GET);
      await eventually(
        'the exchange to begin',
        () => gateway.plane.activeExchanges === 1,
        () => '',
      );
      client.reset();
      await expectNoExchange(context);
    });
  } finally {
    await unresponsive.close();
  }
});

wire('a hundred clients that vanish at every stage leave nothing', async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(({ target }) =>
    target === '/hang' ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd' : ok('yes'),
  );
  const parts = ['', 'GET /ha', 'GET /hang HTTP/1.1\r\nHost: a.example\r\n\r\n', `${GET}GET /hang HT`];
  const clients = await Promise.all(Array.from({ length: 100 }, () => client.connect()));
  for (const [index, each] of clients.entries()) {
    await each.send(parts[index % parts.length] ?? '');
    each.reset();
  }
  await expectNoExchange(context);
  await expectServed(context);
});

wire('a client that has said all and closes its side still gets its reply', async ({ client, upstream }) => {
  await client.send(GET);
  client.end();
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.expectSilence();
  await connection.send(ok('yes'));
  await client.expectReply({ status: 200, body: 'yes' });
  assert.equal(await client.expectClosed(), 'end');
});

wire('a client that closes its side gets also what it had pipelined', async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  await client.send(GET + GET.replace('/x', '/y'));
  client.end();
  await client.expectReply({ body: '/x' });
  await client.expectReply({ body: '/y' });
  await client.expectClosed();
});

wire('a client that closes its side between two requests is let go', async ({ client, upstream }) => {
  upstream.answerAll(() => ok('yes'));
  await client.send(GET);
  await client.expectStatus(200);
  client.end();
  assert.equal(await client.expectClosed(), 'end');
});

wire('a client that closes its side without a word is let go', async ({ client, upstream }) => {
  client.end();
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('a client that closes its side in its head is let go', async ({ client, upstream }) => {
  await client.send('GET /x HTTP/1.1\r\nHost: a.ex');
  client.end();
  const last = (await client.expectClosedAfter()).toString('latin1');
  assert.match(last, /^(HTTP\/1\.1 400 .*)?$/s);
  upstream.expectNoConnection();
});

wire('an upstream that closes its side after a complete reply is no failure', async ({ client, upstream }) => {
  for (let round = 0; round < 3; round++) {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(ok('yes'));
    connection.end();
    await client.expectReply({ status: 200, body: 'yes' });
    await connection.expectClosed();
  }
});

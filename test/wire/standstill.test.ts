import assert from 'node:assert/strict';
import { settle } from '../support/guard.ts';
import { ok } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

/** The whole process stood still, in a middleware or because the machine did: bytes have come meanwhile, and have not been read. */

const LONGER_THAN_ALL_TIMEOUTS_MS = 120_000;

const GET = 'GET /orders HTTP/1.1\r\nHost: orders.example\r\n\r\n';
const POST = 'POST /orders HTTP/1.1\r\nHost: orders.example\r\nContent-Length: 11\r\n\r\n';

/** What the gateway sees when it goes on: its clock is ahead, and its timers run before its sockets. */
async function standStill({ clock, gateway }: WireContext): Promise<void> {
  clock.jump(LONGER_THAN_ALL_TIMEOUTS_MS);
  gateway.plane.tick();
  await settle();
}

wire('a reply that came while the gateway stood still is not late', async (context) => {
  const { client, upstream, gateway, clock } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await clock.advance(100);
  void connection.send(ok('orders'));
  await standStill(context);
  await client.expectReply({ status: 200, body: 'orders' });
  assert.ok(!gateway.logLines.join('\n').includes('breaker'));
});

wire('a request body that came while the gateway stood still is not late', async (context) => {
  const { client, upstream, clock } = context;
  await client.send(`${POST}orders`);
  const connection = await upstream.accept();
  await connection.expectHead();
  await clock.advance(100);
  void client.send(' here');
  await standStill(context);
  await connection.send(ok('thanks'));
  await client.expectReply({ status: 200, body: 'thanks' });
});

wire('a request head that was completed while the gateway stood still is not late', async (context) => {
  const { client, upstream, clock } = context;
  await client.send(GET.slice(0, 20));
  await clock.advance(100);
  void client.send(GET.slice(20));
  await standStill(context);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('orders'));
  await client.expectReply({ status: 200, body: 'orders' });
});

wire(
  'a request that waits gets the connection that came free while the gateway stood still',
  { upstream: { max_connections: 1 }, backend: { queue: { size: 8, timeout: '1s' } } },
  async (context) => {
    const { client, upstream, clock } = context;
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectRequest();
    const other = await client.connect();
    await other.send(GET);
    await clock.advance(100);
    void connection.send(ok('first'));
    await standStill(context);
    await client.expectReply({ status: 200, body: 'first' });
    await connection.expectRequest();
    await connection.send(ok('second'));
    await other.expectReply({ status: 200, body: 'second' });
  },
);

wire(
  'a deadline that passed while the gateway stood still is not held against an upstream that got the request behind that',
  {
    routes: [{ timeout: '4s', retries: 0 }],
    backend: { circuit_breaker: { failure_threshold: 1, open_timeout: '600s' } },
  },
  async (context) => {
    const { client, upstream, gateway, clock } = context;
    await client.send(`${POST}orders`);
    const connection = await upstream.accept();
    await connection.expectHead();
    await clock.advance(100);
    clock.jump(LONGER_THAN_ALL_TIMEOUTS_MS);
    await client.send(' here');
    await connection.expectText('orders here');
    gateway.plane.tick();
    await client.expectReply({ status: 504, body: /deadline_exceeded/ });
    assert.ok(!gateway.logLines.join('\n').includes('breaker'));
  },
);

wire('what did not come while the gateway stood still is late', { routes: [{ retries: 0 }] }, async (context) => {
  const { client, upstream, clock } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await clock.advance(100);
  await standStill(context);
  await client.expectReply({ status: 504, body: /upstream_timeout/ });
});

import assert from 'node:assert/strict';
import { eventually } from '../support/guard.ts';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const GET = 'GET /a/x HTTP/1.1\r\nHost: a\r\n\r\n';

wire('an upstream that stays keeps its connections, on the same connection of the client', async (context) => {
  const { client, upstream, gateway } = context;
  const [{ port }] = context.upstreams as [typeof upstream];
  upstream.answerAll(({ target }) => ok(target));
  await client.send(GET);
  await client.expectReply({ body: '/a/x' });
  gateway.prepare({ upstreamPorts: [port], routes: [{ strip_prefix: '/a' }] });
  await client.send(GET);
  await client.expectReply({ body: '/a/x' });
  gateway.plane.commit();
  await client.send(GET);
  await client.expectReply({ body: '/x' });
  assert.equal(upstream.connectionCount, 1);
});

wire('an upstream that has changed gets new connections; the old ones end with their requests', async (context) => {
  const { client, upstream, gateway } = context;
  await client.send(GET);
  const old = await upstream.accept();
  await old.expectRequest();
  const idle = await client.connect();
  await idle.send(GET);
  const other = await upstream.accept();
  await other.expectRequest();
  await other.send(ok('idle now'));
  await idle.expectReply({ body: 'idle now' });
  gateway.prepare({ upstreamPorts: [upstream.port], upstream: { read_timeout: '7s' } });
  gateway.plane.commit();
  await other.expectClosed();
  await idle.send(GET);
  const fresh = await upstream.accept();
  await fresh.expectRequest();
  await old.send(ok('as it began'));
  await client.expectReply({ body: 'as it began' });
  await old.expectClosed();
  await fresh.send(ok('new'));
  await idle.expectReply({ body: 'new' });
});

wire(
  'a connection of the configuration before makes room for those who wait in the new one when it closes',
  async (context) => {
    const { client, upstream, gateway } = context;
    await client.send(GET);
    const old = await upstream.accept();
    await old.expectRequest();
    gateway.prepare({ upstreamPorts: [upstream.port], upstream: { max_connections: 1 } });
    gateway.plane.commit();
    const waiting = await client.connect();
    await waiting.send(GET);
    await eventually(
      'the request to wait',
      () => gateway.inFlight().at(-1) === 1,
      () => `${gateway.inFlight()}`,
    );
    await old.send(ok('as it began'));
    await client.expectReply({ body: 'as it began' });
    // No time passes: who waits would look by itself sooner or later.
    const fresh = await upstream.accept();
    await fresh.expectRequest();
    await fresh.send(ok('new'));
    await waiting.expectReply({ body: 'new' });
  },
);

wire('what was prepared and given up changes nothing', async ({ client, upstream, gateway }) => {
  upstream.answerAll(() => ok('here'));
  gateway.prepare({ upstreamPorts: [upstream.port], routes: [{ path: '/elsewhere' }] });
  gateway.plane.discard();
  await client.send(GET);
  await client.expectStatus(200);
  assert.throws(() => gateway.plane.commit(), { message: /nothing to commit/ });
});

wire('new limits count from the next request on, on connections that are open too', async (context) => {
  const { client, upstream, gateway } = context;
  upstream.answerAll(() => ok('here'));
  await client.send(GET);
  await client.expectStatus(200);
  gateway.prepare({ upstreamPorts: [upstream.port], server: { max_headers: 3, trusted_proxies: ['127.0.0.1'] } });
  gateway.plane.commit();
  await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n\r\n');
  await client.expectStatus(431);
  const other = await client.connect();
  await other.send('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n');
  await other.expectStatus(200);
});

wire('whom the gateway trusts is settled anew, on a connection that is open too', async (context) => {
  const { client, upstream, gateway } = context;
  upstream.answerAll(({ fields }) => ok(fields.get('x-forwarded-for') ?? ''));
  const forwarded = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n';
  const ask = async (body: string) => {
    await client.send(forwarded);
    await client.expectReply({ status: 200, body });
  };
  await ask('127.0.0.1');
  gateway.prepare({ upstreamPorts: [upstream.port], server: { trusted_proxies: ['127.0.0.1'] } });
  gateway.plane.commit();
  await ask('192.0.2.1, 127.0.0.1');
  gateway.prepare({ upstreamPorts: [upstream.port] });
  gateway.plane.commit();
  await ask('127.0.0.1');
});

import assert from 'node:assert/strict';
import { ClientFactory } from '../support/client.ts';
import { settle } from '../support/guard.ts';
import { ok, type UpstreamConnection } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

const CLOSE = 'Connection: close\r\n';
const GET = 'GET /orders HTTP/1.1\r\nHost: orders.example\r\n\r\n';

/** Replies in one write with bytes behind their end: a persistent one and one that closes its connection. */
for (const { why, method = 'GET', status = 200, before, reply, body = 'hello' } of [
  { why: 'of a known length', before: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', reply: 'hello' },
  {
    why: 'in chunks',
    before: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n',
    reply: '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
  },
  {
    why: 'in chunks with trailers',
    before: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n',
    reply: '5\r\nhello\r\n0\r\nX-End: yes\r\n\r\n',
  },
  { why: 'of HTTP/1.0', before: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n', reply: 'hello' },
  { why: 'that is empty', before: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n', reply: '', body: '' },
  { why: 'to HEAD', method: 'HEAD', before: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', reply: '', body: '' },
  { why: 'without content', status: 204, before: 'HTTP/1.1 204 No Content\r\n', reply: '', body: '' },
  { why: 'that is not modified', status: 304, before: 'HTTP/1.1 304 Not Modified\r\n', reply: '', body: '' },
] as const) {
  for (const connection of ['', CLOSE]) {
    for (const surplus of ['\n', '\r\n', 'hello', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad']) {
      const closing = connection === '' ? '' : ' and closes its connection';
      wire(
        `a reply ${why}${closing} passes without the ${JSON.stringify(surplus)} behind it, and the client goes on`,
        async ({ client, upstream }) => {
          await client.send(`${method} /orders HTTP/1.1\r\nHost: orders.example\r\n\r\n`);
          const first = await upstream.accept();
          await first.expectRequest();
          await first.send(`${before}${connection}\r\n${reply}${surplus}`);
          await client.expectReply({ status, body, toHead: method === 'HEAD' });
          await first.expectClosed();
          await client.send(GET);
          const second = await upstream.accept();
          await second.expectRequest({ method: 'GET' });
          await second.send(ok('mine'));
          await client.expectReply({ status: 200, body: 'mine' });
        },
      );
    }
  }
}

const REPLY = ok('orders');

/** Sends a GET and answers it on a connection that is new. */
async function exchangeOnNewConnection({ client, upstream }: WireContext): Promise<UpstreamConnection> {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(REPLY);
  await client.expectReply({ status: 200, body: 'orders' });
  await settle();
  return connection;
}

const warnings = ({ gateway }: WireContext) =>
  gateway.logLines.filter((line) => line.includes('upstream-unsolicited-bytes'));

for (const unsolicited of ['\n', '\r\n', 'orders', REPLY, 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n']) {
  wire(
    `after ${JSON.stringify(unsolicited)} on an idle connection no connection of the upstream is used again for 60 seconds, which is logged once`,
    async (context) => {
      const { client, clock } = context;
      const first = await exchangeOnNewConnection(context);
      await first.send(unsolicited);
      await first.expectClosed();
      assert.equal(warnings(context).length, 1);
      for (let time = 0; time < 2; time++) {
        const connection = await exchangeOnNewConnection(context);
        await connection.expectClosed();
        await clock.advance(29_000);
      }
      await clock.advance(3_000);
      const connection = await exchangeOnNewConnection(context);
      await client.send(GET);
      await connection.expectRequest();
      await connection.send(REPLY);
      await client.expectReply({ status: 200, body: 'orders' });
      assert.equal(warnings(context).length, 1);
    },
  );
}

wire('what is in use when unsolicited bytes come elsewhere serves no second request either', async (context) => {
  const { client, upstream } = context;
  const first = await exchangeOnNewConnection(context);
  const other = await client.connect();
  await client.send(GET);
  await first.expectRequest();
  await other.send(GET);
  const second = await upstream.accept();
  await second.expectRequest();
  await first.send(`${REPLY}${REPLY}`);
  await client.expectReply({ body: 'orders' });
  await second.send(REPLY);
  await other.expectReply({ body: 'orders' });
  await second.expectClosed();
  const third = await exchangeOnNewConnection(context);
  await third.expectClosed();
});

wire(
  'every worker stops to use the connections again of an upstream that has sent unsolicited bytes to one of them',
  { workers: 2 },
  async (context) => {
    const { upstream, gateway } = context;
    const first = await exchangeOnNewConnection(context);
    const sibling = await gateway.beside(1);
    const there = await new ClientFactory(sibling.port, sibling.scheme === 'https', '').connect();
    await there.send(GET);
    const second = await upstream.accept();
    await second.expectRequest();
    await second.send(REPLY);
    await there.expectReply({ body: 'orders' });
    await first.send('\r\n');
    await first.expectClosed();
    await there.send(GET);
    const third = await upstream.accept();
    await third.expectRequest({ headers: { connection: 'close' } });
    await third.send(REPLY);
    await there.expectReply({ body: 'orders' });
    await second.expectClosed();
    await there.dispose();
    sibling.plane.close();
  },
);

for (const reply of [
  'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n',
  'HTTP/1.0 408 Request Time-out\r\n\r\n',
]) {
  wire(`${reply.slice(0, 12)} before an idle connection ends is no offence`, async (context) => {
    const first = await exchangeOnNewConnection(context);
    await first.send(reply);
    first.end();
    await first.expectClosed();
    const second = await exchangeOnNewConnection(context);
    await context.client.send(GET);
    await second.expectRequest();
    await second.send(REPLY);
    await context.client.expectReply({ body: 'orders' });
    assert.deepEqual(warnings(context), []);
  });
}

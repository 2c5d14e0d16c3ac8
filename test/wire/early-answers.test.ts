import assert from 'node:assert/strict';
import type { WireClient } from '../support/client.ts';
import { chunked } from '../support/message.ts';
import { ok, type UpstreamConnection } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

/**
 * An upstream that answers before it has read the request, and closes: the client is still sending, and what the gateway passes on
 * of that meets a connection that is gone. What the upstream said before must not go with it.
 */

const CHUNKS = 'HTTP/1.1 413 Content Too Large\r\nTransfer-Encoding: chunked\r\n\r\n';
const once = { routes: [{ retries: 0 }] };

const refusal = (body: string) => ok(body, 'X-Early: yes').replace('200 OK', '413 Content Too Large');

/** A client in the middle of its upload, of which the upstream has a part. */
async function beginUpload({ client, upstream }: WireContext): Promise<UpstreamConnection> {
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nabcd');
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.expectText('abcd');
  return connection;
}

/**
 * Everything in one turn of the loop, the client first: the gateway takes its bytes and passes them on before it looks at what
 * the upstream has sent.
 */
function answerAsTheClientSends({ client }: WireContext, connection: UpstreamConnection, reply: string): void {
  void client.send('e'.repeat(20_000));
  void connection.send(reply);
}

/** The final reply, whole, and then the close: the rest of the body would be taken for a request. */
async function expectRefusal(client: WireClient, body: string): Promise<void> {
  let reply = await client.expectReply();
  if (reply.status === 103) reply = await client.expectReply();
  assert.equal(reply.status, 413);
  assert.equal(reply.body, body);
  assert.equal(reply.fields.get('connection'), 'close');
  await client.expectClosed();
}

async function expectNextOnFresh({ client, upstream }: WireContext): Promise<void> {
  const other = await client.connect();
  upstream.answerAll(() => ok('next'));
  await other.send('GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await other.expectReply({ status: 200, body: 'next' });
  upstream.expectConnections(2);
}

const WHOLE = [
  { why: 'a length', reply: refusal('too much'), body: 'too much' },
  { why: 'no body', reply: refusal(''), body: '' },
  { why: 'chunks', reply: `${CHUNKS}${chunked(['too', ' much'])}`, body: 'too much' },
  {
    why: 'keep-alive promised',
    reply: refusal('no').replace('X-Early', 'Connection: keep-alive\r\nX-Early'),
    body: 'no',
  },
  { why: 'an interim reply before it', reply: `HTTP/1.1 103 Early Hints\r\n\r\n${refusal('no')}`, body: 'no' },
  { why: 'more than one read takes', reply: refusal('n'.repeat(100_000)), body: 'n'.repeat(100_000) },
];

for (const { why, reply, body } of WHOLE) {
  wire(`an early answer is not lost to the reset behind it: ${why}`, once, async (context) => {
    const { client } = context;
    const connection = await beginUpload(context);
    answerAsTheClientSends(context, connection, reply);
    connection.reset();
    await expectRefusal(client, body);
    await expectNextOnFresh(context);
  });

  wire(`an early answer is not lost to the close behind it: ${why}`, once, async (context) => {
    const { client } = context;
    const connection = await beginUpload(context);
    answerAsTheClientSends(context, connection, reply);
    connection.end();
    await expectRefusal(client, body);
    await expectNextOnFresh(context);
  });
}

const CUT = [
  { why: 'a length not reached', reply: refusal('abcd').replace('Content-Length: 4', 'Content-Length: 9') },
  { why: 'chunks without the last one', reply: `${CHUNKS}4\r\nabcd\r\n` },
  { why: 'a body until close, which a reset does not end', reply: 'HTTP/1.1 413 Content Too Large\r\n\r\nabcd' },
];

for (const { why, reply } of CUT) {
  wire(`an early answer that the reset cuts off does not look complete: ${why}`, once, async (context) => {
    const { client } = context;
    const connection = await beginUpload(context);
    answerAsTheClientSends(context, connection, reply);
    connection.reset();
    await client.expectTruncatedReply(413);
    await expectNextOnFresh(context);
  });
}

wire('an early answer until close, ended with a FIN, is whole', once, async (context) => {
  const connection = await beginUpload(context);
  answerAsTheClientSends(context, connection, 'HTTP/1.1 413 Content Too Large\r\n\r\nabcd');
  connection.end();
  await context.client.expectReply({ status: 413, body: 'abcd' });
  await context.client.expectClosed();
  await expectNextOnFresh(context);
});

wire('no answer, or half of its head, before the reset is 502', once, async (context) => {
  for (const [round, part] of ['', 'HTTP/1.1 413 Content Too'].entries()) {
    const client = round === 0 ? context.client : await context.client.connect();
    const scene = { ...context, client };
    const connection = await beginUpload(scene);
    answerAsTheClientSends(scene, connection, part);
    connection.reset();
    await client.expectStatus(502);
    await client.expectClosed();
  }
});

wire('a client that never stops its upload gets the early answer all the same', once, async (context) => {
  const { client, upstream } = context;
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectHead();
  connection.pause();
  const chunk = Buffer.from(`10000\r\n${'e'.repeat(0x10000)}\r\n`);
  const sending = client.sendUntilStalled(chunk, 64 * 1024 * 1024);
  await client.inbox.until('nothing yet', () => (upstream.connectionCount === 1 ? true : undefined));
  await connection.send(refusal('too much'));
  connection.reset();
  await client.expectReply({ status: 413, body: 'too much' });
  await client.expectClosedAfter();
  await sending;
});

wire(
  'the last bytes of a request that meet a reset do not put the connection back in the pool',
  once,
  async (context) => {
    const { client, upstream } = context;
    await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 8\r\n\r\nabcd');
    const connection = await upstream.accept();
    await connection.expectHead();
    void client.send('efgh');
    void connection.send(refusal('no'));
    connection.reset();
    await client.expectReply({ status: 413, body: 'no' });
    upstream.answerAll(() => ok('next'));
    const other = await client.connect();
    await other.send('POST /next HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n');
    await other.expectReply({ status: 200, body: 'next' });
    upstream.expectConnections(2);
  },
);

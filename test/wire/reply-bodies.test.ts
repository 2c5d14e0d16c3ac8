import assert from 'node:assert/strict';
import { chunked } from '../support/message.ts';
import { ok, type UpstreamConnection } from '../support/upstream.ts';
import { type WireOptions, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const GET_1_0 = 'GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n';
const everyByte = Buffer.from(Array.from({ length: 256 }, (_none, value) => value)).toString('latin1');
const CHUNKED_HEAD = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

const REPLIES = [
  { why: 'a length', sent: ok('abcd'), seen: { framing: 'length', body: 'abcd' } },
  { why: 'a length of zero', sent: ok(''), seen: { framing: 'length', body: '' } },
  { why: 'every byte there is', sent: ok(everyByte), seen: { framing: 'length', body: everyByte } },
  { why: 'one chunk', sent: `${CHUNKED_HEAD}${chunked(['abcd'])}`, seen: { framing: 'chunked', body: 'abcd' } },
  {
    why: 'several chunks',
    sent: `${CHUNKED_HEAD}${chunked(['a', 'bc', everyByte])}`,
    seen: { framing: 'chunked', body: `abc${everyByte}` },
  },
  { why: 'no chunk but the last', sent: `${CHUNKED_HEAD}0\r\n\r\n`, seen: { framing: 'chunked', body: '' } },
  {
    why: 'chunk extensions, which are for one hop only',
    sent: `${CHUNKED_HEAD}4;a=b;c="d;e"\r\nabcd\r\n0;last\r\n\r\n`,
    seen: { framing: 'chunked', body: 'abcd' },
  },
  { why: 'an empty reason', sent: 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', seen: { framing: 'length', body: '' } },
  {
    why: 'HTTP/1.0 and a length',
    sent: 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nabcd',
    seen: { framing: 'length', body: 'abcd' },
  },
  { why: '404', sent: ok('no').replace('200 OK', '404 Not Found'), seen: { framing: 'length', body: 'no' } },
  { why: '500', sent: ok('no').replace('200 OK', '500 Oh No'), seen: { framing: 'length', body: 'no' } },
  {
    why: 'a status that nobody knows',
    sent: ok('hm').replace('200 OK', '299 Hm'),
    seen: { framing: 'length', body: 'hm' },
  },
] as const;

for (const { why, sent, seen } of REPLIES) {
  const status = Number(sent.slice(9, 12));

  wire(`a reply with ${why} reaches the client with one framing and the same bytes`, async ({ client, upstream }) => {
    upstream.answerAll(() => sent);
    for (let round = 0; round < 2; round++) {
      await client.send(GET);
      await client.expectReply({ ...seen, status });
    }
  });

  wire(`a reply with ${why} may come byte by byte`, async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    const sending = connection.sendBytewise(sent);
    await client.expectReply({ ...seen, status });
    await sending;
    await client.expectSilence();
  });

  wire(`a reply with ${why} reaches an HTTP/1.0 client, and the connection is closed`, async ({ client, upstream }) => {
    upstream.answerAll(() => sent);
    await client.send(GET_1_0);
    const framing = seen.framing === 'chunked' ? 'close' : 'length';
    await client.expectReply({ body: seen.body, framing, status });
    await client.expectClosed();
  });
}

async function replyUntilClose(connection: UpstreamConnection, head: string): Promise<void> {
  await connection.expectHead();
  await connection.send(`${head}\r\n\r\nabcd`);
  await connection.send('efgh');
  connection.end();
}

for (const head of ['HTTP/1.1 200 OK', 'HTTP/1.0 200 OK', 'HTTP/1.1 200 OK\r\nConnection: close']) {
  const named = head.replace('\r\n', ', ');

  wire(
    `a reply until close (${named}) is re-framed in chunks, and the client connection stays`,
    async ({ client, upstream }) => {
      for (let round = 0; round < 2; round++) {
        await client.send(GET);
        await replyUntilClose(await upstream.accept(), head);
        await client.expectReply({ status: 200, framing: 'chunked', body: 'abcdefgh' });
      }
    },
  );

  wire(`a reply until close (${named}) to an HTTP/1.0 client lasts until close`, async ({ client, upstream }) => {
    await client.send(GET_1_0.replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n'));
    await replyUntilClose(await upstream.accept(), head);
    await client.expectReply({ status: 200, framing: 'close', body: 'abcdefgh' });
    await client.expectClosed();
  });
}

const WITHOUT_BODY = [
  { why: 'HEAD with a length', to: 'HEAD', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', length: '4' },
  { why: 'HEAD with chunks', to: 'HEAD', sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', length: null },
  { why: 'HEAD without framing', to: 'HEAD', sent: 'HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n', length: null },
  { why: '204', to: 'GET', sent: 'HTTP/1.1 204 No Content\r\n\r\n', length: null },
  {
    why: '304 with the length of the representation',
    to: 'GET',
    sent: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n',
    length: '4',
  },
  { why: '304 without a length', to: 'GET', sent: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', length: null },
] as const;

for (const { why, to, sent, length } of WITHOUT_BODY) {
  wire(`a reply that has no body does not get one, and both connections stay: ${why}`, async ({ client, upstream }) => {
    upstream.answerAll(() => sent);
    for (let round = 0; round < 3; round++) {
      await client.send(GET.replace('GET', to));
      await client.expectReply({ toHead: to === 'HEAD', headers: { 'content-length': length } });
      await client.expectSilence();
    }
    upstream.expectConnections(1);
  });
}

wire('204 with a length loses the length: there is nothing to measure', async ({ client, upstream }) => {
  upstream.answerAll(() => 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n');
  await client.send(GET);
  await client.expectReply({ status: 204, headers: { 'content-length': null, 'transfer-encoding': null } });
  await client.send(GET);
  await client.expectStatus(204);
});

wire('trailers of a reply pass', async ({ client, upstream }) => {
  const trailers = ['X-Checksum: abc', 'X-Note: d'];
  upstream.answerAll(() => {
    const head = 'HTTP/1.1 200 OK\r\nTrailer: X-Checksum\r\nTransfer-Encoding: chunked\r\n\r\n';
    return `${head}${chunked(['abcd'], trailers)}`;
  });
  await client.send('GET /x HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE\r\n\r\n');
  await client.expectReply({
    status: 200,
    body: 'abcd',
    trailers: { 'x-checksum': 'abc', 'x-note': 'd' },
  });
});

wire('trailers do not reach an HTTP/1.0 client as body', async ({ client, upstream }) => {
  upstream.answerAll(() => `${CHUNKED_HEAD}${chunked(['abcd'], ['X-Checksum: abc'])}`);
  await client.send(GET_1_0);
  await client.expectReply({ status: 200, framing: 'close', body: 'abcd' });
});

const streamHeads: { why: string; head: string; wrap: (part: string) => string; options?: WireOptions }[] = [
  { why: 'length', head: 'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n', wrap: (part) => part },
  { why: 'chunks', head: CHUNKED_HEAD, wrap: (part) => `4\r\n${part}\r\n` },
];

for (const { why, head, wrap } of streamHeads) {
  wire(`a reply streams: head and parts reach the client as they come (${why})`, async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(head);
    assert.equal((await client.expectReplyHead()).status, 200);
    for (const part of ['one.', 'two.', 'end.']) {
      await connection.send(wrap(part));
      await client.expectText(wrap(part));
    }
    if (why === 'chunks') {
      await connection.send('0\r\n\r\n');
      await client.expectText('0\r\n\r\n');
    }
    await client.expectSilence();
  });
}

wire('a reply until close streams too', async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\n\r\n');
  await client.expectReplyHead();
  for (const part of ['one.', 'two.', 'end.']) {
    await connection.send(part);
    await client.expectText(`4\r\n${part}\r\n`);
  }
  connection.end();
  await client.expectText('0\r\n\r\n');
});

wire('a large reply head passes whole and in order', async ({ client, upstream }) => {
  const cookies = Array.from({ length: 40 }, (_none, index) => `Set-Cookie: c${index}=${'v'.repeat(300)}`);
  upstream.answerAll(() => ok('yes', ...cookies));
  await client.send(GET);
  const { fields } = await client.expectReply({ status: 200, body: 'yes' });
  assert.deepEqual(
    fields.all('set-cookie').map((value) => `Set-Cookie: ${value}`),
    cookies,
  );
});

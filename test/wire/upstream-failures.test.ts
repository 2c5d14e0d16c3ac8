import assert from 'node:assert/strict';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const once = { routes: [{ retries: 0 }] };

wire('502: nobody listens, and the client connection stays', once, async ({ client, upstream }) => {
  await upstream.refuse();
  for (let round = 0; round < 2; round++) {
    await client.send(GET);
    const { body } = await client.expectReply({ status: 502, headers: { 'content-type': 'application/problem+json' } });
    assert.doesNotMatch(body, /127\.0\.0\.1/, 'the reply names an internal address');
    assert.ok(!body.includes(String(upstream.port)), 'the reply names an internal port');
  }
});

wire('502: the upstream resets instead of answering', once, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  connection.reset();
  await client.expectStatus(502);
  upstream.answerAll(() => ok('yes'));
  await client.send(GET);
  await client.expectReply({ status: 200, body: 'yes' });
});

wire('502: the upstream closes instead of answering', once, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  connection.end();
  await client.expectStatus(502);
  await connection.expectClosed();
});

for (const ending of ['end', 'reset'] as const) {
  wire(
    `502: the upstream accepts and goes at once, at every request (${ending})`,
    once,
    async ({ client, upstream }) => {
      for (let round = 0; round < 3; round++) {
        const sending = client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd`);
        const connection = await upstream.accept();
        connection[ending]();
        await sending;
        await client.expectStatus(502);
        await connection.expectClosedAfter();
      }
      upstream.expectConnections(3);
    },
  );
}

wire('502: a banner before the request was even read is no reply', once, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.send('220 mail.example ESMTP\r\n\r\n');
  await client.expectStatus(502);
  await connection.expectClosedAfter();
});

wire('502: the upstream closes in the middle of its head', once, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A');
  connection.end();
  await client.expectStatus(502);
  await connection.expectClosed();
});

/** Heads that are no reply, or that two readers could read in two ways: never passed on, not even in part. */
const NONSENSE = [
  { why: 'no HTTP at all', sent: 'hello\r\n\r\n' },
  { why: 'a banner of another protocol', sent: 'SSH-2.0-OpenSSH_9.2p1\r\n\r\n' },
  { why: 'binary bytes', sent: '\x00\x01\x02\x03\xff\xfe\r\n\r\n' },
  { why: 'another major version', sent: 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n' },
  { why: 'no status', sent: 'HTTP/1.1\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a status of two digits', sent: 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a status of four digits', sent: 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a status below 100', sent: 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a status with a sign', sent: 'HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n' },
  { why: '101 that nobody asked for', sent: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n' },
  { why: 'a bare LF after the status line', sent: 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n' },
  { why: 'a bare LF in a field line', sent: 'HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 0\r\n\r\n' },
  { why: 'a bare CR in a value', sent: 'HTTP/1.1 200 OK\r\nX-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a bare CR in the reason', sent: 'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a NUL in a value', sent: 'HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a field line without a colon', sent: 'HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a field name that is no token', sent: 'HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a folded field line', sent: 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n' },
  {
    why: 'two framings',
    sent: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n',
  },
  { why: 'two different lengths', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde' },
  { why: 'a list of lengths', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nabcde' },
  { why: 'a length that is no number', sent: 'HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabcd' },
  { why: 'a negative length', sent: 'HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nabcd' },
  { why: 'a length with a sign', sent: 'HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nabcd' },
  { why: 'a length in hexadecimal', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 0x4\r\n\r\nabcd' },
  { why: 'an empty length', sent: 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nabcd' },
  { why: 'a length that no number can hold', sent: `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\nabcd` },
  { why: 'the same length twice', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd' },
  {
    why: 'two framings, the other way round',
    sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n4\r\nabcd\r\n0\r\n\r\n',
  },
  {
    why: 'chunked on two lines',
    sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  },
  { why: 'chunked, but not last', sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n' },
  { why: 'identity as a coding', sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nabcd' },
  { why: 'an empty line before the status line', sent: '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a status line that ends in a bare CR', sent: 'HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n' },
  { why: 'a field without a name', sent: 'HTTP/1.1 200 OK\r\n: 1\r\nContent-Length: 0\r\n\r\n' },
  { why: 'a NUL in the reason', sent: 'HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n' },
  { why: 'its own request sent back', sent: GET },
  { why: 'a TLS alert', sent: '\x15\x03\x01\x00\x02\x02\x46\r\n\r\n' },
  { why: 'a coding that is not known', sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n' },
  { why: 'chunked twice', sent: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n' },
  { why: 'chunked in HTTP/1.0', sent: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n' },
  { why: 'a head without an end', sent: `HTTP/1.1 200 OK\r\n${`X-A: ${'f'.repeat(1000)}\r\n`.repeat(300)}` },
  { why: 'a status line without an end', sent: `HTTP/1.1 200 ${'O'.repeat(300_000)}` },
  { why: 'more fields than anybody has', sent: `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(20_000)}` },
];

for (const { why, sent } of NONSENSE) {
  wire(`502: the upstream answers nonsense: ${why}`, once, async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(sent);
    await client.expectReply({ status: 502, headers: { 'content-type': 'application/problem+json', 'x-a': null } });
    await connection.expectClosedAfter();
    upstream.answerAll(() => ok('yes'));
    await client.send(GET);
    await client.expectReply({ status: 200, body: 'yes' });
    upstream.expectConnections(2);
  });
}

wire('a space before the colon in a reply never reaches the client', once, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  // RFC 9112 5.1: a proxy removes it; refusing the reply is as good.
  await connection.send('HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 0\r\n\r\n');
  const { status } = await client.expectReply();
  assert.ok(status === 200 || status === 502, `status ${status}`);
});

const TRUNCATED = [
  { why: 'a length that is not reached', head: 'Content-Length: 10', sent: 'abcd' },
  { why: 'a chunk that is not complete', head: 'Transfer-Encoding: chunked', sent: 'a\r\nabcd' },
  { why: 'chunks without the last one', head: 'Transfer-Encoding: chunked', sent: '4\r\nabcd\r\n' },
  { why: 'a last chunk without the empty line', head: 'Transfer-Encoding: chunked', sent: '4\r\nabcd\r\n0\r\n' },
];

for (const { why, head, sent } of TRUNCATED) {
  for (const ending of ['end', 'reset'] as const) {
    wire(
      `a reply that ends too early is cut off for the client too: ${why}, then ${ending}`,
      async ({ client, upstream }) => {
        await client.send(GET);
        const connection = await upstream.accept();
        await connection.expectHead();
        await connection.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${sent}`);
        await client.inbox.until('a part of the body', () => client.inbox.bytes.includes('abcd') || undefined);
        connection[ending]();
        await client.expectTruncatedReply(200);
        upstream.expectConnections(1);
      },
    );
  }
}

wire('a reply until close that ends with a reset is cut off for the client too', async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\n\r\nabcd');
  await client.inbox.until('a part of the body', () => client.inbox.bytes.includes('abcd') || undefined);
  connection.reset();
  await client.expectTruncatedReply(200);
});

wire(
  'a truncated reply to a HTTP/1.0 client ends with a reset: there is no other sign',
  async ({ client, upstream }) => {
    await client.send('GET /x HTTP/1.0\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n');
    await client.inbox.until('a part of the body', () => client.inbox.bytes.includes('abcd') || undefined);
    connection.end();
    await client.expectTruncatedReply(200);
  },
);

const BROKEN_CHUNKS = [
  { why: 'a size that is no number', sent: '4\r\nabcd\r\nxyz\r\n' },
  { why: 'a size with a prefix', sent: '4\r\nabcd\r\n0x4\r\nefgh\r\n' },
  { why: 'a negative size', sent: '4\r\nabcd\r\n-4\r\nefgh\r\n' },
  { why: 'an empty size', sent: '4\r\nabcd\r\n\r\n' },
  { why: 'a size larger than any number', sent: '4\r\nabcd\r\nfffffffffffffffff\r\n' },
  { why: 'data longer than its size', sent: '4\r\nabcdefgh\r\n' },
  { why: 'a bare LF after the size', sent: '4\r\nabcd\r\n4\nefgh\r\n' },
  { why: 'a bare LF after the data', sent: '4\r\nabcd\n4\r\nefgh\r\n' },
  { why: 'a size with a sign', sent: '4\r\nabcd\r\n+4\r\nefgh\r\n' },
  { why: 'a size with an underscore', sent: '4\r\nabcd\r\n0_4\r\nefgh\r\n' },
  { why: 'a bare CR in an extension', sent: '4\r\nabcd\r\n4;a\rb\r\nefgh\r\n' },
  { why: 'a bare LF in a trailer', sent: '4\r\nabcd\r\n0\r\nX-A: 1\nX-B: 2\r\n\r\n' },
  { why: 'another reply where trailers are due', sent: `4\r\nabcd\r\n0\r\n${ok('evil')}` },
  { why: 'framing in a trailer', sent: '4\r\nabcd\r\n0\r\nContent-Length: 9\r\n\r\n' },
  { why: 'a trailer without a colon', sent: '4\r\nabcd\r\n0\r\nX-A\r\n\r\n' },
  { why: 'an extension without an end', sent: `4\r\nabcd\r\n4;${'x'.repeat(100_000)}` },
  { why: 'trailers without an end', sent: `4\r\nabcd\r\n0\r\n${'X-A: 1\r\n'.repeat(20_000)}` },
];

for (const { why, sent } of BROKEN_CHUNKS) {
  wire(`a reply with broken chunks is cut off: ${why}`, async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.inbox.until('the head', () => client.inbox.bytes.includes('\r\n\r\n') || undefined);
    await connection.send(sent);
    await client.expectTruncatedReply(200);
    await connection.expectClosedAfter();
    upstream.answerAll(() => ok('good'));
    const other = await client.connect();
    await other.send(GET);
    await other.expectReply({ status: 200, body: 'good' });
    upstream.expectConnections(2);
  });
}

/** Bytes beyond the end of a reply belong to nobody: the next client must not get them. */
const SURPLUS = [
  { why: 'a second reply behind the first', to: 'GET', reply: `${ok('yes')}${ok('evil')}`, body: 'yes' },
  { why: 'a body longer than its length', to: 'GET', reply: `${ok('yes')}evil`, body: 'yes' },
  { why: 'a body to HEAD', to: 'HEAD', reply: ok('evil'), body: '' },
  {
    why: 'a body in chunks to HEAD',
    to: 'HEAD',
    reply: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n`,
    body: '',
  },
  { why: 'a body with a length of 0', to: 'GET', reply: `${ok('')}evil`, body: '' },
  {
    why: 'an interim reply behind the final one',
    to: 'GET',
    reply: `${ok('yes')}HTTP/1.1 103 Early Hints\r\n\r\n`,
    body: 'yes',
  },
  { why: 'a line end behind the reply', to: 'GET', reply: `${ok('yes')}\r\n`, body: 'yes' },
  { why: 'a body with 204', to: 'GET', reply: 'HTTP/1.1 204 No Content\r\n\r\nevil', body: '' },
  { why: 'a body with 304', to: 'GET', reply: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil', body: '' },
  {
    why: 'bytes behind the last chunk',
    to: 'GET',
    reply: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\nevil',
    body: 'yes',
  },
];

for (const { why, to, reply, body } of SURPLUS) {
  wire(`what an upstream sends beyond a reply reaches nobody: ${why}`, async ({ client, upstream }) => {
    await client.send(GET.replace('GET', to));
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(reply);
    await client.expectReply({ body, toHead: to === 'HEAD' });
    await connection.expectClosedAfter();
    await client.expectSilence();
    const other = await client.connect();
    upstream.answerAll(() => ok('good'));
    await other.send(GET);
    await other.expectReply({ status: 200, body: 'good' });
    await client.send(GET);
    await client.expectReply({ status: 200, body: 'good' });
  });
}

wire('a reply that comes on an idle connection before any request reaches nobody', async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('yes'));
  await client.expectReply({ body: 'yes' });
  await connection.send(ok('evil'));
  await connection.expectClosedAfter();
  upstream.answerAll(() => ok('good'));
  const other = await client.connect();
  await other.send(GET);
  await other.expectReply({ body: 'good' });
});

wire('a field of a reply cannot split it, whatever its encoding', async ({ client, upstream }) => {
  upstream.answerAll(() => ok('yes', 'X-A: a%0d%0aSet-Cookie: b=c', 'X-B: \xe5\x98\x8a\xe5\x98\x8dSet-Cookie: b=c'));
  await client.send(GET);
  await client.expectReply({
    status: 200,
    headers: {
      'x-a': 'a%0d%0aSet-Cookie: b=c',
      'x-b': '\xe5\x98\x8a\xe5\x98\x8dSet-Cookie: b=c',
      'set-cookie': null,
    },
  });
});

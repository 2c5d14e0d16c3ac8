import assert from 'node:assert/strict';
import { chunked } from '../support/message.ts';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const CHUNKED_HEAD = 'POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n';

const everyByte = Buffer.from(Array.from({ length: 256 }, (_none, value) => value)).toString('latin1');

const BODIES = [
  {
    why: 'a length',
    sent: 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd',
    seen: { framing: 'length', body: 'abcd' },
  },
  {
    why: 'a length with leading zeros',
    sent: 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0004\r\n\r\nabcd',
    seen: { framing: 'length', body: 'abcd' },
  },
  {
    why: 'every byte there is',
    sent: `POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 256\r\n\r\n${everyByte}`,
    seen: { framing: 'length', body: everyByte },
  },
  {
    why: 'a length of zero',
    sent: 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n',
    seen: { framing: 'length', body: '' },
  },
  {
    why: 'no framing: there is no body',
    sent: 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n',
    seen: { framing: 'none', body: '' },
  },
  {
    why: 'a GET with a body',
    sent: 'GET /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd',
    seen: { framing: 'length', body: 'abcd' },
  },
  {
    why: 'a GET with a body in chunks',
    sent: `${CHUNKED_HEAD.replace('POST', 'GET')}${chunked(['GET / HTTP/1.1\r\n\r\n'])}`,
    seen: { framing: 'chunked', body: 'GET / HTTP/1.1\r\n\r\n' },
  },
  {
    why: 'a DELETE with a body',
    sent: 'DELETE /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd',
    seen: { framing: 'length', body: 'abcd' },
  },
  {
    why: 'a body that holds a request',
    sent: 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    seen: { framing: 'length', body: 'GET / HTTP/1.1\r\n\r\n' },
  },
  { why: 'one chunk', sent: `${CHUNKED_HEAD}${chunked(['abcd'])}`, seen: { framing: 'chunked', body: 'abcd' } },
  {
    why: 'several chunks',
    sent: `${CHUNKED_HEAD}${chunked(['a', 'bc', everyByte])}`,
    seen: { framing: 'chunked', body: `abc${everyByte}` },
  },
  { why: 'no chunk but the last', sent: `${CHUNKED_HEAD}0\r\n\r\n`, seen: { framing: 'chunked', body: '' } },
  {
    why: 'sizes in both cases and with leading zeros',
    sent: `${CHUNKED_HEAD}000A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n`,
    seen: { framing: 'chunked', body: '01234567890123456789a' },
  },
  {
    why: 'extensions, which are for one hop only',
    sent: `${CHUNKED_HEAD}4;a=b;c="d\\"e;f"\r\nabcd\r\n0;last\r\n\r\n`,
    seen: { framing: 'chunked', body: 'abcd' },
  },
  {
    why: 'Transfer-Encoding in capitals',
    sent: `${CHUNKED_HEAD.replace('chunked', 'CHUNKED')}${chunked(['abcd'])}`,
    seen: { framing: 'chunked', body: 'abcd' },
  },
] as const;

for (const { why, sent, seen } of BODIES) {
  wire(`a request with ${why} arrives upstream with one framing and the same bytes`, async ({ client, upstream }) => {
    await client.send(sent);
    const connection = await upstream.accept();
    await connection.expectRequest(seen);
    await connection.send(ok('yes'));
    await client.expectReply({ status: 200, body: 'yes' });
    await connection.expectSilence();
  });

  wire(`a request with ${why} may come byte by byte`, async ({ client, upstream }) => {
    upstream.answerAll(({ body }) => ok(body));
    await client.sendBytewise(sent);
    await client.expectReply({ status: 200, body: seen.body });
    await client.send(sent);
    await client.expectReply({ status: 200, body: seen.body });
  });
}

for (const { why, body } of [
  { why: 'a length', body: 'Content-Length: 4\r\n\r\nabcd' },
  { why: 'chunks', body: `Transfer-Encoding: chunked\r\n\r\n${chunked(['abcd'])}` },
]) {
  wire(`a HEAD with a body of ${why} passes it, framed, and gets none back`, async ({ client, upstream }) => {
    upstream.answerAll((request) => {
      assert.equal(request.body, 'abcd');
      return 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n';
    });
    for (let round = 0; round < 2; round++) {
      await client.send(`HEAD /x HTTP/1.1\r\nHost: a.example\r\n${body}`);
      await client.expectReply({ status: 200, toHead: true, headers: { 'content-length': '7' } });
      await client.expectSilence();
    }
    upstream.expectConnections(1);
  });
}

wire('trailers of a request pass', async ({ client, upstream }) => {
  const trailers = ['X-Checksum: abc', 'X-Note: d'];
  await client.send(
    `${CHUNKED_HEAD.replace('Host', 'Trailer: X-Checksum, X-Note\r\nHost')}${chunked(['abcd'], trailers)}`,
  );
  const connection = await upstream.accept();
  await connection.expectRequest({
    body: 'abcd',
    trailers: { 'x-checksum': 'abc', 'x-note': 'd' },
  });
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire('credentials in the trailers of a request do not pass', async ({ client, upstream }) => {
  const trailers = [
    'Cookie: session=forged',
    'X-Checksum: abc',
    'AUTHORIZATION: Bearer forged',
    'X-Request-Id: forged',
  ];
  await client.send(`${CHUNKED_HEAD}${chunked(['abcd'], trailers)}`);
  const connection = await upstream.accept();
  const request = await connection.expectRequest({ body: 'abcd' });
  assert.equal(`${request.trailers}`, 'X-Checksum: abc');
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire('a request body streams: each part arrives before the next one is sent', async ({ client, upstream }) => {
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 12\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectHead();
  for (const part of ['one.', 'two.', 'end.']) {
    await client.send(part);
    await connection.expectText(part);
  }
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire('a chunked request body streams too', async ({ client, upstream }) => {
  await client.send(CHUNKED_HEAD);
  const connection = await upstream.accept();
  await connection.expectHead();
  for (const part of ['one.', 'two.', 'end.']) {
    await client.send(`4\r\n${part}\r\n`);
    await connection.expectText(`4\r\n${part}\r\n`);
  }
  await client.send('0\r\n\r\n');
  await connection.expectText('0\r\n\r\n');
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire(
  'naming Content-Length or Host in Connection does not take them off the forwarded request',
  async ({ client, upstream }) => {
    await client.send(
      'POST /x HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive, content-length, host\r\nContent-Length: 4\r\n\r\nabcd',
    );
    const connection = await upstream.accept();
    await connection.expectRequest({ framing: 'length', body: 'abcd', headers: { host: 'a.example' } });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

wire(
  'naming Transfer-Encoding in Connection does not take the framing off the forwarded request',
  async ({ client, upstream }) => {
    await client.send(
      `${CHUNKED_HEAD.replace('Host', 'Connection: transfer-encoding\r\nHost')}${chunked(['GET / HTTP/1.1\r\n\r\n'])}`,
    );
    const connection = await upstream.accept();
    await connection.expectRequest({ framing: 'chunked', body: 'GET / HTTP/1.1\r\n\r\n' });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

const BROKEN = [
  { why: 'a size that is no number', sent: 'xyz\r\nabcd\r\n' },
  { why: 'a size with a prefix', sent: '0x4\r\nabcd\r\n' },
  { why: 'a size with a sign', sent: '+4\r\nabcd\r\n' },
  { why: 'a negative size', sent: '-4\r\nabcd\r\n' },
  { why: 'an empty size', sent: '\r\nabcd\r\n' },
  { why: 'a space before the size', sent: ' 4\r\nabcd\r\n' },
  { why: 'a size larger than any number', sent: 'fffffffffffffffff\r\nabcd\r\n' },
  { why: 'a size that wraps around 64 bits to a small one', sent: '10000000000000004\r\nabcd\r\n' },
  { why: 'a size with an underscore', sent: '0_4\r\nabcd\r\n' },
  { why: 'a size with a blank inside', sent: '0 4\r\nabcd\r\n' },
  { why: 'a blank behind the size', sent: '4 \r\nabcd\r\n' },
  { why: 'a byte in place of the CR behind the size', sent: '4x\nabcd\r\n' },
  { why: 'a size with a vertical tab behind it', sent: '4\x0b\r\nabcd\r\n' },
  { why: 'a size in digits that are not ASCII', sent: '\xb2\r\nab\r\n' },
  { why: 'a last chunk with a sign', sent: '4\r\nabcd\r\n-0\r\n\r\n' },
  { why: 'a bare LF after the size', sent: '4\nabcd\r\n' },
  { why: 'a bare CR after the size', sent: '4\rabcd\r\n' },
  { why: 'a bare LF after the data', sent: '4\r\nabcd\n0\r\n\r\n' },
  { why: 'a bare CR after the data', sent: '4\r\nabcd\r0\r\n\r\n' },
  { why: 'a bare CR in an extension', sent: '4;a\rb\r\nabcd\r\n' },
  { why: 'data longer than its size', sent: '4\r\nabcdef\r\n' },
  { why: 'a bare LF in an extension', sent: '4;a\nb\r\nabcd\r\n' },
  { why: 'a NUL in an extension', sent: '4;a=\x00\r\nabcd\r\n' },
  { why: 'a bare LF after the last chunk', sent: '4\r\nabcd\r\n0\r\n\n' },
  { why: 'a bare LF after the last size', sent: '4\r\nabcd\r\n0\n\r\n' },
  { why: 'a bare CR at the end', sent: '4\r\nabcd\r\n0\r\n\rX' },
  { why: 'a bare LF after a trailer', sent: '0\r\nX-A: 1\nX-B: 2\r\n\r\n' },
  { why: 'a bare CR in a trailer', sent: '0\r\nX-A: 1\rX-B: 2\r\n\r\n' },
  { why: 'a NUL in a trailer', sent: '0\r\nX-A: \x00\r\n\r\n' },
  { why: 'a trailer without a name', sent: '0\r\n: 1\r\n\r\n' },
  { why: 'a trailer whose name is no token', sent: '0\r\nX(A): 1\r\n\r\n' },
  { why: 'another request where trailers are due', sent: '0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n' },
  { why: 'a trailer without a colon', sent: '0\r\nX-A\r\n\r\n' },
  { why: 'a trailer with a space before the colon', sent: '0\r\nX-A : 1\r\n\r\n' },
  { why: 'framing in a trailer', sent: '0\r\nContent-Length: 9\r\n\r\n' },
  { why: 'a coding in a trailer', sent: '0\r\nTransfer-Encoding: chunked\r\n\r\n' },
  { why: 'a host in a trailer', sent: '0\r\nHost: b.example\r\n\r\n' },
  { why: 'a folded trailer', sent: '0\r\nX-A: 1\r\n 2\r\n\r\n' },
];

for (const { why, sent } of BROKEN) {
  wire(
    `400 and closed: broken chunks: ${why}; the upstream sees the request broken off`,
    async ({ client, upstream }) => {
      await client.send(`${CHUNKED_HEAD}${sent}`);
      await client.expectStatus(400);
      await client.expectClosed();
      // The head may have gone out before the body turned out broken, but never a body that looks complete.
      if (upstream.connectionCount > 0) await (await upstream.accept()).expectAborted();
    },
  );
}

for (const { why, sent } of [
  { why: 'an extension without an end', sent: `4;${'x'.repeat(100_000)}` },
  { why: 'an extension of a megabyte', sent: `4;a="${'x'.repeat(1_000_000)}"\r\nabcd\r\n0\r\n\r\n` },
  {
    why: 'a megabyte of extensions, a little on each chunk',
    sent: `${`1;${'x'.repeat(99)}\r\na\r\n`.repeat(10_000)}0\r\n\r\n`,
  },
  { why: 'trailers without an end', sent: `0\r\n${'X-A: 1\r\n'.repeat(20_000)}` },
]) {
  wire(`what comes with chunks is bounded: ${why}`, async ({ client, upstream }) => {
    await client.send(`${CHUNKED_HEAD}${sent}`);
    const { status } = await client.expectReply();
    assert.ok(status === 400 || status === 431, `status ${status}`);
    await client.expectClosed();
    if (upstream.connectionCount > 0) await (await upstream.accept()).expectAborted();
  });
}

wire('a body cut off by a half-close is not passed on as complete', async ({ client, upstream }) => {
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nabcd');
  const connection = await upstream.accept();
  await connection.expectHead();
  client.end();
  await connection.expectAborted();
  const last = (await client.expectClosedAfter()).toString('latin1');
  assert.match(last, /^(HTTP\/1\.1 400 .*)?$/s);
});

wire('a chunked body cut off by a half-close is not passed on as complete', async ({ client, upstream }) => {
  await client.send(`${CHUNKED_HEAD}4\r\nabcd\r\n`);
  const connection = await upstream.accept();
  await connection.expectHead();
  client.end();
  await connection.expectAborted();
  const last = (await client.expectClosedAfter()).toString('latin1');
  assert.match(last, /^(HTTP\/1\.1 400 .*)?$/s);
});

wire('an answer that comes before the request body is read reaches the client', async ({ client, upstream }) => {
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nabcd');
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('too much', 'X-Early: yes').replace('200 OK', '413 Content Too Large'));
  const { fields } = await client.expectReply({ status: 413, body: 'too much', headers: { 'x-early': 'yes' } });
  assert.equal(fields.get('connection'), 'close', 'the rest of the body would be taken for a request');
  await client.expectClosed();
  // The request on that connection is not complete: no other request may follow on it.
  const other = await client.connect();
  await other.send('GET /other HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const fresh = await upstream.accept();
  await fresh.expectHead();
  await fresh.send(ok('yes'));
  await other.expectReply({ status: 200, body: 'yes' });
});

wire(
  'an early answer to a client that waits with its body for 100 leaves both connections in order',
  async ({ client, upstream }) => {
    await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(ok('no').replace('200 OK', '401 Unauthorized'));
    const status = (await client.expectReplyHead()).status;
    if (status === 100) assert.equal((await client.expectReplyHead()).status, 401);
    else assert.equal(status, 401);
    await client.expectText('no');
    const other = await client.connect();
    upstream.answerAll(() => ok('yes'));
    await other.send('GET /other HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await other.expectReply({ status: 200, body: 'yes' });
  },
);

wire('a reply may run while its request still comes', async ({ client, upstream }) => {
  await client.send(CHUNKED_HEAD);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  await client.expectReplyHead();
  for (const part of ['one.', 'two.', 'end.']) {
    await client.send(`4\r\n${part}\r\n`);
    await connection.expectText(`4\r\n${part}\r\n`);
    await connection.send(`4\r\n${part}\r\n`);
    await client.expectText(`4\r\n${part}\r\n`);
  }
  await client.send('0\r\n\r\n');
  await connection.expectText('0\r\n\r\n');
  await connection.send('0\r\n\r\n');
  await client.expectText('0\r\n\r\n');
});

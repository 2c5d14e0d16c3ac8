import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../support/guard.ts';
import { listenUnresponsive } from '../support/unresponsive-upstream.ts';
import { ok } from '../support/upstream.ts';
import { runWire, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
/** So that a silent upstream shows as what it is, and not as a retry. */
const once = { routes: [{ retries: 0 }] };

wire('408: a head that is not complete within connection_timeout', async ({ client, clock, upstream }) => {
  await client.send('GET /x HTTP/1.1\r\nHost: a.ex');
  await clock.advance(29_000);
  await client.expectSilence();
  await clock.advance(2_000);
  await client.expectReply({
    status: 408,
    headers: { 'content-type': 'application/problem+json', connection: 'close' },
  });
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('408: a head that comes in drops gets no more time than one that stands still', async ({ client, clock }) => {
  await client.send('GET /x HTTP/1.1\r\n');
  for (let drop = 0; drop < 6; drop++) {
    await client.send(`X-Drop-${drop}: 1\r\n`);
    await clock.advance(5_200);
  }
  await client.expectStatus(408);
  await client.expectClosed();
});

wire(
  'connection_timeout is set in the configuration',
  { server: { connection_timeout: '2s' } },
  async ({ client, clock }) => {
    await client.send('GET');
    await clock.advance(2_500);
    await client.expectStatus(408);
    await client.expectClosed();
  },
);

wire('a connection that never sends a byte is closed after connection_timeout', async ({ client, clock }) => {
  await clock.advance(31_000);
  const last = (await client.expectClosedAfter()).toString('latin1');
  assert.match(last, /^(HTTP\/1\.1 408 .*)?$/s);
});

wire(
  'an idle keep-alive connection is closed after keepalive_timeout without a word',
  async ({ client, upstream, clock }) => {
    upstream.answerAll(() => ok('yes'));
    await client.send(GET);
    await client.expectStatus(200);
    await clock.advance(73_000);
    await client.expectSilence();
    await clock.advance(4_000);
    await client.expectClosed();
  },
);

wire('a second head that stops half-way is 408 after connection_timeout', async ({ client, upstream, clock }) => {
  upstream.answerAll(() => ok('yes'));
  await client.send(GET);
  await client.expectStatus(200);
  await clock.advance(60_000);
  await client.send('GET /x HT');
  await clock.advance(28_000);
  await client.expectSilence();
  await clock.advance(3_000);
  await client.expectStatus(408);
  await client.expectClosed();
});

wire(
  '408: a body of which no byte comes for body_timeout, and the upstream sees it broken off',
  async ({ client, upstream, clock }) => {
    await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await clock.advance(29_000);
    await client.expectSilence();
    await clock.advance(2_000);
    await client.expectReply({ status: 408, headers: { connection: 'close' } });
    await client.expectClosed();
    await connection.expectAborted();
  },
);

wire('a body that comes in drops has all the time it needs', async ({ client, upstream, clock }) => {
  await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n');
  for (const drop of 'drops') {
    await clock.advance(25_000);
    await client.send(drop);
  }
  const connection = await upstream.accept();
  await connection.expectRequest({ body: 'drops' });
  await connection.send(ok('yes'));
  await client.expectReply({ status: 200, body: 'yes' });
});

test('504: an upstream that does not accept within its connection_timeout', async () => {
  const unresponsive = await listenUnresponsive();
  try {
    const options = { upstreams: 0, otherPorts: [unresponsive.port], upstream: { connection_timeout: '3s' }, ...once };
    await runWire(options, async ({ client, clock }) => {
      await client.send(GET);
      await clock.advance(2_500);
      await client.expectSilence();
      await clock.advance(1_000);
      await client.expectReply({ status: 504, headers: { 'content-type': 'application/problem+json' } });
      await client.send(GET);
      await clock.advance(3_500);
      await client.expectStatus(504);
    });
  } finally {
    await unresponsive.close();
  }
});

wire(
  '504: an upstream that is silent for read_timeout, and its connection is closed',
  once,
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await clock.advance(29_000);
    await client.expectSilence();
    await clock.advance(2_000);
    await client.expectReply({ status: 504, headers: { 'content-type': 'application/problem+json' } });
    await connection.expectClosed();
    upstream.answerAll(() => ok('yes'));
    await client.send(GET);
    await client.expectReply({ status: 200, body: 'yes' });
  },
);

wire(
  'a reply that stops half-way for read_timeout is cut off, not ended',
  once,
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n');
    await clock.advance(29_000);
    await connection.send('4\r\nefgh\r\n');
    await clock.advance(29_000);
    assert.equal(client.inbox.ending, null);
    await clock.advance(2_000);
    await client.expectTruncatedReply(200);
    await connection.expectClosed();
  },
);

wire(
  'a slow upload is not the silence of the upstream',
  { ...once, upstream: { read_timeout: '5s' } },
  async ({ client, upstream, clock }) => {
    await client.send('POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n');
    const connection = await upstream.accept();
    for (const drop of 'slow') {
      await clock.advance(4_000);
      await client.send(drop);
    }
    await connection.expectRequest({ body: 'slow' });
    await clock.advance(4_000);
    await client.expectSilence();
    await connection.send(ok('yes'));
    await client.expectReply({ status: 200, body: 'yes' });
  },
);

wire(
  '504: the deadline of a route, however lively the upstream is',
  { routes: [{ timeout: '2s', retries: 0 }] },
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await clock.advance(1_500);
    await client.expectSilence();
    await clock.advance(1_000);
    await client.expectReply({ status: 504 });
    await connection.expectClosed();
  },
);

wire(
  '408: the deadline of a route passes while the client still sends its request',
  { routes: [{ timeout: '2s', retries: 0 }] },
  async ({ client, upstream, clock }) => {
    await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    for (const drop of 'abcd') {
      await clock.advance(600);
      await client.send(drop);
    }
    await client.expectReply({ status: 408 });
    await client.expectClosed();
    await connection.expectText('abc');
    await connection.expectClosed();
  },
);

wire(
  'the deadline of a route holds until the last byte of the reply',
  { routes: [{ timeout: '2s' }] },
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
    for (const drop of 'abcd') {
      await clock.advance(600);
      await connection.send(drop);
    }
    await client.expectTruncatedReply(200);
    await connection.expectClosed();
  },
);

wire(
  'the deadline of a route holds for an event stream until its head',
  { routes: [{ timeout: '2s' }] },
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.expectReplyHead();
    await clock.advance(20_000);
    await connection.send('9\r\ndata: 1\n\n\r\n');
    await client.expectText('9\r\ndata: 1\n\n\r\n');
    await connection.send('0\r\n\r\n');
    await client.expectText('0\r\n\r\n');
  },
);

wire(
  'the deadline of one exchange does not reach into the next one',
  { routes: [{ timeout: '2s' }] },
  async ({ client, upstream, clock }) => {
    upstream.answerAll(() => ok('yes'));
    for (let round = 0; round < 4; round++) {
      await client.send(GET);
      await client.expectReply({ status: 200, body: 'yes' });
      await clock.advance(1_500);
    }
  },
);

const chunk = Buffer.alloc(65_536, 'c');
const muchMore = 256 * 1024 * 1024;

wire(
  '504: an upstream that takes no byte of the request for write_timeout, and the client is not blamed',
  { ...once, upstream: { write_timeout: '10s' }, server: { body_timeout: '5s' } },
  async ({ client, upstream, clock }) => {
    await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${muchMore}\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectHead();
    connection.pause();
    const sent = await client.sendUntilStalled(chunk, muchMore);
    assert.ok(sent < muchMore, 'the gateway took everything');
    await clock.advance(8_000);
    await client.expectSilence();
    // On a busy machine the kernel takes a last few bytes after a while, and the time starts again.
    await clock.advanceUntil(client.expectStatus(504));
  },
);

wire(
  '504: the deadline of a route passes while the upstream takes no more of the request, and the client is not blamed',
  { routes: [{ timeout: '2s', retries: 0 }] },
  async ({ client, upstream, clock }) => {
    await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${muchMore}\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectHead();
    connection.pause();
    const sent = await client.sendUntilStalled(chunk, muchMore);
    assert.ok(sent < muchMore, 'the gateway took everything');
    await clock.advance(2_500);
    await client.expectReply({ status: 504, body: /deadline_exceeded/ });
  },
);

wire(
  'a client that takes no byte for send_timeout is let go, and so is the upstream',
  { server: { send_timeout: '10s' } },
  async ({ client, upstream, clock, gateway }) => {
    client.pause();
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${muchMore}\r\n\r\n`);
    const sent = await connection.sendUntilStalled(chunk, muchMore);
    assert.ok(sent < muchMore, 'the gateway took everything');
    await clock.advance(9_000);
    assert.equal(gateway.plane.activeExchanges, 1);
    // On a busy machine the kernel takes a last few bytes after a while, and the time starts again.
    await clock.advanceUntil(connection.expectClosed());
    assert.equal(gateway.plane.activeExchanges, 0);
  },
);

wire(
  'a client that is slow to take its reply does not make the upstream silent',
  { server: { send_timeout: '60s' }, upstream: { read_timeout: '5s' } },
  async ({ client, upstream, clock }) => {
    const total = 64 * 1024 * 1024;
    client.pause();
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const sent = await connection.sendUntilStalled(chunk, total);
    assert.ok(sent < total, 'the gateway took everything');
    await clock.advance(20_000);
    client.resume();
    const rest = connection.send(Buffer.alloc(total - sent - connection.socket.writableLength, 'c'));
    const { body } = await client.expectReply({ status: 200 });
    await rest;
    assert.equal(body.length, total);
  },
);

/** Only the silence of the upstream is short. */
const PATIENT = {
  ...once,
  server: { send_timeout: '600s', body_timeout: '600s' },
  upstream: { read_timeout: '5s', write_timeout: '600s' },
  backend: { circuit_breaker: { failure_threshold: 1 } },
};
const UPLOAD = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 8\r\n\r\n';

wire(
  'an upload that ends while the reply waits for its client does not make the upstream silent',
  PATIENT,
  async ({ client, upstream, clock }) => {
    const total = 30 * 1024 * 1024;
    client.pause();
    await client.send(`${UPLOAD}half`);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.expectText('half');
    await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const sent = await connection.sendUntilStalled(chunk, total);
    const left = total - sent - connection.socket.writableLength;
    assert.ok(left > 0, 'the gateway took everything');
    await clock.advance(20_000);
    await client.send('rest');
    await connection.expectText('rest');
    await clock.advance(20_000);
    client.resume();
    const rest = connection.send(Buffer.alloc(left, 'c'));
    const { body } = await client.expectReply({ status: 200 });
    await rest;
    assert.equal(body.length, total);
    const other = await client.connect();
    await other.send(GET);
    await connection.expectRequest();
    await connection.send(ok('well'));
    await other.expectReply({ status: 200, body: 'well' });
  },
);

wire(
  'an upstream that has sent the most of its reply and waits for the rest of the upload is not silent',
  PATIENT,
  async ({ client, upstream, clock }) => {
    const part = 'p'.repeat(8 * 1024 * 1024);
    await client.send(`${UPLOAD}half`);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.expectText('half');
    client.pause();
    await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${part.length + 4}\r\n\r\n`);
    const sending = connection.send(part);
    await settle();
    client.resume();
    await sending;
    await client.inbox.until('the first part', () => (client.inbox.length > part.length ? true : undefined));
    await clock.advance(60_000);
    await client.send('rest');
    await connection.expectText('rest');
    await clock.advance(4_000);
    await connection.send('last');
    await client.expectReply({ status: 200, body: `${part}last` });
    const other = await client.connect();
    await other.send(GET);
    await connection.expectRequest();
    await connection.send(ok('well'));
    await other.expectReply({ status: 200, body: 'well' });
  },
);

wire(
  'an upstream that takes no more of the request while its reply is not taken is not held to write_timeout until it is',
  { ...PATIENT, upstream: { read_timeout: '5s', write_timeout: '10s' } },
  async ({ client, upstream, clock }) => {
    client.pause();
    await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${muchMore}\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectHead();
    connection.pause();
    await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${muchMore}\r\n\r\n`);
    const replied = await connection.sendUntilStalled(chunk, muchMore);
    const sent = await client.sendUntilStalled(chunk, muchMore);
    assert.ok(sent < muchMore && replied < muchMore, 'the gateway took everything');
    await clock.advance(30_000);
    const other = await client.connect();
    await other.send(GET);
    const second = await upstream.accept();
    await second.expectRequest();
    await second.send(ok('well'));
    await other.expectReply({ status: 200, body: 'well' });
    client.resume();
    await client.inbox.until('all of the reply that there is', () =>
      client.inbox.length > replied ? true : undefined,
    );
    await clock.advance(8_000);
    assert.equal(client.inbox.ending, null);
    await clock.advanceUntil(client.expectTruncatedReply(200));
  },
);

wire('an idle upstream connection is closed some day', async ({ client, upstream, clock }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  await clock.advance(10_000);
  await connection.expectSilence();
  await clock.advance(3_600_000);
  await connection.expectClosed();
});

wire(
  'a client that does not close its side after Connection: close is let go',
  async ({ client, upstream, clock, gateway }) => {
    upstream.answerAll(() => ok('yes'));
    await client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await client.expectStatus(200);
    await clock.advance(30_000);
    assert.equal(gateway.plane.openConnections, 0);
  },
);

wire(
  'a client that vanishes while its body is held back is let go with the upstream',
  { upstream: { write_timeout: '10s' } },
  async ({ client, upstream, clock, gateway }) => {
    await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${muchMore}\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectHead();
    connection.pause();
    await client.sendUntilStalled(chunk, muchMore);
    client.reset();
    await clock.advance(11_000);
    assert.equal(gateway.plane.activeExchanges, 0);
  },
);

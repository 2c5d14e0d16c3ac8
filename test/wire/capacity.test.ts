import assert from 'node:assert/strict';
import { eventually } from '../support/guard.ts';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const RETRY_AFTER = /^[1-9][0-9]*$/;
const oneSocket = { upstream: { max_connections: 1, read_timeout: '600s' } };

wire(
  '503: the only upstream is full, with Retry-After; when it is free again it serves',
  oneSocket,
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    const other = await client.connect();
    await other.send(GET);
    await clock.advanceUntil(
      other.expectReply({
        status: 503,
        headers: { 'retry-after': RETRY_AFTER, 'content-type': 'application/problem+json' },
      }),
      60_000,
    );
    await connection.send(ok('first'));
    await client.expectReply({ status: 200, body: 'first' });
    await other.send(GET);
    await connection.expectHead();
    await connection.send(ok('second'));
    await other.expectReply({ status: 200, body: 'second' });
    upstream.expectConnections(1);
  },
);

wire(
  'a request that waits for a full upstream gets the connection that becomes free, or 503',
  oneSocket,
  async ({ client, upstream, clock }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    const other = await client.connect();
    await other.send(GET);
    await clock.advance(50);
    await connection.send(ok('first'));
    await client.expectReply({ status: 200, body: 'first' });
    const answered = other.expectReply();
    void connection.inbox
      .until('the second request', () => connection.inbox.bytes.includes('\r\n\r\n') || undefined)
      .then(() => connection.send(ok('second')))
      .catch(() => {});
    const { status } = await clock.advanceUntil(answered);
    assert.ok(status === 200 || status === 503, `status ${status}`);
    assert.equal(upstream.connectionCount, 1);
  },
);

wire(
  'when one upstream is full the next one is taken',
  { upstreams: 2, ...oneSocket },
  async ({ client, upstreams }) => {
    const other = await client.connect();
    await client.send(GET);
    await other.send(GET);
    const connections = await Promise.all(upstreams.map((each) => each.accept()));
    for (const each of connections) await each.expectHead();
    for (const each of connections) await each.send(ok('yes'));
    await client.expectStatus(200);
    await other.expectStatus(200);
  },
);

wire(
  'idle connections count too: the limit bounds sockets',
  { upstream: { max_connections: 2 } },
  async ({ client, upstream }) => {
    const others = await Promise.all(Array.from({ length: 6 }, () => client.connect()));
    upstream.answerAll(() => ok('yes'));
    for (const each of others) {
      await each.send(GET);
      await each.expectReply();
      assert.ok(upstream.openCount <= 2, `${upstream.openCount} sockets`);
    }
  },
);

wire(
  '503 and closed: the gateway is full, with Retry-After; when a client leaves the next one is served',
  {
    server: { max_connections: 2 },
  },
  async ({ client, upstream, gateway }) => {
    upstream.answerAll(() => ok('yes'));
    const second = await client.connect();
    for (const each of [client, second]) {
      await each.send(GET);
      await each.expectStatus(200);
    }
    const third = await client.connect();
    await third.send(GET);
    await third.expectReply({
      status: 503,
      headers: { 'retry-after': RETRY_AFTER, 'x-request-id': /./, connection: 'close' },
    });
    await third.expectClosed();
    for (const each of [client, second]) {
      await each.send(GET);
      await each.expectStatus(200);
    }
    second.reset();
    await eventually(
      'the client to be forgotten',
      () => gateway.plane.openConnections === 1,
      () => '',
    );
    const fourth = await client.connect();
    await fourth.send(GET);
    await fourth.expectReply({ status: 200, body: 'yes' });
  },
);

wire(
  '503 where there are as many sockets as there may be; connections that wait for requests make room for the next one',
  { maxSockets: 3, upstreams: 2 },
  async ({ client, upstreams: [one, other], gateway }) => {
    one?.answerAll(() => ok('served', 'Connection: close'));
    other?.answerAll(() => ok('served'));
    const [second, third] = [await client.connect(), await client.connect()];
    await client.send(GET);
    const { body } = await client.expectReply({ status: 503, headers: { 'retry-after': RETRY_AFTER } });
    assert.match(body, /gateway_full/);
    for (const gone of [client, third]) gone.reset();
    await eventually(
      'two clients to go',
      () => gateway.plane.openConnections === 1,
      () => `${gateway.plane.openConnections} connections`,
    );
    for (let turn = 0; turn < 4; turn++) {
      await second.send(GET);
      await second.expectReply({ status: 200, body: 'served' });
    }
  },
);

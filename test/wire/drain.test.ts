import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { WireClient } from '../support/client.ts';
import { guarded, settle } from '../support/guard.ts';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';

wire(
  'draining lets what runs finish, with Connection: close, and then is done',
  async ({ client, upstream, gateway }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    let drained = false;
    const draining = gateway.plane.drain().then(() => {
      drained = true;
    });
    await client.expectSilence();
    assert.equal(drained, false);
    await connection.send(ok('yes'));
    await client.expectReply({ status: 200, body: 'yes', headers: { connection: 'close' } });
    await client.expectClosed();
    await guarded('the drain', draining, () => '');
  },
);

wire('draining closes idle connections in a moment, on both sides', async ({ client, upstream, gateway, clock }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  const draining = gateway.plane.drain();
  await clock.advance(200);
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
  await connection.expectClosed();
});

/** A request that leaves its connection open for the next one. */
async function giveOne(client: WireClient): Promise<void> {
  await client.send(GET);
  await client.expectReply({ body: 'yes', headers: { connection: null } });
}

for (const { what, before } of [
  { what: 'the first request of a connection', before: async () => {} },
  { what: 'the next request of a connection', before: giveOne },
]) {
  wire(`${what} that the system has, but that nobody has read, is answered by a draining gateway`, async (context) => {
    const { client, upstream, gateway } = context;
    upstream.answerAll(() => ok('yes'));
    await before(client);
    // What the socket takes at once is with the system at once, and the drain begins in the same turn of the event loop.
    const sent = client.send(GET);
    const draining = gateway.plane.drain();
    await sent;
    await client.expectReply({ body: 'yes', headers: { connection: 'close' } });
    await client.expectClosed();
    await guarded('the drain', draining, () => '');
  });

  wire(`${what} may come in pieces while the gateway drains`, async (context) => {
    const { client, upstream, gateway, clock } = context;
    upstream.answerAll(() => ok('yes'));
    await before(client);
    const draining = gateway.plane.drain();
    await client.send(GET.slice(0, 5));
    // Once it has begun, it has as long as ever.
    await clock.advance(20_000);
    await client.send(GET.slice(5));
    await client.expectReply({ body: 'yes', headers: { connection: 'close' } });
    await client.expectClosed();
    await guarded('the drain', draining, () => '');
  });
}

wire('a new connection has a second for its first request while the gateway drains', async (context) => {
  const { client, upstream, gateway, clock } = context;
  const silent = await client.connect();
  const draining = gateway.plane.drain();
  await clock.advance(900);
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await clock.advance(300);
  await silent.expectClosed();
  await connection.send(ok('yes'));
  await client.expectReply({ body: 'yes', headers: { connection: 'close' } });
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
});

wire('a connection whose reply began before the drain may ask once more, and is then closed', async (context) => {
  const { client, upstream, gateway, clock } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
  await client.expectReplyHead();
  const draining = gateway.plane.drain();
  await connection.send('lf');
  await client.expectText('half');
  await client.send(GET);
  await connection.expectHead();
  await connection.send(ok('the last'));
  await client.expectReply({ body: 'the last', headers: { connection: 'close' } });
  await client.expectClosed();
  await clock.advance(200);
  await guarded('the drain', draining, () => '');
});

wire('an empty line after a request leaves its connection idle', async ({ client, upstream, gateway, clock }) => {
  await client.send(`${GET}\r\n`);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  await client.send('\r\n');
  await clock.advance(60_000);
  await client.expectSilence();
  const draining = gateway.plane.drain();
  await clock.advance(200);
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
});

wire('a draining gateway takes no new connection', async ({ client, upstream, gateway }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  const draining = gateway.plane.drain();
  await settle();
  const late = connect({ host: '127.0.0.1', port: gateway.port });
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.match(error.code ?? '', /^ECONN(REFUSED|RESET)$/);
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
});

wire(
  'requests that wait in the backlog when the drain begins are answered',
  { secure: false, routes: [{ path: '/elsewhere' }] },
  async ({ client: idle, gateway, clock }) => {
    const clients = Array.from({ length: 20 }, () => connect({ host: '127.0.0.1', port: gateway.port }));
    for (const client of clients) client.write(GET);
    // The system has accepted them by then, and the gateway none.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const draining = gateway.plane.drain();
    const texts = clients.map(async (client) => {
      let text = '';
      for await (const chunk of client.setEncoding('latin1')) text += chunk;
      return text;
    });
    for (const text of await Promise.all(texts)) assert.match(text, /^HTTP\/1\.1 404 /);
    await clock.advance(1_200);
    await idle.expectClosed();
    await guarded('the drain', draining, () => '');
  },
);

wire('a client that never closes its side does not hold up the drain', async ({ client, upstream, gateway, clock }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  const draining = gateway.plane.drain();
  await clock.advance(10_000);
  await guarded('the drain', draining, () => '');
});

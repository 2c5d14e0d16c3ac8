import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { guarded } from '../support/guard.ts';
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

wire('draining closes idle connections at once, on both sides', async ({ client, upstream, gateway }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  const draining = gateway.plane.drain();
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
  await connection.expectClosed();
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
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
});

wire('a draining gateway takes no new connection', async ({ client, upstream, gateway }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  const draining = gateway.plane.drain();
  const connectLate = () =>
    once(connect({ host: '127.0.0.1', port: gateway.port }).resume(), 'end').then(
      () => null,
      ({ code }: NodeJS.ErrnoException) => code ?? '',
    );
  let failure = await connectLate();
  // One that was in the backlog when the drain began has been accepted, and is closed.
  while (failure === null) failure = await connectLate();
  assert.match(failure, /^ECONN(REFUSED|RESET)$/);
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
});

wire(
  'requests that wait in the backlog when the drain begins are answered',
  { secure: false, routes: [{ path: '/elsewhere' }] },
  async ({ client: idle, gateway }) => {
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

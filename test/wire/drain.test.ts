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
  const late = connect({ host: '127.0.0.1', port: gateway.port });
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.match(error.code ?? '', /^ECONN(REFUSED|RESET)$/);
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  await client.expectClosed();
  await guarded('the drain', draining, () => '');
});

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

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually, guarded } from '../support/guard.ts';
import { ok } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

const secure = { secure: true, server: { connection_timeout: '2s' } };
const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';

/** The first bytes of a ClientHello: a handshake record that promises 512 bytes. */
const BEGUN_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]);

async function openRaw({ gateway }: WireContext): Promise<Socket> {
  const { plane, port } = gateway;
  const before = plane.openConnections;
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  socket.resume();
  await eventually(
    'the connection to be accepted',
    () => plane.openConnections > before,
    () => '',
  );
  return socket;
}

for (const { bytes, why } of [
  { bytes: Buffer.alloc(0), why: 'that says nothing' },
  { bytes: BEGUN_HELLO, why: 'that stops within its first message' },
]) {
  wire(`a client ${why} of its handshake is cut off after connection_timeout`, secure, async (context) => {
    const socket = await openRaw(context);
    if (bytes.length > 0) socket.write(bytes);
    const closed = once(socket, 'close');
    await context.clock.advanceUntil(guarded('the close', closed, () => ''));
    context.upstream.expectNoConnection();
  });

  wire(`a client ${why} of its handshake and vanishes leaves nothing`, secure, async (context) => {
    const { plane } = context.gateway;
    const before = plane.openConnections;
    const socket = await openRaw(context);
    if (bytes.length > 0) socket.write(bytes);
    socket.resetAndDestroy();
    await eventually(
      'the connection to end',
      () => plane.openConnections === before,
      () => `${plane.openConnections} are open`,
    );
  });
}

wire('while others are stuck in their handshakes, a client is served', secure, async (context) => {
  const { client, upstream } = context;
  const stuck = await Promise.all(Array.from({ length: 20 }, () => openRaw(context)));
  upstream.answerAll(() => ok('yes'));
  await client.send(GET);
  await client.expectReply({ status: 200, body: 'yes' });
  for (const socket of stuck) socket.destroy();
});

wire(
  'connections in their handshake count towards max_connections',
  { secure: true, server: { max_connections: 2 } },
  async (context) => {
    const stuck = await openRaw(context);
    const refused = await context.client.connect();
    await refused.expectReply({ status: 503 });
    await refused.expectClosed();
    stuck.destroy();
  },
);

for (const { leave, why } of [
  { leave: () => undefined, why: 'stays' },
  { leave: (socket: Socket) => void socket.end(), why: 'sends FIN' },
  { leave: (socket: Socket) => void socket.destroy(), why: 'closes' },
]) {
  for (const { bytes, how } of [
    { bytes: Buffer.alloc(0), how: 'says nothing' },
    { bytes: BEGUN_HELLO, how: 'stops within its handshake' },
  ]) {
    wire(
      `a client above max_connections that ${how} and ${why} does not keep its place`,
      { secure: true, server: { max_connections: 2 } },
      async (context) => {
        const { clock, client, upstream, gateway } = context;
        const held = await openRaw(context);
        const above = await openRaw(context);
        if (bytes.length > 0) above.write(bytes);
        leave(above);
        const isOver = eventually(
          'its connection to end',
          () => gateway.plane.openConnections === 2,
          () => `${gateway.plane.openConnections} are open`,
        );
        await clock.advanceUntil(isOver, 10_000);
        held.destroy();
        upstream.answerAll(() => ok('yes'));
        await client.send(GET);
        await client.expectReply({ status: 200, body: 'yes' });
      },
    );
  }
}

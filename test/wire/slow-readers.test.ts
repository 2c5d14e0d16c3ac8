import assert from 'node:assert/strict';
import type { WireClient } from '../support/client.ts';
import { settle } from '../support/guard.ts';
import { type WireContext, wire } from '../support/wire.ts';

const KIB = 1024;
const patient = { server: { keepalive_timeout: '2s', connection_timeout: '2s', send_timeout: '60s' } };

interface Probe {
  readonly client: WireClient;
  /** The gateway has taken the whole reply from the upstream, although the client has read nothing of it. */
  readonly taken: boolean;
}

/** One exchange of a client that does not read; its reply has `size` bytes. */
async function probe(
  { client: first, upstream, gateway }: WireContext,
  size: number,
  fieldLine: string,
  version = '1.1',
): Promise<Probe> {
  const client = await first.connect();
  client.pause();
  await client.send(`GET /x HTTP/${version}\r\nHost: a.example\r\n${fieldLine}\r\n`);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = `${(16 * KIB).toString(16)}\r\n${'s'.repeat(16 * KIB)}\r\n`;
  for (let sent = 0; sent < size; sent += 16 * KIB) {
    // Not waited for: when the reply is too long, the gateway does not take all of it.
    connection.socket.write(chunk);
    await settle(2);
  }
  connection.socket.write('0\r\n\r\n');
  await settle(10);
  return { client, taken: gateway.plane.activeExchanges === 0 };
}

/**
 * The client of an exchange whose reply is as long as it can be while the gateway still takes all of it: the kernel's
 * buffers are full then, and the end of the reply waits in the gateway.
 */
async function clientWithReplyInHand(
  context: WireContext,
  fieldLine: string,
  version = '1.1',
): Promise<{ client: WireClient; size: number }> {
  let least = 256 * KIB;
  let most = 16 * 1024 * KIB;
  while (most - least > 16 * KIB) {
    const size = Math.floor((least + most) / (32 * KIB)) * 16 * KIB;
    const { client, taken } = await probe(context, size, fieldLine, version);
    await client.dispose();
    await settle();
    if (taken) least = size;
    else most = size;
  }
  const { client } = await probe(context, least, fieldLine, version);
  return { client, size: least };
}

for (const { fieldLine, why } of [
  { fieldLine: '', why: 'with keep-alive' },
  { fieldLine: 'Connection: close\r\n', why: 'with Connection: close' },
]) {
  wire(
    `the end of a reply waits for a slow reader, however short the other timeouts are (${why})`,
    patient,
    async (context) => {
      const { client, size } = await clientWithReplyInHand(context, fieldLine);
      await context.clock.advance(10_000);
      client.resume();
      const { body } = await client.expectReply({ status: 200 });
      assert.equal(body.length, size);
    },
  );

  wire(`the end of a reply waits for a slow reader while the gateway drains (${why})`, patient, async (context) => {
    const { client, size } = await clientWithReplyInHand(context, fieldLine);
    const draining = context.gateway.plane.drain();
    await context.clock.advance(10_000);
    client.resume();
    const { body } = await client.expectReply({ status: 200 });
    assert.equal(body.length, size);
    await context.clock.advance(200);
    await client.expectClosed();
    context.client.reset();
    await draining;
  });

  wire(`a slow reader that has closed its own side gets the end of its reply (${why})`, patient, async (context) => {
    const { client, size } = await clientWithReplyInHand(context, fieldLine);
    client.end();
    await context.clock.advance(10_000);
    client.resume();
    const { body } = await client.expectReply({ status: 200 });
    assert.equal(body.length, size);
    await client.expectClosed();
  });
}

wire('a reply without a length that its client stops taking never looks whole', patient, async (context) => {
  const { client, size } = await clientWithReplyInHand(context, '', '1.0');
  await context.clock.advance(65_000);
  client.resume();
  const all = await client.expectClosedAfter();
  const bodyBytes = all.length - (all.indexOf('\r\n\r\n') + 4);
  // The system may have had room for all of it this time.
  assert.equal(client.inbox.ending, bodyBytes < size ? 'reset' : 'end', `${bodyBytes} of ${size} bytes`);
});

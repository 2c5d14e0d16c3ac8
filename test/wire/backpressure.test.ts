import assert from 'node:assert/strict';
import { bufferBytes } from '../support/garbage.ts';
import { eventually } from '../support/guard.ts';
import { wire } from '../support/wire.ts';

const MIB = 1024 * 1024;
const TOTAL = 256 * MIB;
const chunk = Buffer.alloc(65_536, 'b');
/** What the kernel's buffers of two loopback connections may hold (tcp_wmem and tcp_rmem, twice) and some more. */
const KERNEL_BYTES = 32 * MIB;
/** What the gateway itself may hold for one exchange. */
const GATEWAY_BYTES = 2 * MIB;

function assertBounded(before: number, taken: number): void {
  assert.ok(taken < KERNEL_BYTES, `${taken} bytes went into a reader that does not read`);
  const held = bufferBytes() - before;
  assert.ok(held < GATEWAY_BYTES, `${held} bytes are held in memory`);
}

for (const framing of ['Content-Length', 'Transfer-Encoding'] as const) {
  const length = framing === 'Content-Length';
  const field = length ? `Content-Length: ${TOTAL}` : 'Transfer-Encoding: chunked';
  const unit = length ? chunk : Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')]);

  wire(
    `a client that does not read stops the upstream (${framing}), and reading goes on where it stopped`,
    async ({ client, upstream }) => {
      client.pause();
      await client.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
      const connection = await upstream.accept();
      await connection.expectHead();
      await connection.send(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
      const before = bufferBytes();
      const taken = await connection.sendUntilStalled(unit, TOTAL);
      assertBounded(before, taken);
      client.resume();
      await eventually(
        'the rest to arrive',
        () => client.inbox.totalBytes >= taken,
        () => client.inbox.describe(),
      );
    },
  );

  wire(
    `an upstream that does not read stops the client (${framing}), and reading goes on where it stopped`,
    async ({ client, upstream }) => {
      await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\n${field}\r\n\r\n`);
      const connection = await upstream.accept();
      await connection.expectHead();
      connection.pause();
      const before = bufferBytes();
      const taken = await client.sendUntilStalled(unit, TOTAL);
      assertBounded(before, taken);
      connection.resume();
      const arrived = () => connection.inbox.totalBytes >= taken;
      await eventually('the rest to arrive', arrived, () => connection.inbox.describe());
    },
  );
}

wire('twenty clients that do not read hold little memory together', async ({ client, upstream }) => {
  const clients = [client, ...(await Promise.all(Array.from({ length: 19 }, () => client.connect())))];
  const before = bufferBytes();
  for (const each of clients) {
    each.pause();
    await each.send('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`);
    await connection.sendUntilStalled(chunk, TOTAL);
  }
  const held = (bufferBytes() - before) / clients.length;
  assert.ok(held < GATEWAY_BYTES, `${held} bytes are held for each client`);
});

wire('pipelined requests of a client that reads no reply are not read on and on', async ({ client, upstream }) => {
  upstream.answerAll(() => `HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n${'r'.repeat(10_000)}`);
  client.pause();
  const before = bufferBytes();
  const request = Buffer.from('GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n'.repeat(1000));
  const taken = await client.sendUntilStalled(request, TOTAL);
  assert.ok(taken < KERNEL_BYTES, `${taken} bytes of requests were taken`);
  const held = bufferBytes() - before;
  assert.ok(held < 8 * MIB, `${held} bytes are held in memory`);
});

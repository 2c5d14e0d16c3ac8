import { ok } from '../../support/upstream.ts';
import { type WireOptions, wire } from '../../support/wire.ts';

const limited = (max_size: unknown, server: WireOptions['server'] = {}): WireOptions => ({
  middleware: { body_limit: { max_size } },
  routes: [{ middleware: ['body_limit'] }],
  server,
});

const post = (framing: string) => `POST /x HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;

for (const { sent, options, why } of [
  { sent: post('Content-Length: 5'), options: limited(4), why: 'a length above it, before a byte of it came' },
  { sent: post('Content-Length: 1'), options: limited(0), why: 'a limit of nothing' },
  { sent: post('Content-Length: 5'), options: limited(100, { max_body_size: 4 }), why: "the server's own limit stays" },
]) {
  wire(`a body that is too large gets 413: ${why}`, options, async ({ client, upstream }) => {
    await client.send(sent);
    await client.expectStatus(413);
    await client.expectClosed();
    upstream.expectNoConnection();
  });
}

wire('a chunked body is cut where it passes the limit', limited('4B'), async ({ client, upstream }) => {
  await client.send(post('Transfer-Encoding: chunked'));
  const connection = await upstream.accept();
  await client.send('3\r\nabc\r\n');
  await connection.expectHead();
  await connection.expectText('3\r\nabc\r\n');
  await client.send('3\r\ndef\r\n');
  await client.expectStatus(413);
  await client.expectClosed();
  await connection.expectClosed();
});

wire('a body up to the limit passes', limited(4), async ({ client, upstream }) => {
  await client.send(`${post('Content-Length: 4')}abcd`);
  const connection = await upstream.accept();
  await connection.expectRequest({ body: 'abcd' });
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire(
  'the limit of a route is its own',
  {
    middleware: { body_limit: { max_size: 1 } },
    routes: [{ path: '/small', middleware: ['body_limit'] }, { path: '/x' }],
  },
  async ({ client, upstream }) => {
    await client.send(`${post('Content-Length: 4')}abcd`);
    const connection = await upstream.accept();
    await connection.expectRequest({ body: 'abcd' });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
    await client.send('POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd');
    await client.expectStatus(413);
  },
);

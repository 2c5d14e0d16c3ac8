import assert from 'node:assert/strict';
import { chunked } from '../support/message.ts';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const headOf = (bytes: number): string => {
  const start = 'GET / HTTP/1.1\r\nHost: a.example\r\nX-Filler: ';
  return `${start}${'f'.repeat(bytes - start.length - 4)}\r\n\r\n`;
};

wire(
  'a target of exactly max_target bytes passes, one byte more is 414',
  { server: { max_target: 64 } },
  async ({ client, upstream }) => {
    const longest = `/${'t'.repeat(63)}`;
    upstream.answerAll(({ target }) => ok(target));
    await client.send(`GET ${longest} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
    await client.expectReply({ status: 200, body: longest });
    await client.send(`GET ${longest}t HTTP/1.1\r\nHost: a.example\r\n\r\n`);
    await client.expectReply({ status: 414, headers: { 'content-type': 'application/problem+json' } });
    await client.expectClosed();
  },
);

wire('by default a target may have 8 KiB', async ({ client, upstream }) => {
  const longest = `/${'t'.repeat(8191)}`;
  upstream.answerAll(({ target }) => ok(target));
  await client.send(`GET ${longest} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  await client.expectReply({ status: 200, body: longest });
  await client.send(`GET ${longest}t HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  await client.expectStatus(414);
  await client.expectClosed();
});

wire('a target without an end is 414 before its end', async ({ client, upstream }) => {
  await client.send(`GET /${'t'.repeat(40_000)}`);
  await client.expectStatus(414);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire(
  'a head of max_header_size passes, a longer one is 431',
  { server: { max_header_size: 2048 } },
  async ({ client, upstream }) => {
    upstream.answerAll(({ fields }) => ok(String(fields.get('x-filler')?.length)));
    await client.send(headOf(2048));
    await client.expectStatus(200);
    // Whether the request line counts is the gateway's to say: beyond its length the limit has to hold in any case.
    await client.send(headOf(2048 + 'GET / HTTP/1.1\r\n'.length + 1));
    await client.expectReply({ status: 431, headers: { 'content-type': 'application/problem+json' } });
    await client.expectClosed();
  },
);

wire('by default a head of 30 KiB passes and one of 33 KiB does not', async ({ client, upstream }) => {
  upstream.answerAll(() => ok('yes'));
  await client.send(headOf(30 * 1024));
  await client.expectStatus(200);
  await client.send(headOf(33 * 1024));
  await client.expectStatus(431);
  await client.expectClosed();
});

wire('a head without an end is 431 before its end', async ({ client, upstream }) => {
  await client.send(`GET / HTTP/1.1\r\nHost: a.example\r\n${'X-A: b\r\n'.repeat(60)}X-B: ${'f'.repeat(40_000)}`);
  await client.expectStatus(431);
  await client.expectClosed();
  upstream.expectNoConnection();
});

/** Far beyond the limits: refused with what it takes to see that, however much there is of it. */
const ENORMOUS = [
  { why: '100,000 short fields', status: 431, sent: `GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(100_000)}\r\n` },
  { why: 'a field of a megabyte', status: 431, sent: headOf(1_000_000) },
  { why: 'a field name of a megabyte', status: 431, sent: `GET / HTTP/1.1\r\n${'n'.repeat(1_000_000)}: 1\r\n\r\n` },
  { why: 'a target of a megabyte', status: 414, sent: `GET /${'t'.repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n` },
  { why: 'a query of a megabyte', status: 414, sent: `GET /?${'q'.repeat(1_000_000)} HTTP/1.1\r\nHost: a\r\n\r\n` },
];

for (const { why, status, sent } of ENORMOUS) {
  wire(`${status} and closed: ${why}`, async ({ client, upstream }) => {
    await client.send(sent);
    await client.expectStatus(status);
    await client.expectClosed();
    upstream.expectNoConnection();
  });
}

wire('a method of a megabyte is refused, and the connection closed', async ({ client, upstream }) => {
  await client.send(`${'G'.repeat(1_000_000)} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  const { status } = await client.expectReply();
  assert.ok([400, 414, 431].includes(status), `status ${status}`);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('empty lines before a request are bounded', async ({ client, upstream }) => {
  await client.send('\r\n'.repeat(50_000));
  const reply = await client.expectReply();
  assert.ok(reply.status === 400 || reply.status === 431, `status ${reply.status}`);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('one hundred fields pass, one more is 431', async ({ client, upstream }) => {
  const head = (count: number) => {
    const lines = Array.from({ length: count - 1 }, (_none, index) => `X-F${index}: v\r\n`);
    return `GET / HTTP/1.1\r\nHost: a.example\r\n${lines.join('')}\r\n`;
  };
  upstream.answerAll(({ fields }) => ok(String(fields.get('x-f98'))));
  await client.send(head(100));
  await client.expectReply({ status: 200, body: 'v' });
  await client.send(head(101));
  await client.expectStatus(431);
  await client.expectClosed();
});

wire(
  'max_headers sets how many fields a head may have',
  { server: { max_headers: 3 } },
  async ({ client, upstream }) => {
    upstream.answerAll(() => ok('yes'));
    await client.send('GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nX-B: 2\r\n\r\n');
    await client.expectStatus(200);
    await client.send('GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n\r\n');
    await client.expectStatus(431);
    await client.expectClosed();
  },
);

for (const { limits, fields, why } of [
  { limits: { max_headers: 3 }, fields: ['X-A: 1', 'X-B: 2', 'X-C: 3'], why: 'max_headers' },
  { limits: { max_header_size: 256 }, fields: [`X-A: ${'a'.repeat(300)}`], why: 'max_header_size' },
]) {
  wire(
    `${why} holds for the heads of replies too`,
    { server: limits, routes: [{ retries: 0 }] },
    async ({ client, upstream }) => {
      upstream.answerAll(({ target }) => ok('yes', ...(target === '/more' ? fields : [])));
      await client.send('GET /less HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.expectStatus(200);
      await client.send('GET /more HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.expectReply({ status: 502, body: /upstream_malformed/ });
    },
  );
}

const tenBytes = { server: { max_body_size: 10 } };

wire('a body of max_body_size passes', tenBytes, async ({ client, upstream }) => {
  upstream.answerAll(({ body }) => ok(body));
  await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n0123456789');
  await client.expectReply({ status: 200, body: '0123456789' });
  await client.send(
    `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['01234', '56789'])}`,
  );
  await client.expectReply({ status: 200, body: '0123456789' });
});

wire(
  'a longer Content-Length is 413 before the body comes, and nothing goes upstream',
  tenBytes,
  async ({ client, upstream }) => {
    await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\n\r\n');
    await client.expectReply({ status: 413, headers: { 'content-type': 'application/problem+json' } });
    await client.expectClosed();
    upstream.expectNoConnection();
  },
);

wire('a longer Content-Length is 413 without a 100 before it', tenBytes, async ({ client, upstream }) => {
  await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n');
  await client.expectStatus(413);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('a length that no number can hold is refused', tenBytes, async ({ client, upstream }) => {
  await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 99999999999999999999999999\r\n\r\n');
  const { status } = await client.expectReply();
  assert.ok(status === 413 || status === 400, `status ${status}`);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire('a length that no number can hold is refused without a limit too', async ({ client, upstream }) => {
  await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 18446744073709551620\r\n\r\nabcd');
  const { status } = await client.expectReply();
  assert.ok(status === 413 || status === 400, `status ${status}`);
  await client.expectClosed();
  upstream.expectNoConnection();
});

wire(
  'a chunked body that runs over max_body_size is 413, and the upstream sees it broken off',
  tenBytes,
  async ({ client, upstream }) => {
    await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await client.send('6\r\n567890\r\n0\r\n\r\n');
    await client.expectStatus(413);
    await client.expectClosed();
    await connection.expectAborted();
  },
);

wire('a client that goes on sending its refused body still gets the 413', tenBytes, async ({ client }) => {
  await client.send('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4000000\r\n\r\n');
  const sending = client.sendUntilStalled(Buffer.alloc(65_536, 'x'), 4_000_000);
  await client.expectStatus(413);
  await sending;
  await client.expectClosed();
});

import assert from 'node:assert/strict';
import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const EXPECTING = 'POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';

wire('a client that expects 100 gets exactly one, and then its body passes', async ({ client, upstream }) => {
  await client.send(EXPECTING);
  const connection = await upstream.accept();
  const { fields } = await connection.expectHead();
  if (fields.get('expect') !== null) {
    assert.equal(fields.get('expect'), '100-continue');
    await client.expectSilence();
    await connection.send('HTTP/1.1 100 Continue\r\n\r\n');
  }
  await client.expectInterim(100);
  await client.send('abcd');
  await connection.expectText('abcd');
  await connection.send(ok('yes'));
  await client.expectReply({ status: 200, body: 'yes' });
});

wire('a client that expects 100 need not wait for it', async ({ client, upstream }) => {
  await client.send(`${EXPECTING}abcd`);
  const connection = await upstream.accept();
  await connection.expectRequest({ body: 'abcd' });
  await connection.send(ok('yes'));
  let { status } = await client.expectReplyHead();
  if (status === 100) status = (await client.expectReplyHead()).status;
  assert.equal(status, 200);
  await client.expectText('yes');
});

wire('the expectation is read whatever its case', async ({ client, upstream }) => {
  await client.send(EXPECTING.replace('100-continue', '100-Continue'));
  const connection = await upstream.accept();
  const { fields } = await connection.expectHead();
  if (fields.get('expect') !== null) await connection.send('HTTP/1.1 100 Continue\r\n\r\n');
  await client.expectInterim(100);
  await client.send('abcd');
  await connection.expectText('abcd');
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire('an HTTP/1.0 client never gets an interim reply', async ({ client, upstream }) => {
  await client.send(EXPECTING.replace('HTTP/1.1', 'HTTP/1.0'));
  await client.expectSilence();
  await client.send('abcd');
  const connection = await upstream.accept();
  await connection.expectRequest({ body: 'abcd' });
  await connection.send(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('yes')}`);
  await client.expectReply({ status: 200, body: 'yes' });
});

wire('early hints pass, before the final reply and with their fields', async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n',
  );
  await client.expectInterim(103, { link: '</a.css>; rel=preload', 'x-hop': null, 'content-length': null });
  await connection.send(`HTTP/1.1 102 Processing\r\n\r\n${ok('yes')}`);
  await client.expectInterim(102);
  await client.expectReply({ status: 200, body: 'yes' });
  await client.send(GET);
  await connection.expectHead();
  await connection.send(ok('again'));
  await client.expectReply({ status: 200, body: 'again' });
});

wire('interim replies may come byte by byte', async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  const sending = connection.sendBytewise(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok('yes')}`);
  await client.expectInterim(103, { link: '</a>' });
  await client.expectReply({ status: 200, body: 'yes' });
  await sending;
});

wire('interim replies do not end a HEAD', async ({ client, upstream }) => {
  await client.send(GET.replace('GET', 'HEAD'));
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
  await client.expectInterim(103);
  await client.expectReply({ status: 200, toHead: true, headers: { 'content-length': '4' } });
});

wire('a flood of interim replies is bounded', { routes: [{ retries: 0 }] }, async ({ client, upstream }) => {
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectHead();
  const hint = `HTTP/1.1 103 Early Hints\r\nLink: <${'a'.repeat(900)}>\r\n\r\n`;
  const offered = 64 * 1024 * 1024;
  const taken = await connection.sendUntilStalled(Buffer.from(hint.repeat(64)), offered);
  assert.ok(taken < offered, 'the gateway took every interim reply');
  // The client sees some of them, and then the end of it.
  let status = 103;
  while (status === 103) status = (await client.expectReplyHead()).status;
  assert.equal(status, 502);
  await connection.expectClosedAfter();
});

wire(
  'nothing after an interim reply but the close of the upstream is 502',
  { routes: [{ retries: 0 }] },
  async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 103 Early Hints\r\n\r\n');
    await client.expectInterim(103);
    connection.end();
    await client.expectStatus(502);
  },
);

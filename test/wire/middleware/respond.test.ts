import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runWire, type WireOptions, wire } from '../../support/wire.ts';

const responding = (respond: object): WireOptions => ({
  middleware: { respond },
  routes: [{ path: '/{page}', middleware: ['respond'] }],
});

const GET = 'GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n';

wire(
  'a text is answered with its type and length',
  responding({ body: 'User-agent: *\nDisallow:\n' }),
  async (context) => {
    const { client, upstream } = context;
    await client.send(GET);
    await client.expectReply({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': '24' },
      body: 'User-agent: *\nDisallow:\n',
    });
    upstream.expectNoConnection();
  },
);

wire('HEAD gets the same without the body', responding({ body: 'four' }), async ({ client }) => {
  await client.send(GET.replace('GET', 'HEAD'));
  await client.expectReply({ toHead: true, status: 200, headers: { 'content-length': '4' } });
});

const MAINTENANCE = {
  status: 503,
  body: '{"message":"sp\u00e4ter"}',
  content_type: 'application/json',
  headers: { 'Retry-After': '120', 'X-Page': '{path.page}' },
};

wire('status, type and headers are as configured, and text is UTF-8', responding(MAINTENANCE), async ({ client }) => {
  await client.send(GET);
  await client.expectReply({
    status: 503,
    headers: {
      'content-type': 'application/json',
      'retry-after': '120',
      'x-page': 'robots.txt',
      'content-length': '21',
    },
    body: Buffer.from(MAINTENANCE.body, 'utf8').toString('latin1'),
  });
});

wire('204 has no body', responding({ status: 204 }), async ({ client }) => {
  await client.send(GET);
  await client.expectReply({ status: 204, headers: { 'content-length': null, 'content-type': null } });
  await client.send(GET);
  await client.expectStatus(204);
});

wire(
  'a request with a body is answered at once, and its connection closed behind the reply',
  responding({ body: 'no' }),
  async ({ client }) => {
    await client.send('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    await client.expectReply({ status: 200, headers: { connection: 'close' } });
    await client.expectClosed();
  },
);

test('a file is answered as it was when the configuration was loaded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'photon-respond-'));
  const file = join(directory, 'page.html');
  writeFileSync(file, '<p>as it was');
  try {
    await runWire(responding({ body_file: file, content_type: 'text/html' }), async ({ client }) => {
      writeFileSync(file, '<p>changed');
      await client.send(GET);
      await client.expectReply({ status: 200, headers: { 'content-type': 'text/html' }, body: '<p>as it was' });
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});

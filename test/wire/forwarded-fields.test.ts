import assert from 'node:assert/strict';
import { ok, type ReceivedRequest } from '../support/upstream.ts';
import { type WireContext, wire } from '../support/wire.ts';

/** Sends one request and gives back what the upstream got of it; the reply carries `replyFields`. */
async function exchange(
  { client, upstream }: WireContext,
  lines: string[],
  replyFields: string[] = [],
): Promise<ReceivedRequest> {
  await client.send(`GET /x HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  const connection = await upstream.accept();
  const request = await connection.expectRequest();
  await connection.send(ok('yes', ...replyFields));
  return request;
}

const trusting = { server: { trusted_proxies: ['127.0.0.0/8'] } };

wire('hop-by-hop fields of a request are not forwarded, nor those that Connection names', async (context) => {
  const { fields } = await exchange(context, [
    'Host: a.example',
    'Connection: keep-alive, X-Hop',
    'Connection: x-other-hop',
    'X-Hop: 1',
    'X-Other-Hop: 2',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: gzip',
    'Upgrade: h2c',
    'X-Kept: 3',
  ]);
  for (const name of ['x-hop', 'x-other-hop', 'keep-alive', 'proxy-connection', 'upgrade']) {
    assert.equal(fields.get(name), null, name);
  }
  assert.doesNotMatch(fields.get('te') ?? '', /gzip/);
  assert.doesNotMatch(fields.get('connection') ?? '', /hop/i);
  assert.equal(fields.get('x-kept'), '3');
  await context.client.expectStatus(200);
});

wire('hop-by-hop fields of a reply are not forwarded, nor those that Connection names', async (context) => {
  await exchange(
    context,
    ['Host: a.example'],
    ['Connection: keep-alive, X-Hop', 'X-Hop: 1', 'Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive', 'X-Kept: 3'],
  );
  const { fields } = await context.client.expectReply({
    status: 200,
    headers: { 'x-hop': null, 'keep-alive': null, 'proxy-connection': null, 'x-kept': '3' },
  });
  assert.doesNotMatch(fields.get('connection') ?? '', /hop/i);
});

wire('Connection cannot take away what the gateway adds', async (context) => {
  const { fields } = await exchange(context, [
    'Host: a.example',
    'Connection: X-Forwarded-For, X-Forwarded-Proto, X-Request-ID, Via, Host',
  ]);
  assert.equal(fields.get('x-forwarded-for'), '127.0.0.1');
  assert.equal(fields.get('x-forwarded-proto'), context.gateway.scheme);
  assert.match(fields.get('x-request-id') ?? '', /./);
  assert.match(fields.get('via') ?? '', /^1\.1 \S+/);
  assert.equal(fields.get('host'), 'a.example');
  await context.client.expectStatus(200);
});

wire('other fields pass with their bytes, their lines and their order', async (context) => {
  const { fields } = await exchange(context, [
    'Host: a.example',
    'X-List: a',
    'User-Agent: test (like; a, browser)',
    'X-List: b',
    'X-Empty:',
    'X-Latin: caf\xe9',
    'Cookie: a=b; c=d',
    'Authorization: Basic YTpi',
    'X-List:   padded   ',
    'Accept-Encoding: gzip, br',
  ]);
  assert.deepEqual(fields.all('x-list'), ['a', 'b', 'padded']);
  assert.equal(fields.get('user-agent'), 'test (like; a, browser)');
  assert.equal(fields.get('x-empty'), '');
  assert.equal(fields.get('x-latin'), 'caf\xe9');
  assert.equal(fields.get('cookie'), 'a=b; c=d');
  assert.equal(fields.get('authorization'), 'Basic YTpi');
  assert.equal(fields.get('accept-encoding'), 'gzip, br');
  await context.client.expectStatus(200);
});

wire('fields of a reply pass with their bytes, their lines and their order', async (context) => {
  await exchange(context, ['Host: a.example'], ['Set-Cookie: a=1', 'X-Latin: caf\xe9', 'Set-Cookie: b=2', 'X-Empty:']);
  const { fields } = await context.client.expectStatus(200);
  assert.deepEqual(fields.all('set-cookie'), ['a=1', 'b=2']);
  assert.equal(fields.get('x-latin'), 'caf\xe9');
  assert.equal(fields.get('x-empty'), '');
});

const CLAIMS = [
  'X-Forwarded-For: 10.0.0.1',
  'X-Forwarded-For: 10.0.0.2, 10.0.0.3',
  'x-forwarded-proto: https',
  'X-Forwarded-Host: bank.example',
  'X-FORWARDED-PORT: 443',
];

wire('what a client that is not trusted says about the way it came is replaced', async (context) => {
  const { port } = context.gateway;
  const { fields } = await exchange(context, [`Host: a.example:${port}`, ...CLAIMS]);
  assert.deepEqual(fields.all('x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(fields.all('x-forwarded-proto'), [context.gateway.scheme]);
  assert.deepEqual(fields.all('x-forwarded-host'), [`a.example:${port}`]);
  assert.deepEqual(fields.all('x-forwarded-port'), [String(port)]);
  await context.client.expectStatus(200);
});

wire('the X-Forwarded fields are there for a client that sends none', async (context) => {
  const { port } = context.gateway;
  const { fields } = await exchange(context, [`Host: a.example:${port}`]);
  assert.deepEqual(fields.all('x-forwarded-for'), ['127.0.0.1']);
  assert.deepEqual(fields.all('x-forwarded-proto'), [context.gateway.scheme]);
  assert.deepEqual(fields.all('x-forwarded-host'), [`a.example:${port}`]);
  assert.deepEqual(fields.all('x-forwarded-port'), [String(port)]);
  await context.client.expectStatus(200);
});

wire('to what a trusted proxy says the gateway adds its peer', trusting, async (context) => {
  const { fields } = await exchange(context, ['Host: a.example', ...CLAIMS]);
  assert.equal(fields.get('x-forwarded-for')?.replaceAll(' ', ''), '10.0.0.1,10.0.0.2,10.0.0.3,127.0.0.1');
  assert.match(fields.get('x-forwarded-proto') ?? '', /^https\b/);
  assert.match(fields.get('x-forwarded-host') ?? '', /^bank\.example\b/);
  assert.match(fields.get('x-forwarded-port') ?? '', /^443\b/);
  await context.client.expectStatus(200);
});

// CGI, WSGI and PHP read field names as variables, in which a hyphen becomes an underscore.
wire('names that read like those which the gateway writes do not pass', async (context) => {
  const lines = ['X_Forwarded_For: 10.0.0.1', 'x-forwarded_proto: https', 'X_CLIENT-CERT_SUBJECT: CN=admin'];
  const { fields } = await exchange(context, ['Host: a.example', ...lines, 'Content_Length: 5', 'X_Own: passes']);
  for (const line of [...lines, 'Content_Length']) {
    assert.equal(fields.get(line.split(':')[0]?.toLowerCase() ?? ''), null, line);
  }
  assert.equal(fields.get('x_own'), 'passes');
  assert.deepEqual(fields.all('x-forwarded-for'), ['127.0.0.1']);
  await context.client.expectStatus(200);
});

wire(
  'a proxy outside trusted_proxies is not trusted',
  { server: { trusted_proxies: ['10.0.0.0/8'] } },
  async (context) => {
    const { fields } = await exchange(context, ['Host: a.example', ...CLAIMS]);
    assert.deepEqual(fields.all('x-forwarded-for'), ['127.0.0.1']);
    await context.client.expectStatus(200);
  },
);

wire('Via names the gateway in both directions, behind who is there already', async (context) => {
  const { fields } = await exchange(context, ['Host: a.example', 'Via: 1.0 fred'], ['Via: 1.1 origin']);
  assert.match(fields.get('via') ?? '', /^1\.0 fred, 1\.1 \S+$/);
  await context.client.expectReply({ status: 200, headers: { via: /^1\.1 origin, 1\.1 \S+$/ } });
});

wire('Via says with which version the request came', async ({ client, upstream }) => {
  await client.send('GET /x HTTP/1.0\r\nHost: a.example\r\n\r\n');
  const connection = await upstream.accept();
  const { fields } = await connection.expectHead();
  assert.match(fields.get('via') ?? '', /^1\.0 \S+$/);
  await connection.send(ok('yes').replace('HTTP/1.1', 'HTTP/1.0'));
  await client.expectReply({ status: 200, headers: { via: /^1\.0 \S+$/ } });
});

wire('the upstream and the client see the same request id', async (context) => {
  const { fields } = await exchange(context, ['Host: a.example']);
  const ids = fields.all('x-request-id');
  assert.equal(ids.length, 1);
  await context.client.expectReply({ status: 200, headers: { 'x-request-id': ids[0] ?? '' } });
});

wire('a request id of a client that is not trusted is replaced', async (context) => {
  const { fields } = await exchange(context, ['Host: a.example', 'X-Request-ID: chosen-by-the-client']);
  assert.equal(fields.all('x-request-id').length, 1);
  assert.notEqual(fields.get('x-request-id'), 'chosen-by-the-client');
  await context.client.expectStatus(200);
});

wire('a request id of a trusted proxy is taken over', trusting, async (context) => {
  const { fields } = await exchange(context, ['Host: a.example', 'X-Request-ID: chosen-by-the-proxy.1']);
  assert.deepEqual(fields.all('x-request-id'), ['chosen-by-the-proxy.1']);
  await context.client.expectReply({ status: 200, headers: { 'x-request-id': 'chosen-by-the-proxy.1' } });
});

for (const { id, why } of [
  { id: 'has a space', why: 'no token' },
  { id: 'a"b<script>', why: 'it would be repeated in replies and logs' },
  { id: 'x'.repeat(5000), why: 'too long for a log line' },
  { id: '', why: 'empty' },
  { id: 'caf\xe9', why: 'not ASCII' },
]) {
  wire(`a request id of a trusted proxy that is not sane is replaced: ${why}`, trusting, async (context) => {
    const { fields } = await exchange(context, ['Host: a.example', `X-Request-ID: ${id}`]);
    assert.equal(fields.all('x-request-id').length, 1);
    assert.notEqual(fields.get('x-request-id'), id);
    await context.client.expectReply({ status: 200, headers: { 'x-request-id': fields.get('x-request-id') } });
  });
}

wire('a reply has one request id: that of the exchange, whatever the upstream says', async (context) => {
  const { fields } = await exchange(context, ['Host: a.example'], ['X-Request-ID: of-the-upstream']);
  const reply = await context.client.expectStatus(200);
  assert.deepEqual(reply.fields.all('x-request-id'), [fields.get('x-request-id')]);
});

wire('Host passes unchanged by default', async (context) => {
  const { fields } = await exchange(context, ['Host: A.Example:8080']);
  assert.deepEqual(fields.all('host'), ['A.Example:8080']);
  await context.client.expectStatus(200);
});

wire(
  'Host is the address of the upstream with upstream_host: upstream',
  { routes: [{ upstream_host: 'upstream' }] },
  async (context) => {
    const { fields } = await exchange(context, ['Host: a.example']);
    assert.deepEqual(fields.all('host'), [`127.0.0.1:${context.upstream.port}`]);
    assert.deepEqual(fields.all('x-forwarded-host'), ['a.example']);
    await context.client.expectStatus(200);
  },
);

wire('Host is what upstream_host names', { routes: [{ upstream_host: 'internal.example' }] }, async (context) => {
  const { fields } = await exchange(context, ['Host: a.example']);
  assert.deepEqual(fields.all('host'), ['internal.example']);
  assert.deepEqual(fields.all('x-forwarded-host'), ['a.example']);
  await context.client.expectStatus(200);
});

for (const { offer, why } of [
  { offer: ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'], why: 'h2c' },
  {
    offer: [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ],
    why: 'a WebSocket on a route without',
  },
  { offer: ['Upgrade: unheard-of/1', 'Connection: upgrade'], why: 'an unknown protocol' },
]) {
  wire(`an Upgrade is dropped and the request served without it: ${why}`, async (context) => {
    const { fields } = await exchange(context, ['Host: a.example', ...offer]);
    assert.equal(fields.get('upgrade'), null);
    assert.equal(fields.get('http2-settings'), null);
    assert.doesNotMatch(fields.get('connection') ?? '', /upgrade/i);
    await context.client.expectReply({ status: 200, body: 'yes' });
  });
}

wire(
  'an upstream that takes up a protocol nobody offered it gets no tunnel',
  { routes: [{ retries: 0 }] },
  async ({ client, upstream }) => {
    const offer = ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    await client.send(`GET /x HTTP/1.1\r\nHost: a.example\r\n${offer.join('\r\n')}\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectRequest({ headers: { upgrade: null, 'http2-settings': null } });
    await connection.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nframes');
    await client.expectReply({ status: 502, headers: { upgrade: null } });
    await connection.expectClosed();
    await client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await client.expectStatus(505);
    await client.expectClosed();
    upstream.expectConnections(1);
  },
);

wire('Connection: close with the names of what the gateway adds closes, and takes nothing away', async (context) => {
  const { fields } = await exchange(context, [
    'Host: a.example',
    'Connection: close, X-Forwarded-For, X-Forwarded-Host, Via, X-Request-ID, Content-Length',
  ]);
  assert.equal(fields.get('x-forwarded-for'), '127.0.0.1');
  assert.equal(fields.get('x-forwarded-host'), 'a.example');
  assert.match(fields.get('via') ?? '', /^1\.1 \S+/);
  assert.match(fields.get('x-request-id') ?? '', /./);
  await context.client.expectReply({ status: 200, headers: { connection: 'close' } });
  await context.client.expectClosed();
});

wire('a head of 30 KiB arrives upstream whole', async (context) => {
  const cookies = Array.from({ length: 60 }, (_none, index) => `X-Cookie-${index}: ${String(index).repeat(240)}`);
  const { fields } = await exchange(context, ['Host: a.example', ...cookies]);
  for (let index = 0; index < 60; index++) assert.equal(fields.get(`x-cookie-${index}`), String(index).repeat(240));
  await context.client.expectStatus(200);
});

wire('no reply names an address behind the gateway', { routes: [{ upstream_host: 'upstream' }] }, async (context) => {
  await exchange(context, ['Host: a.example']);
  const { fields } = await context.client.expectStatus(200);
  assert.doesNotMatch(fields.toString(), /127\.0\.0\.1/);
  assert.ok(!fields.toString().includes(String(context.upstream.port)));
});

import assert from 'node:assert/strict';
import { eventually, settle } from '../support/guard.ts';
import { chunked } from '../support/message.ts';
import { ok } from '../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n';
const once = { routes: [{ retries: 0 }] };

type Line = Readonly<Record<string, unknown>>;

/** The lines so far, when there are `count` of them. */
async function linesOf({ gateway }: WireContext, count: number): Promise<readonly Line[]> {
  const lines = () => gateway.accessLines();
  await eventually(
    `${count} lines of the access log`,
    () => lines().length >= count,
    () => lines().join('\n'),
  );
  await settle();
  assert.equal(lines().length, count, lines().join('\n'));
  return lines().map((line) => JSON.parse(line) as Line);
}

function assertLine(line: Line | undefined, expected: Line): void {
  const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, line?.[key]]));
  assert.deepEqual(seen, expected, JSON.stringify(line));
}

wire('a request that is answered leaves one line, with all that is known of it', async (context) => {
  const { client, upstream, gateway } = context;
  upstream.answerAll(() => ok('hello'));
  await client.send('GET /x?key=1 HTTP/1.1\r\nHost: A.example:80\r\nUser-Agent: t\r\nReferer: http://b/?c\r\n\r\n');
  const { fields } = await client.expectStatus(200);
  const [line] = await linesOf(context, 1);
  const { time, duration_ms: duration, upstream_ms: upstreamMs, ...rest } = line ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual([duration, upstreamMs], [0, 0], 'the clock of this test stands still');
  assert.deepEqual(rest, {
    request_id: fields.get('x-request-id'),
    client_ip: '127.0.0.1',
    scheme: gateway.scheme,
    ...{ method: 'GET', host: 'a.example', path: '/x', protocol: 'HTTP/1.1', status: 200 },
    ...{ bytes_sent: 5, bytes_received: 0, route: '/**', backend: 'origin', upstream: `127.0.0.1:${upstream.port}` },
    ...{ upstream_status: 200, attempts: 1, user_agent: 't', referer: 'http://b/' },
  });
});

interface Ending {
  readonly why: string;
  readonly sent: string;
  readonly status: number;
  readonly line: Line;
  readonly options?: WireOptions;
}

const noUpstream = { upstream: undefined, attempts: undefined };

const ENDINGS: readonly Ending[] = [
  {
    why: 'a malformed head',
    sent: 'GET /x HTTP/1.1\r\nHost : a\r\n\r\n',
    status: 400,
    line: { error: 'malformed_message' },
  },
  { why: 'no request at all', sent: '\x16\x03\x01\x02\x00\r\n\r\n', status: 400, line: { method: undefined } },
  {
    why: 'two framings',
    sent: 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    status: 400,
    line: { error: 'ambiguous_framing', method: 'POST', path: '/x' },
  },
  {
    why: 'a bad target',
    sent: 'GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 400,
    line: { error: 'bad_target', path: '/%00' },
  },
  { why: 'a bad host', sent: 'GET /x HTTP/1.1\r\nHost: a b\r\n\r\n', status: 400, line: { error: 'bad_host' } },
  {
    why: 'no route',
    sent: GET,
    status: 404,
    line: { error: 'not_found', route: undefined },
    options: { routes: [{ path: '/y' }] },
  },
  {
    why: 'another method',
    sent: GET,
    status: 405,
    line: { error: 'method_not_allowed' },
    options: { routes: [{ methods: ['PUT'] }] },
  },
  { why: 'TRACE', sent: 'TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n', status: 405, line: { error: 'method_refused' } },
  {
    why: 'a body that is too large',
    sent: 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n',
    status: 413,
    line: { error: 'body_too_large', route: '/**', upstream: undefined },
    options: { server: { max_body_size: 10 } },
  },
  {
    why: 'a long target',
    sent: `GET /${'t'.repeat(9000)} HTTP/1.1\r\n`,
    status: 414,
    line: { error: 'target_too_long' },
  },
  {
    why: 'an odd expectation',
    sent: `${GET.slice(0, -2)}Expect: x\r\n\r\n`,
    status: 417,
    line: { error: 'unknown_expectation' },
  },
  {
    why: 'a large head',
    sent: `${GET.slice(0, -2)}${'X: y\r\n'.repeat(101)}\r\n`,
    status: 431,
    line: { error: 'head_too_large' },
  },
  {
    why: 'HTTP/2',
    sent: 'GET /x HTTP/2.0\r\n\r\n',
    status: 505,
    line: { error: 'version_not_supported', method: undefined },
  },
  {
    why: 'OPTIONS *',
    sent: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    status: 204,
    line: { path: '*', error: undefined },
  },
];

for (const { why, sent, status, line: expected, options = {} } of ENDINGS) {
  wire(`${why} leaves one line with status ${status}`, options, async (context) => {
    const { client, upstream } = context;
    await client.send(sent);
    const { fields, body } = await client.expectStatus(status);
    const [line] = await linesOf(context, 1);
    assertLine(line, { status, client_ip: '127.0.0.1', request_id: fields.get('x-request-id'), ...noUpstream });
    assertLine(line, { bytes_sent: body.length, ...expected });
    upstream.expectNoConnection();
  });
}

wire('nothing of one request shows up in the line of the next one', async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(() => ok('hello'));
  await client.send(GET.replace('\r\n\r\n', '\r\nUser-Agent: t\r\nReferer: r\r\n\r\n'));
  await client.expectStatus(200);
  await client.send('GET / HTTP/1.1\r\nHost: b c\r\n\r\n');
  await client.expectStatus(400);
  const [, line] = await linesOf(context, 2);
  const absent = ['host', 'route', 'backend', 'upstream', 'upstream_status', 'attempts', 'user_agent', 'referer'];
  for (const field of absent) assert.ok(!(field in (line ?? {})), field);
});

wire('an upstream that fails has not the status and the attempts of the request before', async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('hello'));
  await client.expectStatus(200);
  await client.send('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  await connection.expectRequest();
  connection.reset();
  await client.expectStatus(502);
  const [, line] = await linesOf(context, 2);
  assertLine(line, { status: 502, error: 'upstream_reset', upstream_status: undefined, attempts: 1 });
});

wire('a client that is too slow with its head leaves 408', async (context) => {
  const { client, clock } = context;
  await client.send('GET /x HTTP/1.1\r\n');
  await clock.advance(31_000);
  await client.expectStatus(408);
  assertLine((await linesOf(context, 1))[0], { status: 408, error: 'request_timeout', method: undefined });
});

wire('an upstream that nobody listens at leaves 502', { upstreams: 0, otherPorts: [1], ...once }, async (context) => {
  await context.client.send(GET);
  await context.client.expectStatus(502);
  const expected = {
    status: 502,
    error: 'upstream_connect_failed',
    upstream: '127.0.0.1:1',
    upstream_status: undefined,
  };
  assertLine((await linesOf(context, 1))[0], { ...expected, attempts: 1 });
});

wire('a silent upstream leaves 504, and how long it was waited for', once, async (context) => {
  const { client, upstream, clock } = context;
  await client.send(GET);
  await (await upstream.accept()).expectRequest();
  await clock.advanceUntil(client.expectStatus(504), 40_000);
  const [line] = await linesOf(context, 1);
  assertLine(line, { status: 504, error: 'upstream_timeout', attempts: 1 });
  assert.ok(Number(line?.['upstream_ms']) >= 30_000, String(line?.['upstream_ms']));
  assert.equal(line?.['duration_ms'], line?.['upstream_ms']);
});

wire('the times say how long the upstream took to begin and how long everything took', async (context) => {
  const { client, upstream, clock } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await clock.advance(200);
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
  await client.expectReplyHead();
  await clock.advance(300);
  await connection.send('cd');
  await client.expectText('abcd');
  const [line] = await linesOf(context, 1);
  assertLine(line, { duration_ms: 500, upstream_ms: 200, bytes_sent: 4 });
});

wire('a client that goes away while it waits leaves 499', async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  client.reset();
  await connection.expectClosed();
  const expected = { status: 499, error: 'client_closed', bytes_sent: 0, upstream_status: undefined, attempts: 1 };
  assertLine((await linesOf(context, 1))[0], expected);
});

wire('a client that goes away within its reply leaves 499 beside what the upstream said', async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
  await client.expectReplyHead();
  client.reset();
  await connection.expectClosed();
  assertLine((await linesOf(context, 1))[0], { status: 499, upstream_status: 200, bytes_sent: 3 });
});

wire('a reply that the upstream cuts leaves the status that went out, and why it ended', async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
  connection.reset();
  await client.expectTruncatedReply(200);
  assertLine((await linesOf(context, 1))[0], { status: 200, error: 'upstream_reset', bytes_sent: 3 });
});

wire('a request that is sent once more on a fresh connection leaves one line with two attempts', async (context) => {
  const { client, upstream } = context;
  await client.send(GET);
  const stale = await upstream.accept();
  await stale.expectRequest();
  await stale.send(ok('one'));
  await client.expectStatus(200);
  await client.send(GET);
  await stale.expectRequest();
  stale.reset();
  const fresh = await upstream.accept();
  await fresh.expectRequest();
  await fresh.send(ok('two'));
  await client.expectStatus(200);
  const lines = await linesOf(context, 2);
  assert.deepEqual(
    lines.map(({ attempts, status }) => [attempts, status]),
    [
      [1, 200],
      [2, 200],
    ],
  );
});

wire('requests that come together leave a line each, in their order', async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(({ target }) => ok(target));
  await client.send(['/a', '/bb', '/ccc'].map((path) => GET.replace('/x', path)).join(''));
  for (let reply = 0; reply < 3; reply++) await client.expectStatus(200);
  const lines = await linesOf(context, 3);
  assert.deepEqual(
    lines.map(({ path, bytes_sent: bytes }) => [path, bytes]),
    [
      ['/a', 2],
      ['/bb', 3],
      ['/ccc', 4],
    ],
  );
  assert.equal(new Set(lines.map(({ request_id: id }) => id)).size, 3);
});

wire('bodies count without their framing, in both directions', async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(['hello', 'world'])}`);
  const body = chunked(['abc', 'defg']);
  await client.send(`POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
  await client.expectReply({ status: 200, body: 'helloworld' });
  assertLine((await linesOf(context, 1))[0], { bytes_received: 7, bytes_sent: 10, method: 'POST' });
});

wire('a reply to HEAD has no bytes, whether it is of the upstream or ours', async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
  await client.send(GET.replace('GET', 'HEAD'));
  await client.expectReply({ status: 200, toHead: true });
  await client.send('HEAD /%00 HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.expectReply({ status: 400, toHead: true });
  const lines = await linesOf(context, 2);
  assert.deepEqual(
    lines.map(({ status, bytes_sent: bytes }) => [status, bytes]),
    [
      [200, 0],
      [400, 0],
    ],
  );
});

wire(
  'the client is the one that a trusted proxy names, with its id',
  { server: { trusted_proxies: ['127.0.0.1'] } },
  async (context) => {
    const { client, upstream } = context;
    upstream.answerAll(() => ok('hello'));
    await client.send(`${GET.slice(0, -2)}X-Forwarded-For: 192.0.2.9\r\nX-Request-ID: theirs\r\n\r\n`);
    await client.expectStatus(200);
    assertLine((await linesOf(context, 1))[0], { client_ip: '192.0.2.9', request_id: 'theirs' });
  },
);

wire('Authorization, Cookie and the query appear nowhere in the log', async (context) => {
  const { client, upstream, gateway } = context;
  upstream.answerAll(() => ok('hello'));
  const secrets = 'Authorization: Bearer hunter2\r\nCookie: a=hunter2\r\nReferer: http://u:hunter2@b/?hunter2\r\n';
  await client.send(`GET /x?token=hunter2 HTTP/1.1\r\nHost: a\r\n${secrets}\r\n`);
  await client.expectStatus(200);
  await linesOf(context, 1);
  assert.doesNotMatch(gateway.accessLines().join(), /hunter2/);
});

wire('with sample: 0 only requests that failed leave a line', { accessLog: { sample: 0 } }, async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(({ target }) => (target === '/x' ? ok('hello') : 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n'));
  await client.send(GET);
  await client.expectStatus(200);
  await client.send(GET.replace('/x', '/y'));
  await client.expectStatus(500);
  assertLine((await linesOf(context, 1))[0], { status: 500, upstream_status: 500, error: undefined });
});

wire('with enabled: false no request leaves a line', { accessLog: { enabled: false } }, async (context) => {
  const { client, upstream } = context;
  upstream.answerAll(() => ok('hello'));
  await client.send(GET);
  await client.expectStatus(200);
  await client.send('nonsense\r\n\r\n');
  await client.expectStatus(400);
  await linesOf(context, 0);
});

wire('format: combined writes what log analysers read', { accessLog: { format: 'combined' } }, async (context) => {
  const { client, upstream, gateway } = context;
  upstream.answerAll(() => ok('hello'));
  await client.send(`${GET.slice(0, -2)}User-Agent: "quoted"\r\n\r\n`);
  await client.expectStatus(200);
  const [line = ''] = gateway.accessLines();
  assert.match(line, /^127\.0\.0\.1 - - \[[^\]]{26}\] "GET \/x HTTP\/1\.1" 200 5 "-" "\\x22quoted\\x22"$/);
});

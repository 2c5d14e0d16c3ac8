import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { eventually, settle } from '../../support/guard.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-custom-reply-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;

/** Middleware `one`, `two`, ... of the route, each with these hooks. */
function hooks(bodies: readonly string[], route: object = {}, more: WireOptions = {}): WireOptions {
  const names = ['one', 'two', 'three'].slice(0, bodies.length);
  const custom = Object.fromEntries(names.map((name, index) => [name, { module: moduleOf(bodies[index] as string) }]));
  return { ...more, middleware: { custom, ...more.middleware }, routes: [{ middleware: names, ...route }] };
}

function moduleOf(body: string): string {
  const file = join(directory, `module-${++files}.ts`);
  writeFileSync(
    file,
    `import { defineMiddleware } from 'photon-gateway';\nexport default defineMiddleware({ name: 'x', create(_options: any, { log }) { return { ${body} }; } });\n`,
  );
  return file;
}

// Modules run in the process of the test: each hook waits until it says the word for the path of its request.
const words: EventEmitter = process;
const WAITING = "new Promise((done) => process.once('go ' + request.path, done))";
const WAITS = `async onResponse(reply, request) { await ${WAITING}; reply.headers.set('X-Waited', String(reply.status)); }`;
const NEVER = 'onResponse: () => new Promise(() => {})';

const hookWaits = (path = '/a') =>
  eventually(
    'the hook to wait',
    () => words.listenerCount(`go ${path}`) > 0,
    () => '',
  );

async function go(path = '/a'): Promise<void> {
  await hookWaits(path);
  words.emit(`go ${path}`);
}

const GET = 'GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n';
const PUT = 'PUT /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello';

async function reach({ client, upstream }: WireContext, sent = GET) {
  await client.send(sent);
  const connection = await upstream.accept();
  await connection.expectRequest();
  return connection;
}

for (const { why, sent = GET, reply, expected } of [
  { why: 'with a body that came with the head', reply: ok('hello'), expected: { body: 'hello', framing: 'length' } },
  { why: 'without a body', reply: 'HTTP/1.1 204 No Content\r\n\r\n', expected: { status: 204, framing: 'none' } },
  { why: 'with an empty body', reply: ok(''), expected: { body: '' } },
  {
    why: 'to a HEAD',
    sent: 'HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n',
    reply: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    expected: { headers: { 'content-length': '5' }, toHead: true },
  },
  {
    why: 'in chunks, with trailers',
    reply: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-End: yes\r\n\r\n`,
    expected: { body: 'hello', framing: 'chunked', trailers: { 'x-end': 'yes' } },
  },
  { why: 'to a request with a body', sent: PUT, reply: ok('hello'), expected: { body: 'hello' } },
] as const) {
  wire(
    `a hook may wait with a reply ${why}; what it sets then goes out, and both connections serve the next request`,
    hooks([WAITS]),
    async (context) => {
      const { client, upstream } = context;
      const connection = await reach(context, sent);
      for (let turn = 0; turn < 2; turn++) {
        await connection.send(reply);
        await hookWaits();
        await client.expectSilence();
        await go();
        const { status, fields } = await client.expectReply(expected);
        assert.deepEqual([status, fields.get('x-waited')], [expectedStatus(expected), String(status)]);
        if (turn === 1) break;
        await client.send(sent);
        await connection.expectRequest();
      }
      upstream.expectConnections(1);
    },
  );
}

const expectedStatus = (expected: object): number => ('status' in expected ? Number(expected.status) : 200);

wire('what came with the head stays what it was, whatever else is read meanwhile', hooks([WAITS]), async (context) => {
  const { client, upstream } = context;
  const connection = await reach(context);
  await connection.send(ok('a'.repeat(20_000)));
  await hookWaits();
  const other = await client.connect();
  await other.send(GET.replace('/a', '/b'));
  // The first connection has given its whole reply: it serves others.
  await connection.expectRequest({ target: '/b' });
  await connection.send(ok('b'.repeat(20_000)));
  await go('/b');
  await other.expectReply({ body: 'b'.repeat(20_000) });
  await go();
  await client.expectReply({ body: 'a'.repeat(20_000) });
  upstream.expectConnections(1);
});

const MORE_THAN_SOCKETS_HOLD = 64 * 1024 * 1024;

wire(
  'an upstream is not read while its reply waits, and the client gets every byte',
  hooks([WAITS]),
  async (context) => {
    const { client } = context;
    const connection = await reach(context);
    await connection.send('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
    const piece = Buffer.alloc(64 * 1024, 'a pattern of 23 bytes, ');
    const sentBytes = await connection.sendUntilStalled(piece, MORE_THAN_SOCKETS_HOLD);
    assert.ok(sentBytes < MORE_THAN_SOCKETS_HOLD, `all of ${sentBytes} bytes were taken`);
    await go();
    connection.end();
    const { body } = await client.expectReply({ status: 200, headers: { 'x-waited': '200' } });
    assert.equal(body.length % piece.length, 0);
    assert.ok(body.length >= sentBytes);
    assert.equal(
      body === piece.toString('latin1').repeat(body.length / piece.length),
      true,
      'bytes were lost or mixed',
    );
  },
);

wire('hooks wait one after the other, the last one of the request first', hooks([WAITS, WAITS]), async (context) => {
  const connection = await reach(context);
  await connection.send(ok('hello'));
  await go();
  await hookWaits();
  await context.client.expectSilence();
  await go();
  await context.client.expectReply({ status: 200, body: 'hello', headers: { 'x-waited': '200' } });
});

for (const { why, body } of [
  {
    why: 'its promise is rejected',
    body: `async onResponse(_reply, request) { await ${WAITING}; throw new Error('oops'); }`,
  },
  {
    why: 'it is rejected with what is no error',
    body: `onResponse: (_, request) => ${WAITING}.then(() => { throw 'oops'; })`,
  },
  {
    why: 'it sets what would end the line',
    body: `async onResponse(reply, request) { await ${WAITING}; reply.headers.set('X-A', 'oops\\n'); }`,
  },
]) {
  for (const { came, reply } of [
    { came: 'all of the reply', reply: ok('hello') },
    { came: 'a part of it', reply: 'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nX-Theirs: 1\r\n\r\nhello' },
  ]) {
    wire(
      `a hook that fails after it has waited is a 500 with its name in the log: ${why}, and ${came} has come`,
      hooks([WAITS, body]),
      async (context) => {
        const { client, gateway } = context;
        const connection = await reach(context);
        await connection.send(reply);
        await go();
        // The other hook sees the reply that goes out instead.
        await go();
        const failure = await client.expectReply({ status: 500, headers: { 'x-waited': '500', 'x-theirs': null } });
        assert.equal(JSON.parse(failure.body).type, 'urn:photon:error:middleware_failed');
        assert.match(gateway.logLines.join('\n'), /error middleware-failed \{"middleware":"two"/);
        // Nobody wants the rest: the connection is of no use to others. One that gave all of its reply is.
        if (came === 'a part of it') await connection.expectAborted();
        else await connection.expectSilence();
      },
    );
  }
}

const TIMED = { timeout: '2s' };

wire('a hook that never answers is cut by the deadline of its route', hooks([NEVER, NEVER], TIMED), async (context) => {
  const { client, clock } = context;
  const connection = await reach(context);
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello');
  await client.expectSilence();
  await clock.advance(3000);
  await client.expectStatus(504);
  await connection.expectAborted();
});

wire(
  'after the deadline hooks are called and not waited for, and one that fails then is told of',
  hooks(
    [`async onResponse(reply) { reply.headers.set('X-Seen', 'yes'); await null; throw new Error('oops'); }`, NEVER],
    TIMED,
  ),
  async (context) => {
    const { client, clock, gateway } = context;
    await (await reach(context)).send(ok('hello'));
    await client.expectSilence();
    await clock.advance(3000);
    await client.expectReply({ status: 504, headers: { 'x-seen': 'yes' } });
    await settle();
    assert.match(gateway.logLines.join('\n'), /error middleware-failed \{"middleware":"one",.*"error":"[^"]*oops/);
  },
);

wire(
  'an upstream that has answered is not to blame for a hook that takes too long',
  hooks([WAITS], TIMED, { backend: { circuit_breaker: { failure_threshold: 1 } } }),
  async (context) => {
    const { client, clock } = context;
    const first = await reach(context);
    await first.send('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello');
    await hookWaits();
    await clock.advance(3000);
    await client.expectStatus(504);
    await go();
    const second = await reach(context, GET.replace('/a', '/b'));
    await second.send(ok('hello'));
    await go('/b');
    await client.expectReply({ status: 200, body: 'hello' });
  },
);

const SAYS_NOTHING = `onResponse: (_reply, request) => ${WAITING}`;

for (const { why, sent, hook } of [
  { why: 'of a request without a body', sent: GET, hook: WAITS },
  { why: 'of a request with a body', sent: PUT, hook: WAITS },
  { why: 'the hook only lets it pass', sent: GET, hook: SAYS_NOTHING },
]) {
  wire(
    `a client that goes away ends the wait, and what its hook says later is not for the next request: ${why}`,
    hooks([hook]),
    async (context) => {
      const { client, gateway } = context;
      const connection = await reach(context, sent);
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello');
      await hookWaits();
      client.reset();
      await connection.expectAborted();
      assert.equal(gateway.plane.activeExchanges, 0);
      const next = await client.connect();
      const another = await reach({ ...context, client: next }, sent.replace('/a', '/b'));
      await another.send(ok('hers'));
      await hookWaits('/b');
      await go();
      await next.expectSilence();
      await go('/b');
      await next.expectReply({ status: 200, body: 'hers' });
      // The first hook may have wanted to set a header of a reply that was over.
      assert.doesNotMatch(gateway.logLines.join('\n'), /middleware-failed/);
    },
  );
}

wire(
  'a reply that takes the place of one that waits is not let go by what that one waited for',
  hooks(
    [SAYS_NOTHING.replace('request.path', "request.path + '/error'"), SAYS_NOTHING],
    {},
    { server: { max_body_size: '10B' } },
  ),
  async (context) => {
    const { client, upstream } = context;
    await client.send('PUT /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nearly');
    await hookWaits();
    await client.send('10\r\n1234567890123456\r\n');
    await hookWaits('/a/error');
    await go();
    await client.expectSilence();
    await go('/a/error');
    await client.expectReply({ status: 413, headers: { connection: 'close' } });
  },
);

const ANSWERS = "onRequest: () => ({ status: 201, body: 'mine' })";

for (const { why, sent } of [
  { why: 'to a request without a body', sent: GET },
  { why: 'to a request with a body', sent: PUT },
]) {
  wire(`an answer of the gateway waits too, ${why}`, hooks([`${ANSWERS}, ${WAITS}`]), async ({ client, upstream }) => {
    for (const _turn of [1, 2]) {
      await client.send(sent);
      await hookWaits();
      await client.expectSilence();
      await go();
      await client.expectReply({ status: 201, body: 'mine', headers: { 'x-waited': '201', connection: null } });
    }
    upstream.expectNoConnection();
  });

  wire(
    `a client that goes away while an answer of the gateway waits ends the exchange: ${why}`,
    hooks([`${ANSWERS}, ${WAITS}`]),
    async ({ client, gateway }) => {
      await client.send(sent);
      await hookWaits();
      client.reset();
      await eventually(
        'the exchange to end',
        () => gateway.plane.activeExchanges === 0,
        () => '',
      );
      await go();
    },
  );
}

wire(
  'a body that nobody takes is not read while an answer waits, and the connection ends with it',
  hooks([`${ANSWERS}, ${WAITS}`], {}, { server: { max_body_size: '1KB' } }),
  async ({ client }) => {
    await client.send('PUT /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n');
    await hookWaits();
    const piece = Buffer.from(`1000\r\n${'x'.repeat(0x1000)}\r\n`);
    const sentBytes = await client.sendUntilStalled(piece, MORE_THAN_SOCKETS_HOLD);
    assert.ok(sentBytes < MORE_THAN_SOCKETS_HOLD, `all of ${sentBytes} bytes were taken`);
    await go();
    await client.expectReply({ status: 201, body: 'mine', headers: { connection: 'close' } });
  },
);

wire(
  'a body that is none does not keep an answer that waits from going out',
  hooks([`${ANSWERS}, ${WAITS}`]),
  async ({ client }) => {
    await client.send('PUT /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n');
    await go();
    await client.expectReply({ status: 201, body: 'mine', headers: { connection: 'close' } });
  },
);

wire(
  'an answer whose hook fails after it has waited is a 500',
  hooks([`${ANSWERS}, async onResponse() { await null; throw 'oops'; }`]),
  async ({ client }) => {
    await client.send(GET);
    await client.expectStatus(500);
  },
);

wire(
  'an error reply waits too, and goes out as it was when its hook fails',
  hooks([WAITS, `async onResponse(reply) { reply.headers.set('X-Lost', 'no'); await null; throw new Error('oops'); }`]),
  async (context) => {
    const { client, gateway } = context;
    const connection = await reach(context, PUT.replace('PUT', 'POST'));
    connection.reset();
    await hookWaits();
    await client.expectSilence();
    await go();
    await client.expectReply({ status: 502, headers: { 'x-waited': '502' } });
    assert.match(gateway.logLines.join('\n'), /error middleware-failed \{"middleware":"two",.*"error":"[^"]*oops/);
  },
);

wire(
  'a body that is too large is refused once, though its hook waits',
  hooks([WAITS], {}, { server: { max_body_size: '10B' } }),
  async (context) => {
    const { client, upstream } = context;
    await client.send('PUT /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n');
    await upstream.accept();
    await client.send(`${'8\r\n12345678\r\n'.repeat(5)}0\r\n\r\n`);
    await hookWaits();
    await client.expectSilence();
    await go();
    await client.expectReply({ status: 413, headers: { 'x-waited': '413' } });
  },
);

wire('an interim reply passes, and the hook is not shown it', hooks([WAITS]), async (context) => {
  const connection = await reach(context);
  await connection.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n');
  await context.client.expectInterim(103);
  await connection.send(ok('hello'));
  await go();
  await context.client.expectReply({ status: 200, headers: { 'x-waited': '200' } });
});

wire('a reply to a retry waits like the first would have', hooks([WAITS]), async (context) => {
  const { client, upstream } = context;
  const first = await reach(context);
  first.reset();
  const second = await upstream.accept();
  await second.expectRequest();
  await second.send(ok('hello'));
  await go();
  await client.expectReply({ status: 200, body: 'hello', headers: { 'x-waited': '200' } });
});

wire('a reply that breaks off while it waits is cut, not tried again', hooks([WAITS]), async (context) => {
  const { client, upstream } = context;
  const connection = await reach(context);
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nhello');
  await hookWaits();
  connection.end();
  await go();
  await client.expectTruncatedReply(200);
  upstream.expectConnections(1);
});

wire('requests sent ahead are answered in their order', hooks([WAITS]), async (context) => {
  const { client } = context;
  const connection = await reach(context, GET + GET.replace('/a', '/b'));
  await connection.send(ok('first'));
  await go();
  await client.expectReply({ body: 'first' });
  await connection.expectRequest({ target: '/b' });
  await connection.send(ok('second'));
  await go('/b');
  await client.expectReply({ body: 'second' });
});

wire(
  'the head of a reply that is kept is of no use when it has gone out',
  hooks([
    `onResponse(reply, request) { ${WAITING}.then(() => {
      try { reply.headers.set('X-Late', '1'); } catch (error) { log.info('late', { message: error.message }); } }); }`,
  ]),
  async (context) => {
    const { client, gateway } = context;
    const connection = await reach(context);
    await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.expectReplyHead();
    await go();
    await settle();
    assert.match(gateway.logLines.join('\n'), /late \{"message":"the head of the reply is gone/);
    await connection.send('again');
    await client.expectText('helloagain');
  },
);

wire('a deadline while an early reply waits is not blamed on the client', hooks([NEVER], TIMED), async (context) => {
  const { client, clock, upstream } = context;
  await client.send('PUT /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhello');
  const connection = await upstream.accept();
  await connection.expectHead();
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  await client.expectSilence();
  await clock.advance(3000);
  await client.expectStatus(504);
});

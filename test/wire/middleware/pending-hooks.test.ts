import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { eventually, settle } from '../../support/guard.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

/** What else happens to an exchange while it waits for a hook: whatever the hook says later must change nothing. */

const directory = mkdtempSync(join(tmpdir(), 'photon-pending-hooks-'));
after(() => rmSync(directory, { recursive: true }));

// Modules run in the process of the test: each hook waits for the word with its own name.
const words: EventEmitter = process;
const waitFor = (word: string) => `await new Promise((done) => process.once('${word} ' + request.path, done));`;
const REQUEST_WAITS = `async onRequest(request) { ${waitFor('request')} }`;
const RESPONSE_WAITS = `async onResponse(reply, request) { ${waitFor('response')} reply.headers.set('X-Waited', String(reply.status)); }`;
const NEVER = 'onResponse: () => new Promise(() => {})';

let files = 0;

/** One middleware with these hooks on every route. */
function withHooks(hooks: string, more: WireOptions = {}): WireOptions {
  const file = join(directory, `module-${++files}.ts`);
  writeFileSync(
    file,
    `import { defineMiddleware } from 'photon-gateway';\nexport default defineMiddleware({ name: 'slow', create() { return { ${hooks} }; } });\n`,
  );
  const { routes = [{}] } = more;
  return {
    ...more,
    middleware: { custom: { slow: { module: file } } },
    routes: routes.map((route) => ({ middleware: ['slow'], ...route })),
  };
}

const hookWaits = (word: string) =>
  eventually(
    `the hook to wait for "${word}"`,
    () => words.listenerCount(word) > 0,
    () => '',
  );

async function say(word: string): Promise<void> {
  await hookWaits(word);
  words.emit(word);
  await settle();
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: orders.example\r\n\r\n`;
const CHUNKED = 'POST /upload HTTP/1.1\r\nHost: orders.example\r\nTransfer-Encoding: chunked\r\n\r\n';

const waiting = ({ gateway }: WireContext) => gateway.inFlight().at(-1);

const oneConnection = (timeout: string): WireOptions => ({
  upstream: { max_connections: 1, read_timeout: '600s' },
  backend: { queue: { size: 8, timeout } },
});

wire(
  'a request whose time in the queue is over does not go upstream while its 503 waits for a hook',
  withHooks(RESPONSE_WAITS, { ...oneConnection('500ms'), routes: [{ retries: 0 }] }),
  async (context) => {
    const { client, upstream, clock } = context;
    await client.send(get('/first'));
    const connection = await upstream.accept();
    await connection.expectRequest({ target: '/first' });
    const second = await client.connect();
    await second.send(get('/second'));
    await eventually(
      'the second to wait',
      () => waiting(context) === 1,
      () => '',
    );
    clock.advance(800);
    await hookWaits('response /second');
    assert.equal(waiting(context), 0, 'it has left the queue');
    await connection.send(ok('of the first'));
    await say('response /first');
    await client.expectReply({ status: 200, body: 'of the first' });
    await connection.expectSilence();
    const third = await client.connect();
    await third.send(get('/third'));
    await connection.expectRequest({ target: '/third' });
    await say('response /second');
    await second.expectReply({ status: 503, headers: { 'x-waited': '503' }, body: /upstreams_full/ });
    await connection.send(ok('of the third'));
    await say('response /third');
    await third.expectReply({ status: 200, body: 'of the third' });
    upstream.expectConnections(1);
  },
);

for (const { why, body, status, code } of [
  { why: 'is malformed', body: '5\r\nhello\r\nZZ\r\n', status: 400, code: /malformed_message/ },
  {
    why: 'is too large',
    body: '5\r\nhello\r\n20\r\n'.concat('x'.repeat(32), '\r\n'),
    status: 413,
    code: /body_too_large/,
  },
  {
    why: 'has a size that no number holds',
    body: `5\r\nhello\r\n${'f'.repeat(16)}\r\n`,
    status: 400,
    code: /malformed_message/,
  },
]) {
  for (const first of ['request', 'response'] as const) {
    wire(
      `a request whose second chunk ${why} is refused, and does not go upstream when its request hook settles (the ${first} hook first)`,
      withHooks(`${REQUEST_WAITS}, ${RESPONSE_WAITS}`, { server: { max_body_size: 16 } }),
      async ({ client, upstream }) => {
        await client.send(CHUNKED + body);
        await hookWaits('response /upload');
        if (first === 'request') {
          await say('request /upload');
          await settle();
          assert.equal(upstream.connectionCount, 0);
          await say('response /upload');
        } else {
          await say('response /upload');
        }
        await client.expectReply({ status, headers: { 'x-waited': String(status) }, body: code });
        await client.expectClosed();
        if (first === 'response') await say('request /upload');
        await settle();
        assert.equal(upstream.connectionCount, 0);
        const other = await client.connect();
        await other.send(get('/mine'));
        await say('request /mine');
        const connection = await upstream.accept();
        await connection.expectRequest({ method: 'GET', target: '/mine' });
        await connection.send(ok('mine'));
        await say('response /mine');
        await other.expectReply({ status: 200, body: 'mine' });
        upstream.expectConnections(1);
      },
    );
  }
}

wire(
  'what a client sends behind a malformed body completes nothing while the 400 waits for a hook',
  withHooks(RESPONSE_WAITS),
  async ({ client, upstream }) => {
    await client.send(`${CHUNKED}5\r\nhello\r\n`);
    const connection = await upstream.accept();
    await connection.expectHead({ target: '/upload' });
    await client.send('ZZ\r\n');
    await hookWaits('response /upload');
    await client.send(`0\r\n\r\n${get('/smuggled')}`);
    await settle();
    await connection.expectAborted();
    await say('response /upload');
    await client.expectReply({ status: 400, body: /malformed_message/ });
    await client.expectClosed();
    upstream.expectConnections(1);
  },
);

wire(
  'an error response that a hook holds goes out when the deadline passes, and is still of the first failure',
  withHooks(NEVER, { routes: [{ timeout: '1s', retries: 0 }] }),
  async ({ client, upstream, clock }) => {
    await client.send(`${CHUNKED}5\r\nhello\r\n`);
    const connection = await upstream.accept();
    await connection.expectHead();
    await client.send('ZZ\r\n');
    await connection.expectAborted();
    await client.expectSilence();
    clock.advance(1300);
    await client.expectReply({ status: 400, body: /malformed_message/ });
    await client.expectClosed();
  },
);

for (const { why, options, advanceMs, status, code } of [
  {
    why: 'after the timeout of the route',
    options: { routes: [{ timeout: '2s' }] },
    advanceMs: 2300,
    status: 504,
    code: /deadline_exceeded/,
  },
  {
    why: 'after middleware_timeout',
    options: { server: { middleware_timeout: '3s' } },
    advanceMs: 3300,
    status: 504,
    code: /middleware_timeout/,
  },
  { why: 'after 30 seconds, by default', options: {}, advanceMs: 30_300, status: 504, code: /middleware_timeout/ },
] as const) {
  for (const hooks of ['onRequest: () => new Promise(() => {})', NEVER]) {
    wire(
      `a hook that never settles (${hooks.slice(0, hooks.indexOf(':'))}) ends ${why}`,
      withHooks(hooks, { ...options, upstream: { max_connections: 1 } }),
      async ({ client, upstream, clock, gateway }) => {
        await client.send(get('/orders'));
        if (hooks === NEVER) {
          const connection = await upstream.accept();
          await connection.expectRequest();
          await connection.send(ok('x'.repeat(100_000)));
        }
        await settle();
        clock.advance(advanceMs - 800);
        await client.expectSilence();
        clock.advance(800);
        if (hooks === NEVER && status === 504 && /middleware/.test(code.source)) clock.advance(advanceMs);
        await client.expectReply({ status, body: code });
        if (/middleware/.test(code.source)) assert.match(gateway.logLines.join('\n'), /middleware-failed.*"slow"/);
        assert.equal(gateway.inFlight()[0], 0);
      },
    );
  }
}

wire(
  'a client that closes while a hook keeps its large reply back leaves no upstream connection behind',
  withHooks(NEVER, { ...oneConnection('20s'), routes: [{ path: '/slow/**' }, { path: '/**', middleware: [] }] }),
  async ({ client, upstream, clock, gateway }) => {
    await client.send(get('/slow/report'));
    const first = await upstream.accept();
    await first.expectRequest();
    await first.send('HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n');
    await first.sendUntilStalled(Buffer.alloc(64 * 1024, 'a'), 30_000_000);
    client.end();
    await settle();
    const other = await client.connect();
    await other.send(get('/orders'));
    await settle();
    clock.advance(2300);
    await first.expectClosed();
    const second = await upstream.accept();
    await second.expectRequest({ target: '/orders' });
    await second.send(ok('orders'));
    await other.expectReply({ status: 200, body: 'orders' });
    assert.deepEqual(gateway.inFlight(), [0, 0]);
  },
);

wire(
  'a client that has shut down its side before still gets a reply that a hook lets go within two seconds',
  withHooks(RESPONSE_WAITS),
  async ({ client, upstream, clock }) => {
    await client.send(get('/half-closed'));
    const connection = await upstream.accept();
    await connection.expectRequest();
    client.end();
    await settle();
    await connection.send(ok('all of it'));
    await hookWaits('response /half-closed');
    clock.advance(1500);
    await say('response /half-closed');
    await client.expectReply({ status: 200, body: 'all of it' });
  },
);

wire(
  'a client that shuts down its side gives a request hook no more time than middleware_timeout',
  withHooks(REQUEST_WAITS, { server: { middleware_timeout: '3s' } }),
  async ({ client, upstream, clock }) => {
    await client.send(get('/half-closed'));
    await hookWaits('request /half-closed');
    await clock.advance(2500);
    client.end();
    await settle();
    await clock.advance(800);
    await client.expectReply({ status: 504, body: /middleware_timeout/ });
    await say('request /half-closed');
    upstream.expectNoConnection();
  },
);

wire(
  'a client that shuts down its side gives a response hook no more time than middleware_timeout',
  withHooks(RESPONSE_WAITS, { server: { middleware_timeout: '1s' } }),
  async ({ client, upstream, clock }) => {
    await client.send(get('/half-closed'));
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(ok('all of it'));
    await hookWaits('response /half-closed');
    await clock.advance(900);
    client.end();
    await settle();
    await clock.advance(300);
    await client.expectReply({ status: 504, body: /middleware_timeout/ });
    await say('response /half-closed');
  },
);

wire(
  'a deadline that a hook has used up opens no breaker: the upstream had hardly any of it',
  withHooks(REQUEST_WAITS, {
    backend: { circuit_breaker: { failure_threshold: 2 } },
    routes: [{ path: '/orders', timeout: '1s', retries: 0 }, { path: '/other' }],
  }),
  async ({ client, upstream, clock }) => {
    for (let request = 0; request < 3; request++) {
      await client.send(get('/orders'));
      await hookWaits('request /orders');
      await clock.advance(950);
      await say('request /orders');
      const connection = await upstream.accept();
      await connection.expectRequest();
      await clock.advance(300);
      await client.expectReply({ status: 504, body: /deadline_exceeded/ });
      await connection.expectClosed();
    }
    upstream.answerAll(() => ok('well'));
    await client.send(get('/other'));
    await say('request /other');
    await client.expectReply({ status: 200, body: 'well' });
  },
);

wire(
  'what an upstream sends behind a reply that a hook holds does not answer the next request in the queue',
  withHooks(RESPONSE_WAITS, oneConnection('20s')),
  async (context) => {
    const { client, upstream } = context;
    await client.send(get('/first'));
    const first = await upstream.accept();
    await first.expectRequest();
    await first.send(ok('first'));
    await hookWaits('response /first');
    await first.send(ok('surplus'));
    await settle();
    const other = await client.connect();
    await other.send(get('/other'));
    await settle();
    await say('response /first');
    await client.expectReply({ body: 'first' });
    const second = await upstream.accept();
    await second.expectRequest({ target: '/other' });
    await second.send(ok('other'));
    await say('response /other');
    await other.expectReply({ body: 'other' });
  },
);

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

/*
 * Whatever the order in the configuration: ip_filter > cors > rate_limit > authentication > consumer_limit > body_limit > redirect >
 * respond > rewrite > custom > transform > headers.
 */

const directory = mkdtempSync(join(tmpdir(), 'photon-stages-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;

/** A module with these hooks. */
function moduleOf(hooks: string): string {
  const file = join(directory, `module-${++files}.ts`);
  writeFileSync(file, `export default { name: 'x', create: () => ({ ${hooks} }) };\n`);
  return file;
}

const ALICE = 'X-API-Key: key-of-alice-1';
const BOB = 'X-API-Key: key-of-bob-22';

const AUTHENTICATION = {
  auth_type: 'api_key',
  api_key: { consumers: { alice: 'key-of-alice-1', bob: 'key-of-bob-22' } },
};

/** A route with these blocks, named in the order that is the wrong one. */
const inWrongOrder = (blocks: Readonly<Record<string, object>>): WireOptions => ({
  middleware: blocks,
  routes: [{ middleware: Object.keys(blocks), retries: 0 }],
});

const get = (...lines: string[]) => `GET /x HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`;

async function statusOf({ client, upstream }: WireContext, sent: string): Promise<number> {
  upstream.answerAll(() => ok(''));
  await client.send(sent);
  const { status, fields } = await client.expectReplyHead();
  await client.inbox.take(Number(fields.get('content-length') ?? 0), 'the body of the reply');
  return status;
}

const PREFLIGHT =
  'OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://a.test\r\nAccess-Control-Request-Method: GET\r\n\r\n';

wire(
  'an address that is filtered out gets no answer to a preflight',
  inWrongOrder({ cors: { allowed_origins: ['https://a.test'] }, ip_filter: { deny: ['127.0.0.1'] } }),
  async ({ client }) => {
    await client.send(PREFLIGHT);
    await client.expectReply({ status: 403, headers: { 'access-control-allow-origin': null } });
  },
);

wire(
  'a limit by consumer comes after authentication: each has tokens of his own, and who is nobody takes none',
  inWrongOrder({
    rate_limiting: { requests_per_second: 0.1, burst: 2, key: 'consumer' },
    authentication: AUTHENTICATION,
  }),
  async (context) => {
    const sent = [get(), get(), get(), get(ALICE), get(ALICE), get(ALICE), get(BOB)];
    const statuses: number[] = [];
    for (const each of sent) statuses.push(await statusOf(context, each));
    assert.deepEqual(statuses, [401, 401, 401, 200, 200, 429, 200]);
  },
);

wire(
  'a limit by address comes before authentication: who guesses keys is stopped',
  inWrongOrder({ authentication: AUTHENTICATION, rate_limiting: { requests_per_second: 0.1, burst: 2 } }),
  async (context) => {
    const statuses: number[] = [];
    for (const each of [get(), get(), get()]) statuses.push(await statusOf(context, each));
    assert.deepEqual(statuses, [401, 401, 429]);
  },
);

for (const [name, options] of Object.entries({
  redirect: { path: '/secret' },
  respond: { body: 'secret' },
  custom: null,
})) {
  const module = moduleOf("onRequest: () => ({ body: 'secret' })");
  const blocks = options === null ? { custom: { mine: { module } } } : { [name]: options };
  wire(
    `nothing is answered by ${name} before it is known who asks`,
    {
      middleware: { ...blocks, authentication: AUTHENTICATION },
      routes: [{ middleware: [options === null ? 'mine' : name, 'authentication'] }],
    },
    async ({ client, upstream }) => {
      await client.send(get());
      const reply = await client.expectReply({ status: 401, headers: { location: null } });
      assert.doesNotMatch(reply.body, /secret/);
      upstream.expectNoConnection();
    },
  );
}

wire(
  'transform has the last word over what a module of yours sets',
  {
    middleware: {
      transform: { request_headers: { set: { 'X-A': 'transform' } } },
      custom: { mine: { module: moduleOf("onRequest: (r) => { r.headers.set('X-A', 'mine'); }") } },
    },
    routes: [{ middleware: ['transform', 'mine'] }],
  },
  async ({ client, upstream }) => {
    await client.send(get());
    const connection = await upstream.accept();
    const { fields } = await connection.expectRequest();
    assert.deepEqual(fields.all('x-a'), ['transform']);
    await connection.send(ok(''));
    await client.expectStatus(200);
  },
);

wire(
  'the response hooks of those alone run whose request hooks have run',
  {
    middleware: {
      transform: { response_headers: { set: { 'X-Inside': 'yes' } } },
      custom: { mine: { module: moduleOf("onResponse: (reply) => reply.headers.set('X-Mine', 'yes')") } },
      authentication: AUTHENTICATION,
      cors: { allowed_origins: ['*'] },
    },
    routes: [{ middleware: ['transform', 'mine', 'authentication', 'cors'] }],
  },
  async ({ client, upstream }) => {
    const outside = { 'x-inside': null, 'x-mine': null, 'access-control-allow-origin': '*' };
    await client.send(get());
    await client.expectReply({ status: 401, headers: outside });
    await client.send(get(ALICE));
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(ok(''));
    await client.expectReply({ status: 200, headers: { ...outside, 'x-inside': 'yes', 'x-mine': 'yes' } });
  },
);

wire(
  'a request that asks about a method and is no OPTIONS is no preflight',
  inWrongOrder({ cors: { allowed_origins: ['*'] } }),
  async (context) => {
    assert.equal(await statusOf(context, get('Origin: https://a.test', 'Access-Control-Request-Method: PUT')), 200);
  },
);

wire(
  'a body that comes after a module has waited goes on to the upstream',
  {
    middleware: {
      custom: { mine: { module: moduleOf('onRequest: () => new Promise((done) => setImmediate(done))') } },
    },
    routes: [{ middleware: ['mine'] }],
  },
  async ({ client, upstream }) => {
    await client.send('PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectHead();
    await client.send('hello');
    await connection.expectText('hello');
    await connection.send(ok(''));
    await client.expectStatus(200);
  },
);

/** The first request waits for ever, until the second one is here; then it fails. */
const FAILS_LATE = `onRequest: (r) => {
  if (r.headers.has('X-Now')) { setImmediate(() => globalThis.failLate(new Error('too late'))); return; }
  return new Promise((_, reject) => { globalThis.failLate = reject; });
}`;

wire(
  'a module that fails when its request is over does not harm the next one on the connection',
  {
    middleware: { custom: { mine: { module: moduleOf(FAILS_LATE) } } },
    routes: [{ middleware: ['mine'], timeout: '2s' }],
  },
  async ({ client, upstream, clock }) => {
    await client.send(get());
    await clock.advance(3000);
    await client.expectStatus(504);
    await client.send(get('X-Now: 1'));
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(ok('fine'));
    await client.expectReply({ status: 200, body: 'fine' });
  },
);

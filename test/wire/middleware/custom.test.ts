import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bufferBytes } from '../../support/garbage.ts';
import { eventually } from '../../support/guard.ts';
import { ok } from '../../support/upstream.ts';
import { runWire, type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const MIB = 1024 * 1024;
const directory = mkdtempSync(join(tmpdir(), 'photon-custom-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;

/** A module whose `create` has this body. */
function moduleOf(body: string): string {
  const file = join(directory, `module-${++files}.ts`);
  writeFileSync(
    file,
    `import { defineMiddleware } from 'photon-gateway';\nexport default defineMiddleware({ name: 'x', create(options: any, { log }) { ${body} } });\n`,
  );
  return file;
}

const using = (module: string, options: object = {}, route: object = {}): WireOptions => ({
  middleware: { custom: { mine: { module, options } } },
  routes: [{ path: '/u/{id}', middleware: ['mine'], ...route }],
});

const hooks = (body: string, route: object = {}) => using(moduleOf(`return { ${body} };`), {}, route);

const GET = 'GET /u/7?q=1 HTTP/1.1\r\nHost: a.example\r\nX-In: one\r\nX_In: two\r\n\r\n';

async function exchange({ client, upstream }: WireContext, sent = GET, ...replyLines: string[]) {
  await client.send(sent);
  const connection = await upstream.accept();
  const request = await connection.expectRequest();
  await connection.send(ok('yes', ...replyLines));
  return request;
}

wire(
  'a module sees the request',
  hooks(`onRequest: (r) => ({ body: JSON.stringify([r.method, r.path, r.query.get('q'), r.host, r.clientAddress, r.scheme,
    r.route, r.consumer, r.pathParameters, r.headers.get('x-in'), r.headers.has('nothing'), r.id !== '']) })`),
  async ({ client, upstream }) => {
    await client.send(GET);
    const reply = await client.expectReply({ status: 200 });
    const scheme = process.env['PHOTON_WIRE_TLS'] === '1' ? 'https' : 'http';
    const seen = ['GET', '/u/7', '1', 'a.example', '127.0.0.1', scheme, '/u/{id}', '', { id: '7' }, 'one', false, true];
    assert.deepEqual(JSON.parse(reply.body), seen);
    upstream.expectNoConnection();
  },
);

wire(
  'a module changes the headers of the request, and nothing is left of what it takes out',
  hooks(`onRequest: (r) => { r.headers.set('X-In', r.headers.get('x-in') + '!'); r.headers.append('X-More', 'a');
    r.headers.append('X-More', 'b'); r.headers.delete('Via'); }`),
  async (context) => {
    const { fields } = await exchange(context);
    assert.deepEqual([fields.all('x-in'), fields.all('x_in')], [['one!'], []], fields.toString());
    assert.deepEqual([fields.all('x-more'), fields.get('via')], [['a', 'b'], null]);
    await context.client.expectStatus(200);
  },
);

wire(
  'a name that a module writes with an underscore is taken out as well as any other',
  hooks("onRequest: (r) => { r.headers.set('X_In', 'ours'); r.headers.delete('X_Out'); }"),
  async (context) => {
    const sent = 'GET /u/7 HTTP/1.1\r\nHost: a\r\nX_In: one\r\nX-In: two\r\nX_Out: three\r\nX-Out: four\r\n\r\n';
    const { fields } = await exchange(context, sent);
    assert.deepEqual([fields.all('x_in'), fields.all('x-in')], [['ours'], []]);
    assert.deepEqual([fields.all('x_out'), fields.all('x-out')], [[], []]);
    await context.client.expectStatus(200);
  },
);

wire(
  'a module changes the headers of the reply, and its hooks share what they know of the request',
  hooks(`onRequest: (r) => { r.state.set('id', r.pathParameters.id); },
    onResponse: (reply, r) => { reply.headers.set('X-Id', r.state.get('id') + ' ' + reply.status + ' ' + reply.isOurs);
      reply.headers.delete('Server'); }`),
  async (context) => {
    await exchange(context, GET, 'Server: secret', 'X-Id: theirs');
    const { fields } = await context.client.expectReply({ status: 200, headers: { server: null } });
    assert.deepEqual(fields.all('x-id'), ['7 200 false']);
  },
);

wire(
  'one request after the other has what is its own, though the gateway uses one object for them',
  hooks(`onRequest: (r) => { r.state.set('n', (r.state.get('n') ?? 0) + 1); },
    onResponse: (reply, r) => reply.headers.set('X-N', String(r.state.get('n')))`),
  async ({ client, upstream }) => {
    await client.send(GET);
    const connection = await upstream.accept();
    for (let turn = 0; turn < 3; turn++) {
      await connection.expectRequest();
      await connection.send(ok('yes'));
      await client.expectReply({ status: 200, headers: { 'x-n': '1' } });
      if (turn < 2) await client.send(GET);
    }
  },
);

wire(
  'a module that waits lets others pass, and the body waits with the request',
  hooks(
    `onRequest: async (r) => { await new Promise((done) => setImmediate(done)); r.headers.set('X-Waited', 'yes'); }`,
  ),
  async (context) => {
    const sent = 'PUT /u/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    const { fields, body } = await exchange(context, sent);
    assert.deepEqual([fields.get('x-waited'), body], ['yes', 'hello']);
    await context.client.expectStatus(200);
  },
);

wire(
  'a client that sends a body on and on while a module waits is stopped, and the body waits in the system and not in memory',
  hooks('onRequest: () => new Promise((go) => { globalThis.letGo = go; })'),
  async ({ client, upstream }) => {
    const total = 256 * MIB;
    await client.send(`PUT /u/7 HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    const before = bufferBytes();
    const taken = await client.sendUntilStalled(Buffer.alloc(65_536, 'b'), total);
    assert.ok(taken < 32 * MIB, `${taken} bytes were taken`);
    assert.ok(bufferBytes() - before < 2 * MIB, `${bufferBytes() - before} bytes are held in memory`);
    (globalThis as { letGo?: () => void }).letGo?.();
    const connection = await upstream.accept();
    await connection.expectHead();
    await eventually(
      'the rest to arrive',
      () => connection.inbox.totalBytes >= taken,
      () => connection.inbox.describe(),
    );
  },
);

for (const { body, why } of [
  { body: "onRequest: () => { throw new Error('oops'); }", why: 'it throws' },
  { body: "onRequest: async () => { throw new Error('oops'); }", why: 'its promise is rejected' },
  { body: "onRequest: () => { throw 'oops'; }", why: 'it throws what is no error' },
  { body: "onRequest: (r) => r.headers.set('Content-Length', 'oops')", why: 'it sets what is about the framing' },
  { body: "onRequest: (r) => r.headers.set('X-A', 'oops\\r\\nX-B: 1')", why: 'it would end the line' },
  { body: "onRequest: (r) => r.headers.set('X-A', 5 /* oops */)", why: 'it sets what is no text' },
  { body: "onRequest: (r) => r.headers.set('X-A', ['oops'])", why: 'it sets a list' },
  { body: "onRequest: (r) => r.headers.append('X-A', undefined /* oops */)", why: 'it appends nothing' },
  { body: "onRequest: (r) => r.headers.delete('Connection oops')", why: 'it names what cannot be a header' },
  { body: 'onRequest: () => ({ status: 42 /* oops */ })', why: 'it replies with no status' },
  { body: 'onRequest: () => ({ status: 101 /* oops */ })', why: 'it replies with an interim status' },
  { body: "onRequest: () => ({ headers: { 'X oops': '1' } })", why: 'it replies with what cannot be a header' },
  { body: "onRequest: () => ({ headers: { 'X-A': 'oops\\n' } })", why: 'it replies with what would end the line' },
  { body: "onRequest: () => ({ headers: { 'Transfer-Encoding': 'oops' } })", why: 'it replies with its own framing' },
  { body: "onRequest: () => ({ headers: { 'X-A': 5 /* oops */ } })", why: 'it replies with a header that is no text' },
  { body: "onRequest: () => ({ headers: [['X-A', 'oops']] })", why: 'it replies with a list of headers' },
  { body: "onRequest: () => ({ headers: new Map([['X-A', 'oops']]) })", why: 'it replies with a Map of headers' },
  {
    body: "onRequest: () => ({ headers: new Headers({ 'X-A': 'oops' }) })",
    why: 'it replies with the headers of fetch',
  },
  { body: "onRequest: () => ({ status: '403' /* oops */ })", why: 'it replies with a status that is a text' },
  { body: "onRequest: () => ({ status: 403, body: { a: 'oops' } })", why: 'it replies with a body that is no text' },
  { body: 'onRequest: () => ({ body: [111, 111, 112, 115] })', why: 'it replies with a list of bytes' },
]) {
  wire(
    `a module that fails is a 500 for that request, and is named in the log: ${why}`,
    hooks(body),
    async (context) => {
      const { client, upstream, gateway } = context;
      await client.send(GET);
      const reply = await client.expectReply({ status: 500 });
      assert.equal(JSON.parse(reply.body).type, 'urn:photon:error:middleware_failed');
      assert.doesNotMatch(reply.body, /oops/);
      assert.match(gateway.logLines.join('\n'), /error middleware-failed \{"middleware":"mine"/);
      upstream.expectNoConnection();
    },
  );
}

/** What is neither nothing nor a reply; `got` is what the log calls it. */
const NO_REPLIES = [
  { returned: 'true', got: 'a value of type boolean', why: 'a boolean' },
  { returned: 'false', got: 'a value of type boolean', why: 'a boolean that means no' },
  { returned: 'null', got: 'null', why: 'null' },
  { returned: '403', got: 'a value of type number', why: 'a status alone' },
  { returned: "'secret text'", got: 'a value of type string', why: 'a body alone' },
  { returned: '() => ({ status: 403 })', got: 'a value of type function', why: 'a function' },
  { returned: '[{ status: 403 }]', got: 'an object of Array', why: 'a list' },
  { returned: "new Map([['status', 403]])", got: 'an object of Map', why: 'a Map' },
  { returned: 'new Response(null, { status: 403 })', got: 'an object of Response', why: 'a reply of fetch' },
  { returned: 'new Error("secret text")', got: 'an object of Error', why: 'an error that is not thrown' },
  { returned: '{}', got: 'an empty object', why: 'an object that says nothing' },
  { returned: '{ stauts: 403 }', got: 'an object with "stauts"', why: 'a misspelt key' },
  { returned: "{ status: 403, text: 'secret text' }", got: 'an object with "text"', why: 'one key too many' },
] as const;

const lineOf = (gateway: WireContext['gateway'], event: string): { readonly [field: string]: unknown } => {
  const line = gateway.logLines.find((each) => each.startsWith(`error ${event} `));
  return JSON.parse(line?.slice(`error ${event} `.length) ?? '{}');
};

for (const { returned, got, why } of NO_REPLIES) {
  for (const hook of [`onRequest: () => (${returned})`, `onRequest: async () => (${returned})`]) {
    wire(
      `what onRequest returns and is no reply does not pass for one: ${why}, ${hook}`,
      hooks(hook),
      async (context) => {
        const { client, upstream, gateway } = context;
        await client.send(GET);
        const reply = await client.expectReply({ status: 500 });
        assert.equal(JSON.parse(reply.body).type, 'urn:photon:error:middleware_failed');
        const { middleware, error } = lineOf(gateway, 'middleware-failed');
        assert.equal(middleware, 'mine');
        const [said] = String(error).split('\n');
        assert.equal(
          said,
          `TypeError: Cannot use what onRequest returned: want nothing, an object {status, headers, body}, or a promise of either, got ${got}`,
        );
        upstream.expectNoConnection();
      },
    );
  }
}

for (const { returned, got, why } of [
  ...NO_REPLIES,
  { returned: '{ status: 403 }', got: 'an object', why: 'a reply that would not go out' },
]) {
  wire(
    `onResponse has nothing to return, and what it returns all the same is a 500: ${why}`,
    hooks(`onResponse: (_reply, r) => r.query.get('q') === '1' ? (${returned}) : Promise.resolve(${returned})`),
    async (context) => {
      const { client, gateway } = context;
      await exchange(context);
      await client.expectStatus(500);
      const { middleware, error } = lineOf(gateway, 'middleware-failed');
      assert.equal(middleware, 'mine');
      const [said] = String(error).split('\n');
      const kind = got.replace(/ with .*/, '');
      assert.equal(
        said,
        `TypeError: Cannot use what onResponse returned: want nothing, or a promise of nothing, got ${kind}`,
      );
      await exchange(context, GET.replace('q=1', 'q=2'));
      await client.expectStatus(500);
    },
  );
}

for (const { thenable, status, why } of [
  { thenable: '{ then(done) { done({ status: 403 }); } }', status: 403, why: 'a reply at once' },
  { thenable: '{ then(done) { setImmediate(done, { status: 403 }); } }', status: 403, why: 'a reply later' },
  { thenable: 'Object.assign(() => {}, { then(done) { done({ status: 403 }); } })', status: 403, why: 'a function' },
  { thenable: '{ then(done) { done(); } }', status: 200, why: 'nothing' },
  { thenable: '{ then(done) { done(true); } }', status: 500, why: 'what is no reply' },
  { thenable: '{ then(_done, fail) { fail(new Error("oops")); } }', status: 500, why: 'a failure' },
  { thenable: '{ then() { throw new Error("oops"); } }', status: 500, why: 'then itself throws' },
  { thenable: '{ get then() { throw new Error("oops"); } }', status: 500, why: 'there is no looking at it' },
]) {
  wire(
    `what onRequest returns is waited for, whoever made the promise: ${why}`,
    hooks(`onRequest: () => (${thenable})`),
    async (context) => {
      if (status === 200) await exchange(context);
      else await context.client.send(GET);
      await context.client.expectStatus(status);
    },
  );
}

wire(
  'what onResponse returns is waited for, whoever made the promise',
  hooks(
    "onResponse: (reply) => ({ then(done) { setImmediate(() => { reply.headers.set('X-Late', 'yes'); done(); }); } })",
  ),
  async (context) => {
    await exchange(context);
    await context.client.expectReply({ status: 200, headers: { 'x-late': 'yes' } });
  },
);

wire(
  'a failure of what onFinish returns is told with the name, whoever made the promise',
  hooks('onFinish: () => ({ then(_done, fail) { fail(new Error("oops")); } })'),
  async (context) => {
    await exchange(context);
    await context.client.expectStatus(200);
    await eventually(
      'the failure to be told',
      () => context.gateway.logLines.some((line) => line.includes('oops')),
      () => context.gateway.logLines.join('\n'),
    );
    assert.equal(lineOf(context.gateway, 'middleware-failed')['middleware'], 'mine');
  },
);

wire(
  'a module whose response hook fails is a 500, and the upstream is let go',
  hooks("onResponse: () => { throw new Error('oops'); }"),
  async (context) => {
    await exchange(context);
    await context.client.expectStatus(500);
  },
);

wire(
  'a module that fails on a reply that says so already takes nothing from it but its own lines',
  {
    middleware: {
      cors: { allowed_origins: ['https://a.example'] },
      custom: {
        mine: {
          module: moduleOf(`return { onRequest: () => { throw new Error('oops'); },
            onResponse: () => { throw new Error('again'); } };`),
        },
      },
    },
    routes: [{ middleware: ['mine', 'cors'] }],
  },
  async ({ client, upstream, gateway }) => {
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://a.example\r\n\r\n');
    const headers = { 'access-control-allow-origin': 'https://a.example' };
    const reply = await client.expectReply({ status: 500, headers });
    assert.equal(JSON.parse(reply.body).type, 'urn:photon:error:middleware_failed');
    assert.equal(gateway.logLines.filter((line) => line.includes('middleware-failed')).length, 2);
    upstream.expectNoConnection();
  },
);

const ECHO = moduleOf('return { onRequest: () => ({ body: JSON.stringify(options) }) };');

wire(
  'a module has in every route the options of that route',
  {
    middleware: { custom: { mine: { module: ECHO, options: { a: 1 } } } },
    routes: [
      { path: '/one', middleware: ['mine'] },
      { path: '/two', middleware: [{ mine: { a: 2 } }] },
    ],
  },
  async ({ client }) => {
    await client.send('GET /one HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.expectReply({ status: 200, body: '{"a":1}' });
    await client.send('GET /two HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.expectReply({ status: 200, body: '{"a":2}' });
  },
);

wire(
  'a module that never answers is cut by the deadline of its route',
  hooks('onRequest: () => new Promise(() => {})', { timeout: '2s' }),
  async ({ client, clock, upstream }) => {
    await client.send(GET);
    await clock.advance(3000);
    await client.expectStatus(504);
    upstream.expectNoConnection();
  },
);

wire(
  'a request that is kept is of no use when it is over: it would be another one',
  using(
    moduleOf('let kept; return { onRequest: (r) => { if (kept) return { body: String(kept.path) }; kept = r; } };'),
  ),
  async (context) => {
    await exchange(context);
    await context.client.expectStatus(200);
    await context.client.send(GET);
    await context.client.expectStatus(500);
  },
);

wire(
  'a module hears how the exchange ended',
  using(moduleOf("return { onFinish: (outcome) => log.info('ended', outcome) };")),
  async (context) => {
    await exchange(context);
    await context.client.expectStatus(200);
    assert.match(context.gateway.logLines.join('\n'), /info ended \{"status":200,"error":null\}/);
  },
);

const EXAMPLES = join(import.meta.dirname, '../../../examples/middleware');

const TENANTS = using(join(EXAMPLES, 'require-tenant.ts'), { tenants: ['acme'] });

wire('the example of tenants does what it says', TENANTS, async (context) => {
  const { client } = context;
  const sent = 'GET /u/7 HTTP/1.1\r\nHost: a\r\nX-Tenant: acme\r\nX-Internal-Tenant: evil\r\n\r\n';
  const { fields } = await exchange(context, sent);
  assert.deepEqual([fields.get('x-tenant'), fields.all('x-internal-tenant')], [null, ['acme']]);
  await client.expectReply({ status: 200, headers: { 'x-tenant': 'acme' } });
  await client.send(GET);
  await client.expectReply({ status: 403, body: 'Which tenant are you?\n' });
});

let shopIsOpen = true;
const shop = createServer((_request, reply) => reply.writeHead(shopIsOpen ? 200 : 404).end());

before(async () => {
  await new Promise<void>((done) => shop.listen(0, '127.0.0.1', done));
});

after(() => {
  shop.closeAllConnections();
  shop.close();
});

test('the example of opening hours does what it says', async () => {
  const { port } = shop.address() as { port: number };
  const options = { url: `http://127.0.0.1:${port}/`, keep_ms: 0 };
  await runWire(using(join(EXAMPLES, 'business-hours.ts'), options), async (context) => {
    await exchange(context);
    await context.client.expectStatus(200);
    shopIsOpen = false;
    await context.client.send(GET);
    await context.client.expectReply({ status: 503, headers: { 'retry-after': '600' } });
  });
});

for (const { hook, body } of [
  { hook: 'onRequest', body: "onRequest: () => { throw new Error('oops'); }" },
  { hook: 'onRequest', body: "onRequest: async () => { throw new Error('oops'); }" },
  { hook: 'onResponse', body: "onResponse: () => { throw new Error('oops'); }" },
  { hook: 'onResponse', body: "onResponse: async () => { throw new Error('oops'); }" },
  { hook: 'onFinish', body: "onFinish: () => { throw new Error('oops'); }" },
  { hook: 'onFinish', body: "onFinish: async () => { throw new Error('oops'); }" },
]) {
  wire(
    `the log says which hook failed, on which route and for which request: ${body}`,
    hooks(body),
    async (context) => {
      const { client, upstream, gateway } = context;
      upstream.answerAll(() => ok('fine'));
      const lines: unknown[] = [];
      const ids: unknown[] = [];
      // The second request is another one on the same exchange.
      for (const count of [1, 2]) {
        await client.send(GET);
        const { fields } = await client.expectReply();
        ids.push(fields.get('x-request-id'));
        const isFailure = (line: string) => line.startsWith('error middleware-failed ');
        await eventually(
          'the failure to be logged',
          () => gateway.logLines.filter(isFailure).length === count,
          () => gateway.logLines.join('\n'),
        );
        const { error, failures, ...where } = JSON.parse(
          gateway.logLines.filter(isFailure).at(-1)?.slice('error middleware-failed '.length) ?? '{}',
        );
        assert.match(error, /oops/);
        lines.push(where);
      }
      assert.deepEqual(
        lines,
        ids.map((requestId) => ({ middleware: 'mine', hook, requestId, route: '/u/{id}' })),
      );
    },
  );
}

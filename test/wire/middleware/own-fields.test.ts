import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { OWN_REQUEST_FIELDS, OWN_RESPONSE_FIELDS } from '../../../src/http/own-fields.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

/*
 * A field that the gateway writes goes out once, whoever else has written it: an upstream, or a client, that finds two may take either.
 */

const directory = mkdtempSync(join(tmpdir(), 'photon-own-fields-'));
after(() => rmSync(directory, { recursive: true }));

let files = 0;

/** A route with middleware of users that has these hooks, and what else is given. */
function hooks(body: string, route: object = {}, more: WireOptions = {}): WireOptions {
  const module = join(directory, `module-${++files}.ts`);
  writeFileSync(module, `export default { name: 'x', create: () => ({ ${body} }) };`);
  const { middleware = [], ...rest } = route as { middleware?: readonly string[] };
  return {
    ...more,
    middleware: { custom: { mine: { module } }, ...more.middleware },
    routes: [{ path: '/api/**', middleware: ['mine', ...middleware], ...rest }],
  };
}

const HEADS = [
  { head: 'GET /api/u HTTP/1.1\r\nHost: a.example\r\nX-Own: 1\r\n', why: 'a head as we would write it' },
  { head: 'GET /api/u HTTP/1.1\r\nHost:a.example\r\nX-Own: 1\r\n', why: 'no blank behind the colon' },
  { head: 'GET /api/u HTTP/1.1\r\nX-Own: 1\r\nhost: a.example \r\n', why: 'a blank behind the value' },
  { head: 'GET http://b.example/api/u HTTP/1.1\r\nHost: a.example\r\n', why: 'an absolute target' },
  { head: 'GET /api/./u HTTP/1.1\r\nHost: a.example\r\n', why: 'a path that is not normal' },
  { head: 'GET /api/u HTTP/1.1\r\nHost: a.example\r\nConnection: Host, X-Own\r\n', why: 'Connection names Host' },
  { head: 'GET /api/u HTTP/1.0\r\nX-Own: 1\r\n', why: 'HTTP/1.0 without Host' },
];

const ROUTES = [{}, { strip_prefix: '/api' }, { upstream_host: 'upstream' }, { upstream_host: 'name.internal' }];

async function reach({ client, upstream }: WireContext, head: string, ...replyLines: string[]) {
  await client.send(`${head}\r\n`);
  const connection = await upstream.accept();
  const { fields } = await connection.expectRequest();
  await connection.send(ok('yes', ...replyLines));
  return fields;
}

for (const { head, why } of HEADS) {
  for (const route of ROUTES) {
    const written = JSON.stringify(route);
    for (const hook of [
      "onRequest: (r) => { r.headers.set('Host', 'one.internal'); r.headers.set('HOST', 'set.internal:8080'); }",
      "onRequest: async (r) => { await null; r.headers.set('host', 'set.internal:8080'); }",
    ]) {
      wire(
        `the Host that a module sets is the only one: ${why}, ${written}, ${hook}`,
        hooks(hook, route),
        async (context) => {
          const fields = await reach(context, head);
          assert.deepEqual(fields.all('host'), ['set.internal:8080'], fields.toString());
          await context.client.expectStatus(200);
        },
      );
    }
  }

  wire(
    `each field that the gateway writes into a request stands there once, also where modules set all of them: ${why}`,
    hooks(
      `onRequest: (r) => { for (const name of ${JSON.stringify([...OWN_REQUEST_FIELDS])}) r.headers.set(name, 'set.internal'); }`,
      {},
      { server: { trusted_proxies: ['127.0.0.1'] } },
    ),
    async (context) => {
      const forged = [...OWN_REQUEST_FIELDS].filter((name) => name !== 'host');
      const lines = forged.map((name) => `${name}: forged\r\n${name.replaceAll('-', '_')}: forged\r\n`);
      const fields = await reach(context, `${head}${lines.join('')}`);
      for (const name of OWN_REQUEST_FIELDS) {
        assert.deepEqual(fields.all(name), ['set.internal'], fields.toString());
        if (name.includes('-')) assert.deepEqual(fields.all(name.replaceAll('-', '_')), [], fields.toString());
      }
      await context.client.expectStatus(200);
    },
  );
}

wire(
  'the Host that a module sets is the only one on a retry too',
  hooks("onRequest: (r) => { r.headers.set('Host', 'set.internal'); }", {}, { upstreams: 2 }),
  async ({ client, upstreams }) => {
    await client.send('GET /api/u HTTP/1.1\r\nHost:a.example\r\n\r\n');
    for (const [index, upstream] of upstreams.entries()) {
      const connection = await upstream.accept();
      const { fields } = await connection.expectRequest();
      assert.deepEqual(fields.all('host'), ['set.internal']);
      if (index === 0) connection.reset();
      else await connection.send(ok('yes'));
    }
    await client.expectStatus(200);
  },
);

wire(
  'the Host that a module sets for one request is not that of the next',
  hooks("onRequest: (r) => { if (r.path === '/api/set') r.headers.set('Host', 'set.internal'); }"),
  async ({ client, upstream }) => {
    await client.send('GET /api/set HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const connection = await upstream.accept();
    assert.deepEqual((await connection.expectRequest()).fields.all('host'), ['set.internal']);
    await connection.send(ok('yes'));
    await client.expectStatus(200);
    await client.send('GET /api/next HTTP/1.1\r\nHost: a.example\r\n\r\n');
    assert.deepEqual((await connection.expectRequest()).fields.all('host'), ['a.example']);
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

for (const name of [...OWN_REQUEST_FIELDS, 'X_Request_ID', 'X_Forwarded_For', 'Content_Length', 'Transfer_Encoding']) {
  wire(
    `a module cannot put another ${name} beside that of the gateway into a request`,
    hooks(`onRequest: (r) => { r.headers.append('${name}', '1'); }`),
    async ({ client, upstream, gateway }) => {
      await client.send('GET /api/u HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.expectStatus(500);
      assert.match(
        gateway.logLines.join('\n'),
        /middleware-failed \{"middleware":"mine",.*"error":"TypeError: Cannot /,
      );
      upstream.expectNoConnection();
    },
  );
}

for (const { hook, why } of [
  { hook: "r.headers.delete('Host')", why: 'no Host' },
  { hook: "r.headers.set('Host', '')", why: 'an empty Host' },
  { hook: "r.headers.set('Host', 'a b')", why: 'a Host that is none' },
  { hook: "r.headers.set('Host', 'user@a.example')", why: 'a Host with a user' },
  { hook: "r.headers.set('Content_Length', '5')", why: 'a length in another spelling' },
  { hook: "r.headers.set('transfer_encoding', 'chunked')", why: 'a framing in another spelling' },
]) {
  wire(
    `a module that would send ${why} fails`,
    hooks(`onRequest: (r) => { ${hook}; }`),
    async ({ client, upstream }) => {
      await client.send('GET /api/u HTTP/1.1\r\nHost: a.example\r\n\r\n');
      await client.expectStatus(500);
      upstream.expectNoConnection();
    },
  );
}

const GET = HEADS[0]?.head ?? '';

for (const name of OWN_RESPONSE_FIELDS) {
  const setting = `onResponse: (reply) => { reply.headers.set('${name}', 'set'); }`;
  wire(
    `the ${name} that a module sets for a reply is the only one, in the place of the upstream's and of ours`,
    hooks(setting, { middleware: ['headers'] }, { middleware: { headers: {} } }),
    async (context) => {
      await reach(context, GET, `${name}: theirs`);
      const { fields } = await context.client.expectReply({ status: 200 });
      assert.deepEqual(fields.all(name), ['set'], fields.toString());
    },
  );

  wire(
    `a module cannot put another ${name} into a reply`,
    hooks(`onResponse: (reply) => { reply.headers.append('${name}', 'more'); }`),
    async (context) => {
      await reach(context, GET);
      await context.client.expectStatus(500);
    },
  );
}

for (const { headers, why } of [
  { headers: "{ Date: 'x' }", why: 'Date, which the gateway writes' },
  { headers: "{ Via: 'x' }", why: 'Via, which the gateway writes' },
  { headers: "{ 'X-Request-ID': 'x' }", why: 'the request id' },
  { headers: "{ 'X_Request_ID': 'x' }", why: 'the request id in another spelling' },
  { headers: "{ 'Content-Type': 'text/a', 'content-type': 'text/b' }", why: 'two types' },
  { headers: "{ 'X-Theirs': '1', X_Theirs: '2' }", why: 'one name in two spellings' },
  { headers: "{ Content_Length: '5' }", why: 'a length in another spelling' },
]) {
  wire(
    `an answer of a module has each field once: ${why}`,
    hooks(`onRequest: () => ({ headers: ${headers} })`),
    async (context) => {
      await context.client.send(`${GET}\r\n`);
      await context.client.expectStatus(500);
    },
  );
}

wire(
  'an answer of a module may set several cookies',
  hooks("onRequest: () => ({ headers: { 'Set-Cookie': 'a=1', 'set-cookie': 'b=2' } })"),
  async ({ client }) => {
    await client.send(`${GET}\r\n`);
    const { fields } = await client.expectReply({ status: 200 });
    assert.deepEqual(fields.all('set-cookie'), ['a=1', 'b=2']);
  },
);

wire(
  'the type among the headers of respond is the only one',
  {
    middleware: { respond: { body: '{}', headers: { 'Content-Type': 'application/json' } } },
    routes: [{ middleware: ['respond'] }],
  },
  async ({ client }) => {
    await client.send(`${GET}\r\n`);
    const { fields } = await client.expectReply({ status: 200, body: '{}' });
    assert.deepEqual(fields.all('content-type'), ['application/json']);
  },
);

const APP = 'https://app.example.com';
const CORS = { cors: { allowed_origins: [APP], exposed_headers: ['X-Total'], allow_credentials: true } };
const THEIRS = {
  'Access-Control-Allow-Origin': 'https://evil.example',
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Expose-Headers': 'X-Secret',
};
const theirs = JSON.stringify(THEIRS);
const setAll = `for (const [name, value] of Object.entries(${theirs})) reply.headers.set(name, value);`;

for (const { options, answers = false, why } of [
  {
    options: hooks(`onResponse: (reply) => { ${setAll} }`, { middleware: ['cors'] }, { middleware: CORS }),
    why: 'a module sets them',
  },
  {
    options: hooks(`onRequest: () => ({ headers: ${theirs} })`, { middleware: ['cors'] }, { middleware: CORS }),
    answers: true,
    why: 'a module answers with them',
  },
  {
    options: {
      middleware: { ...CORS, transform: { response_headers: { set: THEIRS } } },
      routes: [{ middleware: ['cors', 'transform'] }],
    },
    why: 'transform sets them',
  },
  {
    options: { middleware: { ...CORS, respond: { headers: THEIRS } }, routes: [{ middleware: ['cors', 'respond'] }] },
    answers: true,
    why: 'respond answers with them',
  },
]) {
  for (const { origin, expected } of [
    { origin: APP, expected: [[APP], ['true'], ['x-total']] },
    { origin: 'https://evil.example', expected: [[], [], []] },
  ]) {
    wire(
      `what cors says to ${origin} of who may read a reply is all that is said: ${why}`,
      options,
      async (context) => {
        const sent = `${GET}Origin: ${origin}\r\n`;
        if (answers) await context.client.send(`${sent}\r\n`);
        else await reach(context, sent);
        const { fields } = await context.client.expectReply({ status: 200 });
        assert.deepEqual(
          Object.keys(THEIRS).map((name) => fields.all(name)),
          expected,
        );
      },
    );
  }
}

wire(
  'a preflight on a route with other middleware that may write is answered in full',
  hooks('onResponse: () => {}', { middleware: ['cors'] }, { middleware: CORS }),
  async ({ client }) => {
    await client.send(
      `OPTIONS /api/u HTTP/1.1\r\nHost: a\r\nOrigin: ${APP}\r\nAccess-Control-Request-Method: GET\r\n\r\n`,
    );
    const { fields } = await client.expectReply({ status: 204 });
    assert.deepEqual(fields.all('access-control-allow-origin'), [APP]);
    assert.deepEqual(fields.all('access-control-allow-methods'), ['GET']);
  },
);

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testAuthority, testCertificate } from '../support/certificates.ts';
import { SECRET, token } from '../support/tokens.ts';
import { ok } from '../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../support/wire.ts';

/*
 * Whatever decides by a field of a request sees what goes upstream. What a client claims in a field that the gateway writes, or that a token is
 * to fill, chooses no route, no limit and no server.
 */

const directory = mkdtempSync(join(tmpdir(), 'photon-settled-'));
after(() => rmSync(directory, { recursive: true }));

const JWT = {
  authentication: { auth_type: 'jwt', jwt: { secret: SECRET, forward_claims: { role: 'X-User-Role' } } },
};

/** Requests in which a client claims what is not so, with what goes upstream instead. */
const FORGERIES: readonly {
  readonly name: string;
  readonly claimed: string;
  readonly lines: string;
  readonly goes: string | null;
  readonly target?: string;
}[] = [
  { name: 'X-Client-Cert-Subject', claimed: 'CN=admin', lines: 'X-Client-Cert-Subject: CN=admin\r\n', goes: null },
  { name: 'X-Forwarded-For', claimed: '10.0.0.1', lines: 'X-Forwarded-For: 10.0.0.1\r\n', goes: '127.0.0.1' },
  { name: 'X-Forwarded-Host', claimed: 'in.example', lines: 'X-Forwarded-Host: in.example\r\n', goes: 'a.example' },
  { name: 'X-Forwarded-Proto', claimed: 'gopher', lines: 'X-Forwarded-Proto: gopher\r\n', goes: 'SCHEME' },
  { name: 'X-Forwarded-Port', claimed: '7', lines: 'X-Forwarded-Port: 7\r\n', goes: 'PORT' },
  { name: 'X-Request-ID', claimed: 'chosen-one', lines: 'X-Request-ID: chosen-one\r\n', goes: 'ID' },
  { name: 'Forwarded', claimed: 'for=10.0.0.1', lines: 'Forwarded: for=10.0.0.1\r\n', goes: null },
  { name: 'X_Request_ID', claimed: 'chosen-one', lines: 'X_Request_ID: chosen-one\r\n', goes: null },
  { name: 'X-Hidden', claimed: 'gold', lines: 'X-Hidden: gold\r\nConnection: x-hidden\r\n', goes: null },
  {
    name: 'Host',
    claimed: 'a.example',
    lines: '',
    target: 'http://b.example/x',
    goes: 'b.example',
  },
];

const headOf = ({ lines, target = '/x' }: { readonly lines: string; readonly target?: string | undefined }) =>
  `GET ${target} HTTP/1.1\r\nHost: a.example\r\n${lines}\r\n`;

async function reach({ client, upstream }: WireContext, head: string) {
  await client.send(head);
  const connection = await upstream.accept();
  const { fields } = await connection.expectRequest();
  await connection.send(ok('yes'));
  return fields;
}

const matching = (headers: object, more: WireOptions = {}): WireOptions => ({
  ...more,
  middleware: { respond: { body: 'matched' }, ...more.middleware },
  routes: [{ match: { headers }, middleware: ['respond'] }, {}, ...(more.routes ?? [])],
});

for (const forgery of FORGERIES) {
  const { name, claimed, goes } = forgery;
  for (const value of [claimed, ...(goes === null ? [true] : [])]) {
    wire(
      `a client does not choose a route by a ${name} that does not go upstream: match ${value}`,
      matching({ [name]: value }),
      async (context) => {
        await reach(context, headOf(forgery));
        await context.client.expectReply({ status: 200, body: 'yes' });
      },
    );
  }
}

for (const { name, value, head, why } of [
  { name: 'X-Forwarded-For', value: '127.0.0.1', head: headOf({ lines: '' }), why: 'the address of the client' },
  {
    name: 'X-Forwarded-Proto',
    value: process.env['PHOTON_WIRE_TLS'] === '1' ? 'https' : 'http',
    head: headOf({ lines: 'X-Forwarded-Proto: gopher\r\n' }),
    why: 'the scheme of the connection',
  },
  { name: 'X-Forwarded-Host', value: 'a.example', head: headOf({ lines: '' }), why: 'the host that was asked for' },
  { name: 'X-Request-ID', value: true, head: headOf({ lines: '' }), why: 'every request has an id' },
  {
    name: 'Host',
    value: 'b.example',
    head: headOf({ lines: '', target: 'http://b.example/x' }),
    why: 'the authority of an absolute target',
  },
  { name: 'Host', value: 'a.example', head: headOf({ lines: '' }), why: 'Host where nothing else is named' },
  { name: 'X-Tier', value: 'gold', head: headOf({ lines: 'X-Tier: gold\r\n' }), why: 'a field of the client' },
  { name: 'X_Tier', value: 'gold', head: headOf({ lines: 'X_Tier: gold\r\n' }), why: 'one that is like no other' },
]) {
  wire(`a route is chosen by what goes upstream: ${name}, ${why}`, matching({ [name]: value }), async ({ client }) => {
    await client.send(head);
    await client.expectReply({ status: 200, body: 'matched' });
  });
}

for (const { name, value, lines } of [
  { name: 'X-Request-ID', value: 'of-the-balancer', lines: 'X-Request-ID: of-the-balancer\r\n' },
  { name: 'X-Forwarded-Proto', value: 'https', lines: 'X-Forwarded-Proto: https\r\n' },
  { name: 'X-Forwarded-For', value: '10.1.1.1, 127.0.0.1', lines: 'X-Forwarded-For: 10.1.1.1\r\n' },
]) {
  wire(
    `a route is chosen by what a trusted proxy says in ${name}`,
    matching({ [name]: value }, { server: { trusted_proxies: ['127.0.0.1'] } }),
    async ({ client }) => {
      await client.send(headOf({ lines }));
      await client.expectReply({ status: 200, body: 'matched' });
    },
  );
}

const { ca } = testAuthority();
const { cert, key } = testCertificate('alice');
const ALICE = 'CN=\\C3\\84lice,O=Acme\\, Inc.,C=SE';
const OF_ALICE: WireOptions = {
  secure: true,
  clientCertificates: { ca, required: false },
  clientTls: { cert, key },
};

wire(
  'a route is chosen by the subject of the certificate that was shown, whatever is claimed beside it',
  matching({ 'X-Client-Cert-Subject': ALICE }, OF_ALICE),
  async ({ client, upstream }) => {
    await client.send(headOf({ lines: 'X-Client-Cert-Subject: CN=admin\r\n' }));
    await client.expectReply({ status: 200, body: 'matched' });
    const nobody = await client.connect({ tls: {} });
    upstream.answerAll(() => ok('yes'));
    await nobody.send(headOf({ lines: `X-Client-Cert-Subject: ${ALICE}\r\n` }));
    await nobody.expectReply({ status: 200, body: 'yes' });
  },
);

for (const { match, lines, why } of [
  { match: { 'X-User-Role': 'admin' }, lines: 'X-User-Role: admin\r\n', why: 'as it is written' },
  { match: { 'X-User-Role': true }, lines: 'x-user-role: admin\r\n', why: 'that it is there' },
  { match: { X_User_Role: 'admin' }, lines: 'X_User_Role: admin\r\n', why: 'in another spelling' },
  {
    match: { 'X-User-Role': 'admin' },
    lines: `Authorization: Bearer ${token({ role: 'admin' })}\r\n`,
    why: 'by a token',
  },
]) {
  wire(
    `no client chooses a route by a header that is filled with what tokens say: ${why}`,
    matching(match, { middleware: JWT, routes: [{ path: '/other', middleware: ['auth'] }] }),
    async (context) => {
      await reach(context, headOf({ lines }));
      await context.client.expectReply({ status: 200, body: 'yes' });
    },
  );
}

/** A module that answers with the values of these headers. */
function telling(names: readonly string[], route: object = {}, more: WireOptions = {}): WireOptions {
  const module = join(directory, `telling-${names.join('-')}.ts`);
  const hook = `({ headers: h }) => ({ body: JSON.stringify(${JSON.stringify(names)}.map((name) => [h.get(name), h.has(name)])) })`;
  writeFileSync(module, `export default { name: 'x', create: () => ({ onRequest: ${hook} }) };`);
  const { middleware = [], ...rest } = route as { readonly middleware?: readonly string[] };
  return {
    ...more,
    middleware: { custom: { mine: { module } }, ...more.middleware },
    routes: [{ path: '/x', middleware: ['mine', ...middleware], ...rest }],
  };
}

for (const forgery of FORGERIES) {
  const { name, goes } = forgery;
  wire(
    `a module reads the ${name} that goes upstream, not what the client claims`,
    telling([name]),
    async (context) => {
      const { client, gateway } = context;
      await client.send(headOf(forgery));
      const { body, fields } = await client.expectReply({ status: 200 });
      const values: Readonly<Record<string, string | null>> = {
        SCHEME: gateway.scheme,
        PORT: String(gateway.port),
        ID: fields.get('x-request-id'),
      };
      const expected = goes === null ? null : (values[goes] ?? goes);
      assert.deepEqual(JSON.parse(body), [[expected, expected !== null]]);
    },
  );
}

for (const { names, sent, route = {}, more = {}, expected, why } of [
  {
    names: ['Host'],
    sent: 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n',
    route: { upstream_host: 'app.internal' },
    expected: ['app.internal'],
    why: 'a name that upstream_host gives',
  },
  {
    names: ['Host'],
    sent: 'GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n',
    route: { upstream_host: 'upstream' },
    expected: [null],
    why: 'a Host that only the upstream decides',
  },
  {
    names: ['Content-Length', 'Transfer-Encoding'],
    sent: 'PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello',
    expected: ['5', null],
    why: 'the length that was understood',
  },
  {
    names: ['Content-Length', 'Transfer-Encoding'],
    sent: 'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n',
    expected: [null, 'chunked'],
    why: 'chunks',
  },
  {
    names: ['Connection', 'Upgrade', 'TE', 'Keep-Alive'],
    sent: 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: upgrade, te\r\nUpgrade: h2c\r\nTE: trailers\r\nKeep-Alive: a=1\r\n\r\n',
    expected: [null, null, null, null],
    why: 'fields for one hop',
  },
  {
    names: ['Via', 'Cookie', 'X-Tag'],
    sent: 'GET /x HTTP/1.1\r\nHost: a\r\nVia: 1.0 them\r\nCookie: a=1\r\nCookie: b=2\r\nX-Tag: c\r\nX-Tag: d\r\n\r\n',
    expected: ['1.0 them, 1.1 photon', 'a=1; b=2', 'c, d'],
    why: 'lists, and what the gateway adds',
  },
  {
    names: ['X-User-Role', 'X_User_Role', 'Authorization'],
    sent: `GET /x HTTP/1.1\r\nHost: a\r\nX-User-Role: forged\r\nX_User_Role: forged\r\nAuthorization: Bearer ${token({ role: 'admin' })}\r\n\r\n`,
    route: { middleware: ['auth'] },
    more: { middleware: JWT },
    expected: ['admin', null, `Bearer ${token({ role: 'admin' })}`],
    why: 'what the token says',
  },
] as const) {
  wire(`a module reads the fields that go upstream: ${why}`, telling(names, route, more), async ({ client }) => {
    await client.send(sent);
    const { body } = await client.expectReply({ status: 200 });
    assert.deepEqual(
      JSON.parse(body),
      expected.map((value) => [value, value !== null]),
    );
  });
}

wire(
  'a module reads the fields of a reply that go to the client',
  (() => {
    const module = join(directory, 'reply.ts');
    const names = ['X-Request-ID', 'Connection', 'X-Hidden', 'Content-Length', 'Server'];
    writeFileSync(
      module,
      `export default { name: 'x', create: () => ({ onResponse({ headers: h }) {
        h.set('X-Seen', JSON.stringify(${JSON.stringify(names)}.map((name) => h.get(name)))); } }) };`,
    );
    return { middleware: { custom: { mine: { module } } }, routes: [{ middleware: ['mine'] }] };
  })(),
  async ({ client, upstream }) => {
    await client.send(headOf({ lines: '' }));
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(
      ok('yes', 'X-Request-ID: theirs', 'Connection: x-hidden', 'X-Hidden: internal', 'Server: nginx'),
    );
    const { fields } = await client.expectReply({ status: 200 });
    assert.deepEqual(JSON.parse(fields.get('x-seen') ?? ''), [fields.get('x-request-id'), null, null, '3', 'nginx']);
  },
);

for (const { name, lines, other, why } of [
  {
    name: 'X-Client-Cert-Subject',
    lines: 'X-Client-Cert-Subject: CN=one\r\n',
    other: 'X-Client-Cert-Subject: CN=another\r\n',
    why: 'a certificate that nobody has shown',
  },
  {
    name: 'X-Forwarded-For',
    lines: 'X-Forwarded-For: 10.0.0.1\r\n',
    other: 'X-Forwarded-For: 10.0.0.2\r\n',
    why: 'another address',
  },
  { name: 'X_Request_ID', lines: 'X_Request_ID: one\r\n', other: 'X_Request_ID: other\r\n', why: 'another spelling' },
  {
    name: 'X-User-Role',
    lines: 'X-User-Role: one\r\n',
    other: 'X-User-Role: other\r\n',
    why: 'what a token is to say',
  },
]) {
  wire(
    `a client does not get out of a rate limit by claiming ${why} in ${name}`,
    {
      middleware: {
        ...JWT,
        rate_limiting: { requests_per_second: 1, burst: 1, key: `header:${name}` },
        respond: { body: 'yes' },
      },
      routes: [
        { path: '/x', middleware: ['rate_limit', 'respond'] },
        { path: '/other', middleware: ['auth'] },
      ],
    },
    async ({ client }) => {
      await client.send(headOf({ lines }));
      await client.expectStatus(200);
      await client.send(headOf({ lines: other }));
      await client.expectStatus(429);
    },
  );
}

/** How many upstreams get requests in which `lines` differ. */
async function upstreamsReached({ client, upstreams }: WireContext, lines: (n: number) => string): Promise<number> {
  const reached = new Set<number>();
  for (const [index, upstream] of upstreams.entries()) {
    upstream.answerAll(() => {
      reached.add(index);
      return ok('yes');
    });
  }
  for (let n = 0; n < 24; n++) {
    await client.send(headOf({ lines: lines(n) }));
    await client.expectStatus(200);
  }
  return reached.size;
}

const hashing = (key: string, more: WireOptions = {}): WireOptions => ({
  upstreams: 3,
  ...more,
  backend: { algorithm: 'consistent_hash', key },
});

for (const { key, lines, options = {}, expected, why } of [
  {
    key: 'header:X-Client-Cert-Subject',
    lines: (n: number) => `X-Client-Cert-Subject: CN=${n}\r\n`,
    expected: 1,
    why: 'what it claims in the place of the gateway does not count',
  },
  {
    key: 'header:X-Tier',
    lines: (n: number) => `X-Tier: ${n}\r\n`,
    options: {
      middleware: { transform: { request_headers: { set: { 'X-Tier': 'same' } } } },
      routes: [{ middleware: ['transform'] }],
    },
    expected: 1,
    why: 'what middleware has put in its place counts',
  },
  {
    key: 'header:X-User-Role',
    lines: (n: number) => `X-User-Role: forged\r\nAuthorization: Bearer ${token({ role: `role-${n}` })}\r\n`,
    options: { middleware: JWT, routes: [{ middleware: ['auth'] }] },
    expected: 3,
    why: 'what its token says counts',
  },
  {
    key: 'header:X-API-Key',
    lines: (n: number) => `X-API-Key: key-number-${n}-of-all\r\n`,
    options: {
      middleware: {
        authentication: {
          auth_type: 'api_key',
          api_key: { keys: Array.from({ length: 24 }, (_none, n) => `key-number-${n}-of-all`) },
        },
      },
      routes: [{ middleware: ['auth'] }],
    },
    expected: 3,
    why: 'a key that is taken out counts as it came',
  },
  { key: 'header:X-Tier', lines: (n: number) => `X-Tier: ${n}\r\n`, expected: 3, why: 'a field of its own counts' },
]) {
  wire(`a hash over ${key} spreads clients by what goes upstream: ${why}`, hashing(key, options), async (context) => {
    assert.equal(await upstreamsReached(context, lines), expected);
  });
}

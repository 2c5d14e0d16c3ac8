import assert from 'node:assert/strict';
import { SECRET, token } from '../../support/tokens.ts';
import { ok, type ReceivedRequest } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

/** A route whose requests or replies are changed. */
const changing = (transform: object, route: object = {}): WireOptions => ({
  middleware: { transform },
  routes: [{ path: '/users/{id}/**', middleware: ['transform'], retries: 0, ...route }],
});

const onRequest = (request_headers: object) => changing({ request_headers });
const onReply = (response_headers: object) => changing({ response_headers });

async function exchange(context: WireContext, lines: string[], replyLines: string[] = []): Promise<ReceivedRequest> {
  const { client, upstream } = context;
  await client.send(`GET /users/a%2Fb/x HTTP/1.1\r\n${['Host: a.example', ...lines].join('\r\n')}\r\n\r\n`);
  const connection = await upstream.accept();
  const request = await connection.expectRequest();
  await connection.send(ok('yes', ...replyLines));
  return request;
}

wire(
  'fields of a request are removed, however they are written',
  onRequest({ remove: ['X-Secret', 'Cookie'] }),
  async (context) => {
    const { fields } = await exchange(context, [
      'x-secret: 1',
      'X_Secret: 2',
      'X-SECRET: 3',
      'Cookie: a=b',
      'X-Kept: 4',
    ]);
    for (const name of ['x-secret', 'x_secret', 'cookie']) assert.equal(fields.get(name), null, name);
    assert.equal(fields.get('x-kept'), '4');
    await context.client.expectStatus(200);
  },
);

wire(
  'a name that is written with an underscore is removed and set as well as any other',
  onRequest({ remove: ['X_Secret'], set: { X_Tenant: 'ours' } }),
  async (context) => {
    const sent = ['X_Secret: 1', 'X-Secret: 2', 'X_Tenant: theirs', 'X-Tenant: theirs'];
    const { fields } = await exchange(context, sent);
    for (const name of ['x-secret', 'x_secret', 'x-tenant']) assert.equal(fields.get(name), null, name);
    assert.deepEqual(fields.all('x_tenant'), ['ours']);
    await context.client.expectStatus(200);
  },
);

wire(
  'what other middleware says is removed and replaced like what the client says, in any spelling',
  {
    middleware: {
      authentication: {
        auth_type: 'jwt',
        jwt: { secret: SECRET, forward_claims: { sub: 'X-User-ID', role: 'X_Role', team: 'X-Team' } },
      },
      transform: { request_headers: { remove: ['X-Role'], set: { 'X-User-ID': 'user/{consumer}' } } },
    },
    routes: [{ path: '/users/{id}/**', middleware: ['transform', 'auth'] }],
  },
  async (context) => {
    const authorization = `Authorization: Bearer ${token({ role: 'admin', team: 'red' })}`;
    const { fields } = await exchange(context, [authorization, 'X-User-ID: root', 'X-Role: root']);
    assert.deepEqual(fields.all('x-user-id'), ['user/alice']);
    assert.deepEqual([fields.get('x-role'), fields.get('x_role'), fields.get('x-team')], [null, null, 'red']);
    await context.client.expectStatus(200);
  },
);

wire(
  'what is written with an underscore by other middleware is removed by its other spelling',
  {
    middleware: {
      authentication: { auth_type: 'jwt', jwt: { secret: SECRET, forward_claims: { sub: 'X_User' } } },
      transform: { request_headers: { remove: ['X-User'] } },
    },
    routes: [{ path: '/users/{id}/**', middleware: ['transform', 'auth'] }],
  },
  async (context) => {
    const { fields } = await exchange(context, [`Authorization: Bearer ${token()}`]);
    assert.deepEqual([fields.get('x_user'), fields.get('x-user')], [null, null]);
    await context.client.expectStatus(200);
  },
);

wire(
  'a field that is set stands there once, whatever the client says; one that is added stands beside those of the client',
  onRequest({ set: { 'X-Tenant': 'ours' }, add: { 'X-Tag': 'edge' } }),
  async (context) => {
    const { fields } = await exchange(context, ['X-Tenant: theirs', 'X-Tag: one']);
    assert.deepEqual(fields.all('x-tenant'), ['ours']);
    assert.deepEqual(fields.all('x-tag'), ['one', 'edge']);
    await context.client.expectStatus(200);
  },
);

wire(
  'what is removed and added is only what was added: remove comes first',
  onRequest({ remove: ['X-Tag'], add: { 'X-Tag': 'edge' } }),
  async (context) => {
    const { fields } = await exchange(context, ['X-Tag: one']);
    assert.deepEqual(fields.all('x-tag'), ['edge']);
    await context.client.expectStatus(200);
  },
);

wire(
  'placeholders stand for what is known of the request',
  onRequest({ set: { 'X-Who': '{client_ip} {route} {path.id} {{literal}} [{consumer}]', 'X-Trace': '{request_id}' } }),
  async (context) => {
    const { fields } = await exchange(context, []);
    assert.equal(fields.get('x-who'), '127.0.0.1 /users/{id}/** a%2Fb {literal} []');
    assert.equal(fields.get('x-trace'), fields.get('x-request-id'));
    await context.client.expectStatus(200);
  },
);

wire(
  'what the gateway itself says of the client can be taken out and replaced',
  onRequest({ remove: ['Via', 'X-Forwarded-Port'], set: { 'X-Forwarded-Host': 'public.example' } }),
  async (context) => {
    const { fields } = await exchange(context, ['X-Forwarded-Host: evil.example']);
    assert.deepEqual([fields.get('via'), fields.get('x-forwarded-port')], [null, null]);
    assert.deepEqual(fields.all('x-forwarded-host'), ['public.example']);
    assert.equal(fields.get('x-forwarded-for'), '127.0.0.1');
    await context.client.expectStatus(200);
  },
);

wire(
  'a route whose id is not ASCII is written so that it cannot be mistaken',
  changing({ request_headers: { set: { 'X-Route': '{route}' } } }, { id: 'caf\u00e9 \u{1f600}' }),
  async (context) => {
    const { fields } = await exchange(context, []);
    assert.equal(fields.get('x-route'), 'caf%C3%A9 %F0%9F%98%80');
    await context.client.expectStatus(200);
  },
);

wire(
  'fields of a reply are removed, set and added',
  onReply({ remove: ['Server', 'Via'], set: { 'X-Powered-By': 'photon' }, add: { 'Cache-Tag': '{path.id}' } }),
  async (context) => {
    await exchange(context, [], ['Server: secret/1.0', 'X-Powered-By: PHP', 'Cache-Tag: a']);
    const { fields } = await context.client.expectReply({ status: 200, headers: { server: null, via: null } });
    assert.deepEqual(fields.all('x-powered-by'), ['photon']);
    assert.deepEqual(fields.all('cache-tag'), ['a', 'a%2Fb']);
    assert.notEqual(fields.get('x-request-id'), null);
  },
);

wire('replies of the gateway are changed too', onReply({ set: { 'X-Edge': 'yes' } }), async ({ client, upstream }) => {
  await client.send('GET /users/1/x HTTP/1.1\r\nHost: a\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.reset();
  await client.expectReply({ status: 502, headers: { 'x-edge': 'yes' } });
});

wire(
  'a field that is removed or set cannot come in by a trailer either (RFC 9110 6.5.1)',
  onRequest({ set: { 'X-Tenant': 'ours' } }),
  async ({ client, upstream }) => {
    await client.send(
      'POST /users/1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Tenant: theirs\r\nX-Sum: 1\r\n\r\n',
    );
    const connection = await upstream.accept();
    const { fields, trailers } = await connection.expectRequest();
    assert.deepEqual(fields.all('x-tenant'), ['ours']);
    assert.deepEqual([trailers.get('x-tenant'), trailers.get('x-sum')], [null, '1']);
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

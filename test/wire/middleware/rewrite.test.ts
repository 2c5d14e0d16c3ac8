import assert from 'node:assert/strict';
import { SECRET, token } from '../../support/tokens.ts';
import { ok } from '../../support/upstream.ts';
import { type WireOptions, wire } from '../../support/wire.ts';

const rewriting = (rewrite: object, route: object = {}): WireOptions => ({
  middleware: { rewrite },
  routes: [{ middleware: ['rewrite'], ...route }],
});

const prefix = (from: string, to: string, route: object = {}) => rewriting({ replace_prefix: { from, to } }, route);
const regex = (pattern: string, replacement: string) => rewriting({ regex: { pattern, replacement } });
const query = (change: object) => rewriting({ query: change });

for (const { options, sent, received, why } of [
  { options: prefix('/old', '/new'), sent: '/old/a?b=c', received: '/new/a?b=c', why: 'another beginning' },
  { options: prefix('/old', '/new'), sent: '/old', received: '/new', why: 'nothing but the beginning' },
  { options: prefix('/old', '/new'), sent: '/older/a', received: '/older/a', why: 'it ends with its segment' },
  { options: prefix('/old/', '/'), sent: '/old/a', received: '/a', why: 'slashes at the ends are no more' },
  { options: prefix('/', '/v2'), sent: '/a?b', received: '/v2/a?b', why: 'something in front of everything' },
  {
    options: prefix('/a', '/b', { path: '/api/**', strip_prefix: '/api' }),
    sent: '/api/a/x',
    received: '/b/x',
    why: 'strip_prefix goes first',
  },
  {
    options: rewriting({ path: '/users/{path.id}/profile' }, { path: '/u/{id}' }),
    sent: '/u/a%2Fb?x=1',
    received: '/users/a%2Fb/profile?x=1',
    why: 'the whole path',
  },
  {
    options: regex('^/v(\\d+)/(.*)$', '/$2/version-$1'),
    sent: '/v2/a/b?c',
    received: '/a/b/version-2?c',
    why: 'groups',
  },
  { options: regex('b', 'x'), sent: '/abab', received: '/axab', why: 'the first match' },
  { options: regex('^/a/', ''), sent: '/a/b', received: '/b', why: 'it stays a path' },
  { options: regex('^/x(.*)', '/y/$1'), sent: '/x/z', received: '/y/z', why: 'what comes about is made normal' },
  { options: query({ remove: ['k'] }), sent: '/a?k=1&b=2&%6b=3', received: '/a?b=2', why: 'a parameter less' },
  { options: query({ remove: ['k'] }), sent: '/a?k=1', received: '/a', why: 'no query left' },
  {
    options: query({ set: { k: 'v w&x' } }),
    sent: '/a?k=1&b=2',
    received: '/a?b=2&k=v%20w%26x',
    why: 'a parameter set',
  },
  {
    options: query({ add: { ip: '{client_ip}' } }),
    sent: '/a?ip=1',
    received: '/a?ip=1&ip=127.0.0.1',
    why: 'a parameter more',
  },
  {
    options: query({ set: { 'a b&c': '1' } }),
    sent: '/a?a+b%26c=0&d',
    received: '/a?d&a%20b%26c=1',
    why: 'a name that needs encoding',
  },
  { options: query({ add: { k: '1' } }), sent: '/a', received: '/a?k=1', why: 'a query where there was none' },
  {
    options: query({ set: { 'caf\u00e9': '\u20ac' } }),
    sent: '/a?caf%c3%a9=1',
    received: '/a?caf%C3%A9=%E2%82%AC',
    why: 'names and values that are not ASCII are UTF-8',
  },
  {
    options: query({ set: { 'k\ud800': '\udfff' } }),
    sent: '/a?k%EF%BF%BD=1',
    received: '/a?k%EF%BF%BD=%EF%BF%BD',
    why: 'half a character is none',
  },
  {
    options: rewriting({ path: '/caf\u00e9/{path.id}' }, { path: '/u/{id}' }),
    sent: '/u/7',
    received: '/caf%C3%A9/7',
    why: 'a path that is not ASCII is UTF-8',
  },
  {
    options: regex('^/u/(.*)$', '/caf\u00e9/$1'),
    sent: '/u/7',
    received: '/caf%C3%A9/7',
    why: 'a replacement that is not ASCII is UTF-8',
  },
]) {
  wire(`${sent} goes upstream as ${received}: ${why}`, options, async ({ client, upstream }) => {
    await client.send(`GET ${sent} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectRequest({ target: received });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  });
}

for (const { options, sent, why } of [
  { options: regex('^/x(.*)', '/$1'), sent: '/x../secret', why: 'above the root' },
  { options: regex('^/img(.*)', '/files/$1'), sent: '/img../secret', why: 'out of what stands in front' },
  { options: regex('^/img(.*)', '/files/$1'), sent: '/img..', why: 'and at the end' },
  { options: regex('^/img(.*)', '/files/$1'), sent: '/img./secret', why: 'to where it is' },
  { options: regex('25', ''), sent: '/a/%252E./secret', why: 'percent-encoded' },
  {
    options: rewriting({ path: '/files/{path.rest}' }, { path: '^/img(?<rest>.*)$' }),
    sent: '/img../secret',
    why: 'by a path parameter',
  },
]) {
  wire(`${sent} is refused where a rewrite would make it climb: ${why}`, options, async ({ client, upstream }) => {
    await client.send(`GET ${sent} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.expectStatus(400);
    upstream.expectNoConnection();
  });
}

const PARAMETERS: WireOptions = {
  middleware: { rewrite: { query: { set: { id: 'user-{path.id}' } } } },
  routes: [{ path: '/users/{id}', middleware: ['rewrite'] }],
};

for (const { sent, id, why } of [
  { sent: 'ann%20lee', id: 'ann%20lee', why: 'it is percent-encoded once' },
  { sent: 'ann+lee', id: 'ann%2Blee', why: 'a plus sign of a path is a blank in a query' },
  { sent: 'ann%2Blee', id: 'ann%2Blee', why: 'the same plus sign, encoded' },
  { sent: 'ann&id=bob', id: 'ann%26id%3Dbob', why: 'it ends no parameter' },
  { sent: 'ann%26id=bob', id: 'ann%26id%3Dbob', why: 'nor does an encoded ampersand' },
  { sent: 'ann%2Flee', id: 'ann%2Flee', why: 'a slash that is no separator' },
  { sent: '100%25', id: '100%25', why: 'a percent sign' },
  { sent: 'caf%c3%a9', id: 'caf%C3%A9', why: 'UTF-8' },
  { sent: 'ann;role=admin', id: 'ann%3Brole%3Dadmin', why: 'what some servers take for a separator' },
]) {
  wire(`the path parameter ${sent} is one parameter of a query: ${why}`, PARAMETERS, async ({ client, upstream }) => {
    await client.send(`GET /users/${sent}?id=mine&x=1 HTTP/1.1\r\nHost: a\r\n\r\n`);
    const connection = await upstream.accept();
    const { target } = await connection.expectRequest();
    assert.equal(target.slice(target.indexOf('?')), `?x=1&id=user-${id}`);
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  });
}

const byConsumer: WireOptions = {
  middleware: {
    authentication: { auth_type: 'jwt', jwt: { secret: SECRET } },
    rewrite: { path: '/homes/{consumer}/{path.file}', query: { add: { by: '{consumer}' } } },
  },
  routes: [{ path: '/home/{file}', middleware: ['auth', 'rewrite'] }],
};

const asked = (sub: string) => `GET /home/x%20y HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token({ sub })}\r\n\r\n`;

for (const { sub, received } of [
  { sub: 'a/b', received: '/homes/a%2Fb/x%20y?by=a%2Fb' },
  { sub: 'a?b=c#d&e', received: '/homes/a%3Fb%3Dc%23d%26e/x%20y?by=a%3Fb%3Dc%23d%26e' },
  { sub: 'a;b"c', received: '/homes/a%3Bb%22c/x%20y?by=a%3Bb%22c' },
  { sub: 'caf\u00e9', received: '/homes/caf%C3%A9/x%20y?by=caf%C3%A9' },
  { sub: 'a%2Fb', received: '/homes/a%252Fb/x%20y?by=a%252Fb' },
  { sub: 'urn:x-1_~', received: '/homes/urn:x-1_~/x%20y?by=urn%3Ax-1_~' },
]) {
  wire(`the consumer ${sub} is one segment of a path, whatever is in his name`, byConsumer, async (context) => {
    const { client, upstream } = context;
    await client.send(asked(sub));
    const connection = await upstream.accept();
    await connection.expectRequest({ target: received });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  });
}

wire(
  'a percent sign in the name of a consumer is one',
  {
    middleware: {
      authentication: { auth_type: 'api_key', api_key: { keys: [{ key: 'key-of-half-1', consumer: '50%/a' }] } },
      rewrite: { path: '/homes/{consumer}' },
    },
    routes: [{ middleware: ['auth', 'rewrite'] }],
  },
  async ({ client, upstream }) => {
    await client.send('GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: key-of-half-1\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectRequest({ target: '/homes/50%25%2Fa' });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

for (const sub of ['..', '.', 'a/../b', '..\\b']) {
  wire(`the consumer ${sub} leads nowhere else`, byConsumer, async ({ client, upstream }) => {
    await client.send(asked(sub));
    await client.expectStatus(400);
    upstream.expectNoConnection();
  });
}

wire(
  'the route is chosen by the path that the client asked for',
  {
    middleware: { rewrite: { path: '/admin' }, ip_filter: { deny: ['127.0.0.1'] } },
    routes: [
      { path: '/admin', middleware: ['ip_filter'] },
      { path: '/open', middleware: ['rewrite'] },
    ],
  },
  async ({ client, upstream }) => {
    await client.send('GET /open HTTP/1.1\r\nHost: a\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectRequest({ target: '/admin' });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

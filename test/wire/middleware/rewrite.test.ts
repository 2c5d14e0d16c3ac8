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
  { options: regex('^/x(.*)', '/y/.$1'), sent: '/x./z', received: '/z', why: 'what comes about is made normal' },
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
  { options: query({ add: { k: '1' } }), sent: '/a', received: '/a?k=1', why: 'a query where there was none' },
]) {
  wire(`${sent} goes upstream as ${received}: ${why}`, options, async ({ client, upstream }) => {
    await client.send(`GET ${sent} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const connection = await upstream.accept();
    await connection.expectRequest({ target: received });
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  });
}

wire('a path that a rewrite leads above the root is refused', regex('^/x(.*)', '/$1'), async ({ client, upstream }) => {
  await client.send('GET /x../secret HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.expectStatus(400);
  upstream.expectNoConnection();
});

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

import { ok } from '../support/upstream.ts';
import { wire } from '../support/wire.ts';

const NORMALISED = [
  { sent: '/', seen: '/', why: 'the root' },
  { sent: '/a/b?c=d', seen: '/a/b?c=d', why: 'normal already' },
  { sent: '/a/./b', seen: '/a/b', why: 'a dot segment' },
  { sent: '/a/../b', seen: '/b', why: 'a step up' },
  { sent: '/a/b/..', seen: '/a/', why: 'a step up at the end' },
  { sent: '/a/b/.', seen: '/a/b/', why: 'a dot at the end' },
  { sent: '/a/%2e%2e/b', seen: '/b', why: 'an encoded step up' },
  { sent: '/a/.%2E/b', seen: '/b', why: 'a half encoded step up' },
  { sent: '/a/...', seen: '/a/...', why: 'three dots are a name' },
  { sent: '/a/..b', seen: '/a/..b', why: 'dots that begin a name' },
  { sent: '/%61%7e%2D', seen: '/a~-', why: 'unreserved characters need no encoding' },
  { sent: '/a%2fb', seen: '/a%2Fb', why: 'an encoded slash stays encoded, in capitals' },
  { sent: '/caf%c3%a9', seen: '/caf%C3%A9', why: 'one case of encodings' },
  { sent: '/a%20b', seen: '/a%20b', why: 'a space stays encoded' },
  { sent: '/a%3Fb', seen: '/a%3Fb', why: 'an encoded question mark is no query' },
  { sent: '/a%2561', seen: '/a%2561', why: 'decoded once, not twice' },
  { sent: '//a///b', seen: '/a/b', why: 'slashes merged' },
  { sent: '/a//../b', seen: '/b', why: 'slashes merged before the steps up are taken' },
  { sent: '//evil.example/a', seen: '/evil.example/a', why: 'no authority without a scheme' },
  { sent: "/a;b=c,d!$&'()*+:@", seen: "/a;b=c,d!$&'()*+:@", why: 'sub-delims stay as they are' },
  { sent: '/a?', seen: '/a?', why: 'an empty query stays a query' },
  { sent: '/a?b=/../c//d&e=%7e', seen: '/a?b=/../c//d&e=%7e', why: 'a query is not a path' },
  { sent: '/a?b?c', seen: '/a?b?c', why: 'the second question mark belongs to the query' },
  { sent: 'http://a.example/a/./b?c', seen: '/a/b?c', why: 'the absolute form goes on as the origin form' },
  { sent: 'HTTP://a.example/a', seen: '/a', why: 'a scheme in capitals' },
  { sent: 'http://a.example', seen: '/', why: 'the absolute form without a path' },
  { sent: 'http://a.example?b', seen: '/?b', why: 'the absolute form with a query and no path' },
] as const;

for (const { sent, seen, why } of NORMALISED) {
  wire(`${sent} goes upstream as ${seen}: ${why}`, async ({ client, upstream }) => {
    upstream.answerAll(({ target }) => ok(target));
    await client.send(`GET ${sent} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
    await client.expectReply({ status: 200, body: seen });
  });
}

wire('slashes stay with merge_slashes: false', { server: { merge_slashes: false } }, async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  await client.send('GET /a//b/./c HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectReply({ status: 200, body: '/a//b/c' });
});

wire('routes see the normalised path', { routes: [{ path: '/public/**' }] }, async ({ client, upstream }) => {
  upstream.answerAll(({ target }) => ok(target));
  for (const path of ['/public/../secret', '/public/%2e%2e/secret', '//secret', '/publicity', '/Public/x']) {
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
    await client.expectStatus(404);
  }
  await client.send('GET /secret/../%70ublic//x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  await client.expectReply({ status: 200, body: '/public/x' });
});

wire('the absolute form decides the host, not the Host field', async ({ client, upstream }) => {
  await client.send('GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest({ target: '/x', headers: { host: 'b.example', 'x-forwarded-host': 'b.example' } });
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire(
  'the host of the absolute form picks the route',
  { routes: [{ host: 'b.example' }] },
  async ({ client, upstream }) => {
    upstream.answerAll(({ target }) => ok(target));
    await client.send('GET http://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.expectReply({ status: 200, body: '/x' });
    await client.send('GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n');
    await client.expectStatus(404);
  },
);

const STRIPPED = [
  { sent: '/api/users?a=b', seen: '/users?a=b', why: 'the prefix goes, the query stays' },
  { sent: '/api', seen: '/', why: 'nothing left is the root' },
  { sent: '/api/', seen: '/', why: 'only a slash left' },
  { sent: '/api?a=b', seen: '/?a=b', why: 'nothing left but a query' },
  { sent: '/x/../api/users', seen: '/users', why: 'the prefix of the normalised path' },
  { sent: '//api//users', seen: '/users', why: 'and of the merged one' },
];

for (const { sent, seen, why } of STRIPPED) {
  wire(
    `strip_prefix: ${sent} goes upstream as ${seen}: ${why}`,
    {
      routes: [{ path: '/api/**', strip_prefix: '/api' }],
    },
    async ({ client, upstream }) => {
      upstream.answerAll(({ target }) => ok(target));
      await client.send(`GET ${sent} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
      await client.expectReply({ status: 200, body: seen });
    },
  );
}

wire(
  'a route may ask for a field and a query parameter',
  {
    routes: [{ path: '/x', match: { headers: { 'X-Beta': 'on' }, query: { v: '2' } } }],
  },
  async ({ client, upstream }) => {
    upstream.answerAll(({ target }) => ok(target));
    await client.send('GET /x?v=2 HTTP/1.1\r\nHost: a.example\r\nx-beta: on\r\n\r\n');
    await client.expectReply({ status: 200, body: '/x?v=2' });
    await client.send('GET /x?v=2 HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await client.expectStatus(404);
    await client.send('GET /x?v=3 HTTP/1.1\r\nHost: a.example\r\nX-Beta: on\r\n\r\n');
    await client.expectStatus(404);
  },
);

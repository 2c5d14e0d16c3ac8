import { SECRET, token } from '../../support/tokens.ts';
import { ok } from '../../support/upstream.ts';
import { type WireOptions, wire } from '../../support/wire.ts';

const redirecting = (redirect: object, more: Partial<WireOptions> = {}): WireOptions => ({
  middleware: { redirect },
  routes: [{ path: '/old/{id}/**', middleware: ['redirect'] }],
  secure: false,
  ...more,
});

const behindProxy = { server: { trusted_proxies: ['127.0.0.1'] } };

for (const { redirect, lines = [], location, status = 308, why } of [
  {
    redirect: { host: 'new.example' },
    location: 'http://new.example/old/7/a?b=c',
    why: 'another host, everything else stays',
  },
  { redirect: { host: 'new.example:81' }, location: 'http://new.example:81/old/7/a?b=c', why: 'with its port' },
  {
    redirect: { scheme: 'https' },
    location: 'https://a.example/old/7/a?b=c',
    why: 'the port is the one of the other scheme',
  },
  { redirect: { path: '/new/{path.id}' }, location: 'http://a.example:8080/new/7', why: 'a path made of the old one' },
  { redirect: { path: '/new', status: 302 }, location: 'http://a.example:8080/new', status: 302, why: 'a status' },
  {
    redirect: { scheme: 'https', host: 'a.example' },
    lines: ['X-Forwarded-Proto: https'],
    location: 'https://a.example/old/7/a?b=c',
    why: 'nobody is believed who is no trusted proxy',
  },
]) {
  wire(`a redirect goes to ${location}: ${why}`, redirecting(redirect), async ({ client, upstream }) => {
    await client.send(`GET /old/7/a?b=c HTTP/1.1\r\n${['Host: A.example:8080', ...lines].join('\r\n')}\r\n\r\n`);
    await client.expectReply({ status, headers: { location, 'content-length': '0' } });
    upstream.expectNoConnection();
  });
}

for (const host of ['a.example', 'A.Example', 'a.example:80']) {
  wire(
    `nobody is served without HTTPS who is to go there (Host: ${host})`,
    redirecting({ scheme: 'https' }),
    async (context) => {
      const { client, upstream } = context;
      await client.send(`GET /old/7/a HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await client.expectReply({ status: 308, headers: { location: 'https://a.example/old/7/a' } });
      upstream.expectNoConnection();
    },
  );
}

wire(
  'a host has no case: who is there is not sent there again',
  redirecting({ host: 'A.Example' }),
  async (context) => {
    const { client, upstream } = context;
    await client.send('GET /old/7/a HTTP/1.1\r\nHost: a.eXample\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

wire('what already is there is served', redirecting({ scheme: 'https' }, behindProxy), async ({ client, upstream }) => {
  await client.send('GET /old/7/a HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: https\r\n\r\n');
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
});

wire(
  'a path from a parameter is one on this host, whatever is in it',
  {
    middleware: { redirect: { path: '/{path.rest}' } },
    routes: [{ path: '^/go/(?<rest>.*)$', middleware: ['redirect'] }],
    server: { merge_slashes: false },
    secure: false,
  },
  async ({ client }) => {
    await client.send('GET /go//evil.example/x%20y HTTP/1.1\r\nHost: a.example\r\n\r\n');
    const location = 'http://a.example//evil.example/x%20y';
    await client.expectReply({ status: 308, headers: { location } });
  },
);

wire('without a host there is nowhere to go', redirecting({ path: '/new' }), async ({ client }) => {
  await client.send('GET /old/7/a HTTP/1.0\r\n\r\n');
  await client.expectStatus(400);
});

const searching: WireOptions = {
  middleware: {
    authentication: { auth_type: 'jwt', jwt: { secret: SECRET } },
    redirect: { path: '/find/{path.id}?x=1&q={path.id}&by={consumer}#{path.id}' },
  },
  routes: [{ path: '/old/{id}', middleware: ['auth', 'redirect'] }],
  secure: false,
};

for (const { id, inPath = id, inQuery, sub = 'ann', by = sub, why } of [
  { id: 'a%20b', inQuery: 'a%20b', why: 'it is percent-encoded once' },
  { id: 'a&q=b', inQuery: 'a%26q%3Db', why: 'it ends no parameter' },
  { id: 'a%26q=b', inQuery: 'a%26q%3Db', why: 'nor does an encoded ampersand' },
  { id: 'a+b', inQuery: 'a%2Bb', why: 'a plus sign of a path is a blank in a query' },
  { id: '100%25', inQuery: '100%25', why: 'a percent sign' },
  { id: 'a%2fb%3fc%23d', inPath: 'a%2Fb%3Fc%23d', inQuery: 'a%2Fb%3Fc%23d', why: 'what would end a path' },
  { id: 'caf%C3%A9', inQuery: 'caf%C3%A9', why: 'UTF-8' },
  { id: '7', inQuery: '7', sub: 'a&by=b+c', by: 'a%26by%3Db%2Bc', why: 'a consumer ends no parameter either' },
]) {
  wire(
    `a value stands in one place of a redirect's path, query and fragment: ${why}`,
    searching,
    async ({ client }) => {
      const authorization = `Authorization: Bearer ${token({ sub })}`;
      await client.send(`GET /old/${id} HTTP/1.1\r\nHost: a.example\r\n${authorization}\r\n\r\n`);
      const location = `http://a.example/find/${inPath}?x=1&q=${inQuery}&by=${by}#${inQuery}`;
      await client.expectReply({ status: 308, headers: { location } });
    },
  );
}

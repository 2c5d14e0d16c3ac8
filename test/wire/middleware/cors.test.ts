import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const APP = 'https://app.example.com';

const CORS = {
  allowed_origins: [APP, 'https://*.partner.example'],
  allowed_methods: ['GET', 'PUT'],
  allowed_headers: ['X-Token', 'Content-Type'],
  exposed_headers: ['X-Total', 'ETag'],
  max_age: 600,
};

const NOTHING = {
  'access-control-allow-origin': null,
  'access-control-allow-credentials': null,
  'access-control-expose-headers': null,
};

const withCors = (cors: object = {}, routes: WireOptions['routes'] = [{ middleware: ['cors'] }]): WireOptions => ({
  middleware: { cors: { ...CORS, ...cors } },
  routes,
});

const request = (method: string, lines: string[]) =>
  `${method} /x HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`;

const preflight = (method: string, lines: string[] = [], origin = APP) =>
  request('OPTIONS', [`Origin: ${origin}`, `Access-Control-Request-Method: ${method}`, ...lines]);

const asking = (names: string) => [`Access-Control-Request-Headers: ${names}`];

async function exchange({ client, upstream }: WireContext, lines: string[], replyLines: string[] = []): Promise<void> {
  await client.send(request('GET', lines));
  const connection = await upstream.accept();
  await connection.expectRequest();
  await connection.send(ok('yes', ...replyLines));
}

wire('a preflight is answered here, with 204 and nothing in it', withCors(), async ({ client, upstream }) => {
  await client.send(preflight('PUT', asking('x-token,content-type')));
  await client.expectReply({
    status: 204,
    headers: {
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-token, content-type',
      'access-control-max-age': '600',
      'access-control-allow-credentials': null,
      vary: 'Origin',
      'content-length': null,
    },
  });
  upstream.expectNoConnection();
});

for (const { sent, why } of [
  { sent: preflight('PUT', [], 'https://evil.example'), why: 'another origin' },
  { sent: preflight('PUT', [], 'null'), why: 'no origin at all' },
  { sent: preflight('DELETE'), why: 'another method' },
  { sent: preflight('put'), why: 'methods have a case (RFC 9110 9.1)' },
  { sent: preflight('PUT', asking('x-other')), why: 'another header' },
  { sent: preflight('PUT', asking('x-token, authorization')), why: 'one that is not listed' },
  { sent: preflight('PUT', [`Origin: ${APP}`]), why: 'two origins' },
]) {
  wire(`a preflight is refused: ${why}`, withCors(), async ({ client, upstream }) => {
    await client.send(sent);
    await client.expectStatus(403);
    upstream.expectNoConnection();
  });
}

const BY_METHOD = [
  { path: '/x', methods: ['GET'] },
  { id: 'put', path: '/x', methods: ['PUT'], middleware: ['cors'] },
];

wire(
  'a preflight belongs to the route of the request that it asks about, which need not take OPTIONS',
  withCors({}, BY_METHOD),
  async ({ client, upstream }) => {
    await client.send(preflight('PUT'));
    await client.expectReply({ status: 204, headers: { 'access-control-allow-origin': APP } });
    await client.send(preflight('GET'));
    await client.expectReply({ status: 405, headers: NOTHING });
    upstream.expectNoConnection();
  },
);

wire('OPTIONS that is no preflight goes to the upstream', withCors(), async ({ client, upstream }) => {
  await client.send(request('OPTIONS', [`Origin: ${APP}`]));
  const connection = await upstream.accept();
  await connection.expectRequest({ method: 'OPTIONS' });
  await connection.send(ok('yes'));
  await client.expectReply({ status: 200, headers: { 'access-control-allow-origin': APP } });
});

wire('a reply to an origin that is allowed says so, and what may be read', withCors(), async (context) => {
  await exchange(context, [`Origin: ${APP}`]);
  await context.client.expectReply({
    status: 200,
    headers: {
      'access-control-allow-origin': APP,
      'access-control-expose-headers': 'x-total, etag',
      'access-control-allow-credentials': null,
      vary: 'Origin',
    },
  });
});

wire(
  'a subdomain is named itself, with credentials where they are allowed',
  withCors({ allow_credentials: true }),
  async (context) => {
    const origin = 'https://a.partner.example';
    await exchange(context, [`Origin: ${origin}`]);
    const headers = { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' };
    await context.client.expectReply({ status: 200, headers });
  },
);

for (const { lines, why } of [
  { lines: [], why: 'no origin' },
  { lines: ['Origin: https://evil.example'], why: 'another origin' },
  { lines: [`Origin: ${APP}`, 'Origin: https://evil.example'], why: 'two origins' },
]) {
  wire(`a reply allows nothing and varies by origin all the same: ${why}`, withCors(), async (context) => {
    await exchange(context, lines);
    await context.client.expectReply({ status: 200, headers: { ...NOTHING, vary: 'Origin' } });
  });
}

wire('what the upstream says of it does not count', withCors(), async (context) => {
  const theirs = ['Access-Control-Allow-Origin: *', 'Access-Control-Allow-Credentials: true'];
  await exchange(context, ['Origin: https://evil.example'], theirs);
  await context.client.expectReply({ status: 200, headers: NOTHING });
});

const EVERY = { allowed_origins: ['*'], allow_credentials: true };

wire('"*" says "*", never with credentials', withCors(EVERY), async (context) => {
  await exchange(context, [`Origin: ${APP}`]);
  const headers = { 'access-control-allow-origin': '*', 'access-control-allow-credentials': null, vary: null };
  await context.client.expectReply({ status: 200, headers });
});

wire('"*" is said without an origin too: what a cache keeps is for every page', withCors(EVERY), async (context) => {
  await exchange(context, []);
  const headers = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'x-total, etag', vary: null };
  await context.client.expectReply({ status: 200, headers });
});

const GUARDED: WireOptions = {
  middleware: {
    cors: CORS,
    rate_limiting: { requests_per_second: 0.1, burst: 1 },
    authentication: { auth_type: 'api_key', api_key: { keys: ['a-key-of-alice'] } },
  },
  routes: [{ middleware: ['authentication', 'rate_limit', 'cors'] }],
};

wire(
  'a preflight takes neither credentials nor a token of a limit, and 401 and 429 can be read by the page',
  GUARDED,
  async ({ client, upstream }) => {
    const headers = { 'access-control-allow-origin': APP };
    for (let n = 0; n < 3; n++) {
      await client.send(preflight('PUT'));
      await client.expectReply({ status: 204, headers });
    }
    await client.send(request('GET', [`Origin: ${APP}`]));
    await client.expectReply({ status: 401, headers });
    await client.send(request('GET', [`Origin: ${APP}`]));
    await client.expectReply({ status: 429, headers });
    upstream.expectNoConnection();
  },
);

for (const { sent, why } of [
  { sent: preflight('GET, PUT'), why: 'two methods' },
  { sent: preflight('GET"><b>'), why: 'no name of a method' },
  { sent: preflight('GET', asking('x-a b')), why: 'no name of a header' },
  { sent: preflight('GET', asking('x-a:b')), why: 'a header with its value' },
]) {
  wire(
    `"*" for methods and headers stands for names alone: ${why}`,
    withCors({ allowed_methods: ['*'], allowed_headers: ['*'] }),
    async ({ client, upstream }) => {
      await client.send(sent);
      await client.expectStatus(403);
      upstream.expectNoConnection();
    },
  );
}

wire('the Vary of the upstream stays beside ours', withCors(), async (context) => {
  await exchange(context, [`Origin: ${APP}`], ['Vary: Accept-Encoding']);
  await context.client.expectReply({ status: 200, headers: { vary: 'Accept-Encoding, Origin' } });
});

wire(
  'an error reply can be read by the page',
  withCors({}, [{ middleware: ['cors'], retries: 0 }]),
  async ({ client, upstream }) => {
    await client.send(request('GET', [`Origin: ${APP}`]));
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.reset();
    await client.expectReply({ status: 502, headers: { 'access-control-allow-origin': APP } });
  },
);

wire('each request gets what is right for its own origin, whichever came before', withCors(), async (context) => {
  const { client, upstream } = context;
  const partner = 'https://b.partner.example';
  const origins = [APP, 'https://evil.example', partner, partner, APP];
  await client.send(request('GET', [`Origin: ${origins[0]}`]));
  const connection = await upstream.accept();
  for (const [index, origin] of origins.entries()) {
    await connection.expectRequest();
    await connection.send(ok('yes'));
    const allowed = origin === 'https://evil.example' ? null : origin;
    await client.expectReply({ status: 200, headers: { 'access-control-allow-origin': allowed } });
    if (index + 1 < origins.length) await client.send(request('GET', [`Origin: ${origins[index + 1]}`]));
  }
});

wire(
  '"*" for headers does not stand for Authorization (Fetch 4.8), which has to be named',
  withCors({ allowed_headers: ['*'] }),
  async ({ client }) => {
    await client.send(preflight('GET', asking('x-any')));
    await client.expectReply({ status: 204, headers: { 'access-control-allow-headers': 'x-any' } });
    await client.send(preflight('GET', asking('authorization')));
    await client.expectStatus(403);
  },
);

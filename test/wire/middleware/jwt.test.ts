import assert from 'node:assert/strict';
import { jwkOf, keyPair, rawToken, SECRET, signedToken, token } from '../../support/tokens.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, wire } from '../../support/wire.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a.example\r\n';

const guarded = (jwt: object, more: object = {}) => ({
  middleware: { authentication: { auth_type: 'jwt', jwt: { secret: SECRET, ...jwt }, ...more } },
  routes: [{ middleware: ['auth'] }],
});

/** What the upstream gets of a request that is let in. */
async function letIn({ client, upstream }: WireContext, request: string): Promise<string> {
  await client.send(request);
  const connection = await upstream.accept();
  const { fields } = await connection.expectRequest();
  await connection.send(ok('yes'));
  await client.expectStatus(200);
  return `\r\n${fields.lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
}

async function expectRefused({ client, upstream }: WireContext, request: string, challenge: string): Promise<void> {
  await client.send(request);
  const { fields } = await client.expectStatus(401);
  assert.equal(fields.get('www-authenticate'), challenge);
  upstream.expectNoConnection();
}

const CHALLENGE = 'Bearer realm="Photon"';
const INVALID = `${CHALLENGE}, error="invalid_token"`;

wire('a request without a token gets 401 and nothing goes upstream', guarded({}), (context) =>
  expectRefused(context, `${GET}\r\n`, CHALLENGE),
);

wire('a token that does not hold is refused as RFC 6750 3.1 has it', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: Bearer ${token({ exp: 1 })}\r\n\r\n`, INVALID),
);

wire('Authorization of another scheme is no token', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: Basic YTpi\r\n\r\n`, CHALLENGE),
);

wire('a token right behind its scheme is none', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: Bearer${token()}\r\n\r\n`, CHALLENGE),
);

wire('a token without its scheme is none', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: ${token()}\r\n\r\n`, CHALLENGE),
);

wire(
  'a token without its scheme is none where the header is named, too',
  guarded({ header: 'Authorization' }),
  (context) => expectRefused(context, `${GET}Authorization: ${token()}\r\n\r\n`, CHALLENGE),
);

for (const { auth_type, lines, challenge } of [
  { auth_type: 'jwt', lines: 'X-API-Key: key-of-alice-1\r\n', challenge: CHALLENGE },
  { auth_type: 'api_key', lines: `Authorization: Bearer ${token()}\r\n`, challenge: 'ApiKey' },
]) {
  wire(
    `a block that ${auth_type} does not ask for lets nobody in`,
    guarded({}, { auth_type, api_key: { keys: ['key-of-alice-1'] } }),
    (context) => expectRefused(context, `${GET}${lines}\r\n`, challenge),
  );
}

wire('a scheme without its token is refused', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: Bearer\r\n\r\n`, INVALID),
);

wire('of two fields with tokens none is taken', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: Bearer ${token()}\r\nAuthorization: Bearer ${token()}\r\n\r\n`, INVALID),
);

for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'Bearer   ']) {
  wire(`a token after ${JSON.stringify(scheme)} is let in and goes on upstream`, guarded({}), async (context) => {
    const text = token();
    const head = await letIn(context, `${GET}Authorization: ${scheme}${text}\r\n\r\n`);
    assert.match(head, new RegExp(`Authorization: ${scheme}${text.replaceAll('.', '\\.')}\r\n`));
  });
}

for (const value of [token(), `Bearer ${token()}`]) {
  wire(
    `another header has it alone or after Bearer (${value.slice(0, 6)})`,
    guarded({ header: 'X-Token' }),
    (context) => letIn(context, `${GET}X-Token: ${value}\r\n\r\n`).then(() => undefined),
  );
}

wire('where another header has it, Authorization does not count', guarded({ header: 'X-Token' }), (context) =>
  expectRefused(context, `${GET}Authorization: Bearer ${token()}\r\n\r\n`, CHALLENGE),
);

wire('a cookie has it among others', guarded({ cookie: 'session' }), async (context) => {
  await letIn(context, `${GET}Cookie: xsession=1; session=${token()}; y=other\r\n\r\n`);
});

for (const cookies of [
  (good: string) => `Cookie: session=${good}; session=other`,
  (good: string) => `Cookie: session=other; session=${good}`,
  (good: string) => `Cookie: session=${good}\r\nCookie: session=${good}`,
]) {
  wire(
    `of two cookies with tokens none is taken: ${JSON.stringify(cookies('good'))}`,
    guarded({ cookie: 'session', query: 'q' }),
    (context) =>
      expectRefused(context, `GET /x?q=${token()} HTTP/1.1\r\nHost: a\r\n${cookies(token())}\r\n\r\n`, INVALID),
  );
}

wire('a cookie of another name is none', guarded({ cookie: 'session' }), (context) =>
  expectRefused(context, `${GET}Cookie: Session=${token()}; xsession=${token()}\r\n\r\n`, CHALLENGE),
);

wire('the query has it', guarded({ query: 'access_token' }), async (context) => {
  await letIn(context, `GET /x?a=1&access_token=${token()}&b HTTP/1.1\r\nHost: a\r\n\r\n`);
});

wire('of two in the query none is taken', guarded({ query: 'q' }), (context) =>
  expectRefused(context, `GET /x?q=${token()}&q=${token()} HTTP/1.1\r\nHost: a\r\n\r\n`, INVALID),
);

wire('the header comes before the cookie and the query', guarded({ cookie: 'c', query: 'q' }), (context) =>
  expectRefused(
    context,
    `GET /x?q=${token()} HTTP/1.1\r\nHost: a\r\nCookie: c=${token()}\r\nAuthorization: Bearer x.y.z\r\n\r\n`,
    INVALID,
  ),
);

wire(
  'claims go upstream in their headers, and what a client sends there does not, in any spelling',
  guarded({ forward_claims: { sub: 'X-User-ID', role: 'X_Role' } }),
  async (context) => {
    const text = token({ sub: 'al\r\nice', role: 'user' });
    const smuggled = 'X-User-ID: root\r\nx-user-id: root\r\nX_User_ID: root\r\nX-Role: admin\r\nX_ROLE: admin\r\n';
    const head = await letIn(context, `${GET}${smuggled}Authorization: Bearer ${text}\r\n\r\n`);
    assert.doesNotMatch(head, /root|admin/);
    assert.match(head, /\r\nx-user-id: al%0D%0Aice\r\n/);
    assert.match(head, /\r\nx_role: user\r\n/);
  },
);

wire(
  'a header of a claim that the token lacks is empty of what the client sent',
  guarded({ forward_claims: { role: 'X-Role' } }),
  async (context) => {
    const head = await letIn(context, `${GET}X-Role: admin\r\nAuthorization: Bearer ${token()}\r\n\r\n`);
    assert.doesNotMatch(head, /role/i);
  },
);

wire(
  'the consumer is there for what comes after, and in the access log',
  {
    ...guarded({ consumer_claim: 'client_id' }),
    routes: [{ middleware: ['auth', { transform: { request_headers: { set: { 'X-Consumer': '<{consumer}>' } } } }] }],
    accessLog: { enabled: true },
  },
  async (context) => {
    const text = token({ client_id: 'shop "7"' });
    const head = await letIn(context, `${GET}Authorization: Bearer ${text}\r\n\r\n`);
    assert.match(head, /X-Consumer: <shop "7">\r\n/i);
    await context.client.send(`${GET}\r\n`);
    await context.client.expectStatus(401);
    const lines = context.gateway.accessLines();
    const consumers = lines.map((line) => (JSON.parse(line) as { consumer?: string }).consumer);
    assert.deepEqual(consumers, ['shop "7"', undefined]);
    assert.ok(!lines.join('').includes(text.slice(-20)), 'no token is logged');
  },
);

wire('another secret makes the old token worthless at once', guarded({}), async (context) => {
  const { client, gateway } = context;
  const request = `${GET}Authorization: Bearer ${token()}\r\n\r\n`;
  await letIn(context, request);
  gateway.prepare(guarded({ secret: 'another-Wq8zR5nT2vB7kM1xL4cD9fG3hJ6' }));
  gateway.plane.commit();
  await client.send(request);
  await client.expectStatus(401);
});

const pair = keyPair('ES256');
const byKey = (kid: string): string =>
  `${GET}Authorization: Bearer ${signedToken('ES256', pair.privateKey, { kid })}\r\n\r\n`;
const asked: string[] = [];
const KEY_A = JSON.stringify({ keys: [jwkOf(pair.publicKey, { kid: 'a' })] });
const KEYS = 'https://issuer.example/keys';

wire(
  'a request waits for the keys of the issuer, which is 503 where there are none, and 401 where there is none of that name',
  {
    middleware: { authentication: { auth_type: 'jwt', jwt: { jwks_url: KEYS, algorithm: 'ES256' } } },
    routes: [{ middleware: ['auth'] }],
    wantKeySet: (url: string) => asked.push(url),
  },
  async ({ client, upstream, gateway, clock }) => {
    await client.send(byKey('a'));
    await clock.advance(50);
    assert.deepEqual(asked, [KEYS]);
    gateway.plane.useKeySet({ url: KEYS, text: null, failed: true });
    await client.expectStatus(503);
    await clock.advance(10_000);
    await client.send(byKey('a'));
    await clock.advance(50);
    gateway.plane.useKeySet({ url: KEYS, text: KEY_A, failed: false });
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.send(ok('yes'));
    await client.expectStatus(200);
    await client.send(byKey('b'));
    await client.expectStatus(401);
    assert.equal(asked.length, 2);
    await clock.advance(10_000);
    await client.send(byKey('b'));
    await clock.advance(50);
    gateway.plane.useKeySet({ url: KEYS, text: KEY_A, failed: true });
    await client.expectStatus(503);
    await client.send(byKey('a'));
    await connection.expectRequest();
    await connection.send(ok('yes'));
    await client.expectStatus(200);
  },
);

wire(
  'a client that leaves while its token waits for keys leaves nothing behind',
  {
    middleware: { authentication: { auth_type: 'jwt', jwt: { jwks_url: KEYS, algorithm: 'ES256' } } },
    routes: [{ middleware: ['auth'] }],
    wantKeySet: () => {},
  },
  async ({ client, upstream, gateway, clock }) => {
    await client.send(byKey('a'));
    await clock.advance(50);
    client.reset();
    await clock.advance(50);
    gateway.plane.useKeySet({ url: KEYS, text: KEY_A, failed: false });
    await clock.advance(50);
    upstream.expectNoConnection();
  },
);

wire('a token with the algorithm "none" is refused on the wire, too', guarded({}), (context) =>
  expectRefused(context, `${GET}Authorization: Bearer ${rawToken('{"alg":"none"}', '{"exp":9e9}')}\r\n\r\n`, INVALID),
);

for (const { lines, why } of [
  { lines: 'Cookie: session = x\r\n', why: 'with blanks around the equals sign' },
  { lines: 'Cookie: a=b\r\nCookie: session=x\r\n', why: 'in the second field' },
  { lines: `Cookie: session=${token()}\r\nCookie: session =${token()}\r\n`, why: 'two of them' },
]) {
  wire(
    `a cookie of the name is looked at before another scheme is asked, wherever it is: ${why}`,
    guarded({ cookie: 'session' }, { auth_type: 'any', api_key: { keys: ['key-of-alice-1'] } }),
    async ({ client, upstream }) => {
      await client.send(`${GET}X-API-Key: key-of-alice-1\r\n${lines}\r\n`);
      await client.expectStatus(401);
      upstream.expectNoConnection();
    },
  );
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fields } from '../../support/message.ts';
import { SECRET, token } from '../../support/tokens.ts';
import { ok } from '../../support/upstream.ts';
import { type WireContext, type WireOptions, wire } from '../../support/wire.ts';

const limited = (rate_limiting: object, more: Partial<WireOptions> = {}): WireOptions => ({
  middleware: { rate_limiting },
  routes: [{ middleware: ['rate_limit'] }],
  ...more,
});

/** Clients whose address the test chooses. */
const BEHIND_PROXY = { server: { trusted_proxies: ['127.0.0.1'] } };

/** Sends a request and returns the reply's status and fields. */
async function ask(
  { client, upstream }: WireContext,
  { lines = [] as string[], target = '/', method = 'GET' } = {},
): Promise<{ status: number; fields: Fields }> {
  upstream.answerAll(() => ok(''));
  await client.send(`${method} ${target} HTTP/1.1\r\n${['Host: a.example', ...lines].join('\r\n')}\r\n\r\n`);
  const { status, fields } = await client.expectReplyHead();
  const length = Number(fields.get('content-length') ?? 0);
  if (method !== 'HEAD' && length > 0) await client.inbox.take(length, 'the body of the reply');
  return { status, fields };
}

async function statuses(context: WireContext, requests: readonly Parameters<typeof ask>[1][]): Promise<number[]> {
  const seen: number[] = [];
  for (const request of requests) seen.push((await ask(context, request)).status);
  return seen;
}

const from = (address: string, ...lines: string[]) => ({ lines: [`X-Forwarded-For: ${address}`, ...lines] });

wire(
  'as many requests pass as the burst holds; then one gets 429, and passes when it comes again as told',
  limited({ requests_per_second: 0.4, burst: 2 }),
  async (context) => {
    const first = await ask(context);
    assert.deepEqual(
      [first.status, first.fields.get('ratelimit-policy'), first.fields.get('ratelimit')],
      [200, '"ip";q=2;w=5', '"ip";r=1;t=3'],
    );
    const second = await ask(context);
    assert.deepEqual([second.status, second.fields.get('ratelimit')], [200, '"ip";r=0;t=3']);
    const third = await ask(context);
    assert.deepEqual(
      [third.status, third.fields.get('retry-after'), third.fields.get('ratelimit')],
      [429, '3', '"ip";r=0;t=3'],
    );
    assert.equal(third.fields.get('content-type'), 'application/problem+json');
    assert.equal(third.fields.get('ratelimit-policy'), '"ip";q=2;w=5');
    await context.clock.advance(2000);
    const early = await ask(context);
    assert.deepEqual([early.status, early.fields.get('retry-after')], [429, '1']);
    await context.clock.advance(1000);
    assert.equal((await ask(context)).status, 200);
    assert.equal((await ask(context)).status, 429);
  },
);

wire('the burst is twice the rate by default', limited({ requests_per_second: 3 }), async (context) => {
  assert.deepEqual(await statuses(context, new Array(7).fill({})), [200, 200, 200, 200, 200, 200, 429]);
  await context.clock.advance(1000);
  assert.deepEqual(await statuses(context, new Array(4).fill({})), [200, 200, 200, 429]);
});

wire('a rate far below one a second lets one pass at once', limited({ requests_per_second: 0.1 }), async (context) => {
  assert.equal((await ask(context)).status, 200);
  const refused = await ask(context);
  assert.deepEqual([refused.status, refused.fields.get('retry-after')], [429, '10']);
  await context.clock.advance(10_000);
  assert.equal((await ask(context)).status, 200);
});

wire(
  'the time to wait is rounded up: half a second more than one is two',
  limited({ requests_per_second: 0.4, burst: 1 }),
  async (context) => {
    await ask(context);
    await context.clock.advance(1300);
    assert.equal((await ask(context)).fields.get('retry-after'), '2');
  },
);

for (const { options, policy, why } of [
  { options: { requests_per_second: 1.2 }, policy: '"ip";q=3;w=3', why: 'twice a fraction is rounded up' },
  { options: { requests_per_second: 100, burst: 10 }, policy: '"ip";q=100;w=1', why: 'more in a second than at once' },
  { options: { requests_per_second: 100, burst: 100 }, policy: '"ip";q=100;w=1', why: 'as much as at once' },
]) {
  wire(`the policy ${policy} is true: ${why}`, limited(options), async (context) => {
    assert.equal((await ask(context)).fields.get('ratelimit-policy'), policy);
  });
}

wire(
  'HEAD, OPTIONS and every other method count; replies to HEAD have no body and the same fields',
  limited({ requests_per_second: 0.1, burst: 3 }),
  async (context) => {
    const methods = ['GET', 'OPTIONS', 'DELETE'];
    assert.deepEqual(
      await statuses(
        context,
        methods.map((method) => ({ method })),
      ),
      [200, 200, 200],
    );
    const head = await ask(context, { method: 'HEAD' });
    assert.deepEqual([head.status, head.fields.get('retry-after')], [429, '10']);
    assert.equal((await ask(context, { method: 'OPTIONS' })).status, 429);
  },
);

wire(
  'replies that the gateway makes for an upstream that fails carry the fields too',
  limited({ requests_per_second: 1 }, { routes: [{ middleware: ['rate_limit'], retries: 0 }] }),
  async ({ client, upstream }) => {
    await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const connection = await upstream.accept();
    await connection.expectRequest();
    await connection.reset();
    await client.expectReply({
      status: 502,
      headers: { ratelimit: '"ip";r=1;t=1', 'ratelimit-policy': '"ip";q=2;w=2' },
    });
  },
);

// --- by the client's address ---------------------------------------------------------------------------------------------

const ONE = { requests_per_second: 0.1, burst: 1 };

wire('every address is counted for itself', limited(ONE, BEHIND_PROXY), async (context) => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.2'];
  assert.deepEqual(
    await statuses(
      context,
      addresses.map((each) => from(each)),
    ),
    [200, 200, 429, 429],
  );
});

wire('what anybody writes into X-Forwarded-For makes him nobody else', limited(ONE), async (context) => {
  assert.deepEqual(
    await statuses(
      context,
      ['10.0.0.1', '10.0.0.2'].map((each) => from(each)),
    ),
    [200, 429],
  );
});

wire('an IPv4 address mapped into IPv6 is that address', limited(ONE, BEHIND_PROXY), async (context) => {
  const addresses = ['10.0.0.1', '::ffff:10.0.0.1', '::FFFF:a00:1', '::ffff:10.0.0.2'];
  assert.deepEqual(
    await statuses(
      context,
      addresses.map((each) => from(each)),
    ),
    [200, 429, 429, 200],
  );
});

wire('who has a whole /64 of IPv6 is one client', limited(ONE, BEHIND_PROXY), async (context) => {
  const addresses = ['2001:db8::1', '2001:db8::ffff', '2001:db8:0:0:abcd::', '2001:db8:0:1::1'];
  assert.deepEqual(
    await statuses(
      context,
      addresses.map((each) => from(each)),
    ),
    [200, 429, 429, 200],
  );
});

wire('the length of the prefix can be set', limited({ ...ONE, ipv6_prefix: 50 }, BEHIND_PROXY), async (context) => {
  const addresses = ['2001:db8::1', '2001:db8:0:3fff::1', '2001:db8:0:4000::1'];
  assert.deepEqual(
    await statuses(
      context,
      addresses.map((each) => from(each)),
    ),
    [200, 429, 200],
  );
});

wire(
  'clients on a Unix socket are counted together, and apart from all that have an address',
  limited(ONE, { secure: false }),
  async (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'photon-limit-'));
    const path = join(directory, 'socket');
    const { plane } = context.gateway;
    await plane.listen({ key: 'unix', source: { path }, secure: false });
    try {
      assert.equal((await ask(context)).status, 200);
      assert.deepEqual([await statusOverSocket(path), await statusOverSocket(path)], [200, 429]);
      assert.equal((await ask(context)).status, 429);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

function statusOverSocket(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject).end();
  });
}

// --- by what the request says --------------------------------------------------------------------------------------------

wire('a header is counted by its value', limited({ ...ONE, key: 'header:X-API-Key' }), async (context) => {
  const keys = ['one', 'two', 'one', 'ONE'];
  assert.deepEqual(
    await statuses(
      context,
      keys.map((key) => ({ lines: [`x-api-KEY: ${key}`] })),
    ),
    [200, 200, 429, 200],
  );
});

for (const { why, lines } of [
  { why: 'no header', lines: [] },
  { why: 'an empty header', lines: ['X-API-Key:'] },
  { why: 'a header that comes twice', lines: ['X-API-Key: a', 'X-API-Key: b'] },
  { why: 'the header only with underscores', lines: ['X_API_Key: a'] },
]) {
  wire(
    `with ${why} a request counts by its address, and never as that address written into the header`,
    limited({ ...ONE, key: 'header:X-API-Key' }, BEHIND_PROXY),
    async (context) => {
      assert.equal((await ask(context, from('10.0.0.1', 'X-API-Key: 10.0.0.1'))).status, 200);
      assert.equal((await ask(context, from('10.0.0.1', ...lines))).status, 200);
      assert.equal((await ask(context, from('10.0.0.1', ...lines))).status, 429);
      assert.equal((await ask(context, from('10.0.0.2', ...lines))).status, 200);
    },
  );
}

wire(
  'a header as long as heads may be is counted to its last byte',
  limited({ ...ONE, key: 'header:X' }),
  async (context) => {
    const long = 'k'.repeat(30_000);
    assert.deepEqual(
      await statuses(
        context,
        [`${long}a`, `${long}b`, `${long}a`].map((value) => ({ lines: [`X: ${value}`] })),
      ),
      [200, 200, 429],
    );
  },
);

wire(
  'a query parameter is counted by its value, however it is written',
  limited({ ...ONE, key: 'query:api key' }),
  async (context) => {
    const targets = ['/?api+key=ab', '/?x=1&api%20key=%61b', '/?api+key=%61%62&y', '/?api+key=AB', '/?api+key=a+b'];
    assert.deepEqual(
      await statuses(
        context,
        targets.map((target) => ({ target })),
      ),
      [200, 429, 429, 200, 200],
    );
  },
);

wire('a query parameter that comes twice counts for none', limited({ ...ONE, key: 'query:k' }), async (context) => {
  const targets = ['/?k=a&k=b', '/?k=c&%6b=d', '/?k=', '/', '/?k=a'];
  assert.deepEqual(
    await statuses(
      context,
      targets.map((target) => ({ target })),
    ),
    [200, 429, 429, 429, 200],
  );
});

wire('a cookie is counted by its value', limited({ ...ONE, key: 'cookie:sid' }), async (context) => {
  const cookies = ['sid=a', 'x=1; sid=b; y=2', 'z=3; sid=a', 'sid=a; sid=c', 'SID=a', 'xsid=a'];
  assert.deepEqual(
    await statuses(
      context,
      cookies.map((cookie) => ({ lines: [`Cookie: ${cookie}`] })),
    ),
    [200, 200, 429, 200, 429, 429],
  );
});

wire(
  'without authentication a limit by consumer counts by address',
  limited({ ...ONE, key: 'consumer' }, BEHIND_PROXY),
  async (context) => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.1'];
    assert.deepEqual(
      await statuses(
        context,
        addresses.map((each) => from(each)),
      ),
      [200, 200, 429],
    );
  },
);

// --- several limits ------------------------------------------------------------------------------------------------------

const TWO = {
  limits: [
    { name: 'short "term"', requests_per_second: 1, burst: 1, key: 'header:X' },
    { requests_per_second: 0.1, burst: 3 },
  ],
};

wire(
  'a request has to be within all limits; what one refuses costs nothing with the others',
  limited(TWO),
  async (context) => {
    const key = (value: string) => ({ lines: [`X: ${value}`] });
    const first = await ask(context, key('a'));
    assert.equal(first.fields.get('ratelimit-policy'), '"short \\"term\\"";q=1;w=1, "2";q=3;w=30');
    assert.equal(first.fields.get('ratelimit'), '"short \\"term\\"";r=0;t=1, "2";r=2;t=10');
    const refused = await ask(context, key('a'));
    assert.deepEqual([refused.status, refused.fields.get('retry-after')], [429, '1']);
    assert.equal(refused.fields.get('ratelimit'), '"short \\"term\\"";r=0;t=1, "2";r=1;t=20');
    assert.deepEqual(await statuses(context, [key('b'), key('c')]), [200, 200]);
    const last = await ask(context, key('d'));
    assert.deepEqual([last.status, last.fields.get('retry-after')], [429, '10']);
  },
);

for (const rates of [
  [0.1, 1],
  [1, 0.1],
]) {
  wire(
    `of two limits that refuse, the longer wait is told (${rates.join(' and ')} a second)`,
    limited({ limits: rates.map((rate) => ({ requests_per_second: rate, burst: 1 })) }),
    async (context) => {
      await ask(context);
      assert.equal((await ask(context)).fields.get('retry-after'), '10');
    },
  );
}

wire(
  'the limit of the block and those listed hold together',
  limited({ requests_per_second: 5, ...TWO }),
  async (context) => {
    const { fields } = await ask(context);
    assert.equal(fields.get('ratelimit-policy'), '"ip";q=10;w=2, "short \\"term\\"";q=1;w=1, "2";q=3;w=30');
  },
);

wire(
  'limits before and after authentication say what they are in one reply',
  limited({ requests_per_second: 5, limits: [{ name: 'who', requests_per_second: 1, key: 'consumer' }] }),
  async (context) => {
    const { fields } = await ask(context);
    assert.deepEqual(fields.all('ratelimit-policy'), ['"ip";q=10;w=2', '"who";q=2;w=2']);
    assert.deepEqual(fields.all('ratelimit'), ['"ip";r=9;t=1', '"who";r=1;t=1']);
  },
);

// --- what is only tried out ----------------------------------------------------------------------------------------------

wire('a dry run refuses nobody, says nothing and counts', limited({ ...ONE, dry_run: true }), async (context) => {
  for (let n = 0; n < 3; n++) {
    const { status, fields } = await ask(context);
    assert.deepEqual([status, fields.get('ratelimit'), fields.get('ratelimit-policy')], [200, null, null]);
  }
  assert.deepEqual(context.gateway.plane.rateLimitCounts.ofRoute('/**'), { refused: 0, passedInDryRun: 2 });
});

wire(
  'a dry run at the top is one of all limits',
  limited({ dry_run: true, limits: [ONE, { ...ONE, key: 'header:X' }] }),
  async (context) => {
    assert.deepEqual(await statuses(context, [{}, {}, {}]), [200, 200, 200]);
    assert.deepEqual(context.gateway.plane.rateLimitCounts.ofRoute('/**'), { refused: 0, passedInDryRun: 2 });
  },
);

wire(
  'clients are told of the limits alone that are not tried out',
  limited({
    limits: [
      { ...ONE, dry_run: true },
      { requests_per_second: 0.1, burst: 2 },
    ],
  }),
  async (context) => {
    const { fields } = await ask(context);
    assert.deepEqual([fields.get('ratelimit-policy'), fields.get('ratelimit')], ['"2";q=2;w=20', '"2";r=1;t=10']);
  },
);

wire(
  'a limit that is tried out beside another one does not loosen it',
  limited({
    limits: [
      { ...ONE, dry_run: true },
      { requests_per_second: 0.1, burst: 2 },
    ],
  }),
  async (context) => {
    assert.deepEqual(await statuses(context, [{}, {}, {}]), [200, 200, 429]);
    assert.deepEqual(context.gateway.plane.rateLimitCounts.ofRoute('/**'), { refused: 1, passedInDryRun: 1 });
  },
);

// --- whose limit it is ---------------------------------------------------------------------------------------------------

const TWO_ROUTES: WireOptions = {
  middleware: { rate_limiting: { requests_per_second: 0.1, burst: 2 } },
  routes: [
    { id: 'a', path: '/a', middleware: ['rate_limit'] },
    { id: 'b', path: '/b', middleware: ['rate_limit'] },
    { id: 'own', path: '/own', middleware: [{ rate_limit: { burst: 1 } }] },
    { id: 'too', path: '/too', middleware: [{ rate_limit: { burst: 1 } }] },
    { id: 'free', path: '/free' },
  ],
};

const to = (...targets: string[]) => targets.map((target) => ({ target }));

wire(
  'routes that name the block share its limit; one that changes it has one of its own',
  TWO_ROUTES,
  async (context) => {
    assert.deepEqual(await statuses(context, to('/a', '/b', '/a', '/b')), [200, 200, 429, 429]);
    assert.deepEqual(await statuses(context, to('/own', '/own', '/too', '/too')), [200, 429, 200, 429]);
    assert.deepEqual(await statuses(context, to('/free', '/free')), [200, 200]);
    const { rateLimitCounts } = context.gateway.plane;
    assert.deepEqual(
      ['a', 'b', 'own', 'too'].map((id) => rateLimitCounts.ofRoute(id).refused),
      [1, 1, 1, 1],
    );
  },
);

wire(
  'a list for all routes is one limit, changed or not',
  {
    middleware: { rate_limiting: { requests_per_second: 0.1, burst: 9 } },
    server: { middleware: [{ rate_limit: { burst: 2 } }] },
    routes: [{ path: '/a' }, { path: '/b' }],
  },
  async (context) => {
    assert.deepEqual(await statuses(context, to('/a', '/b', '/a', '/b')), [200, 200, 429, 429]);
  },
);

wire(
  'a limit of a route takes the place of that of all routes, and counts a request once',
  {
    middleware: { rate_limiting: { requests_per_second: 0.1, burst: 2 } },
    server: { middleware: ['rate_limit'] },
    routes: [{ path: '/a', middleware: ['rate_limit'] }, { path: '/b' }],
  },
  async (context) => {
    assert.deepEqual(await statuses(context, to('/a', '/b', '/a', '/b')), [200, 200, 429, 429]);
  },
);

wire(
  'buckets outlive a reload that leaves the limit as it is, and begin anew when it changes',
  TWO_ROUTES,
  async (context) => {
    assert.deepEqual(await statuses(context, to('/a', '/a', '/own')), [200, 200, 200]);
    const { gateway } = context;
    gateway.prepare({ server: { keepalive_timeout: '30s' } });
    gateway.plane.commit();
    assert.deepEqual(await statuses(context, to('/a', '/b', '/own')), [429, 429, 429]);
    gateway.prepare({ middleware: { rate_limiting: { requests_per_second: 0.1, burst: 3 } } });
    gateway.plane.commit();
    assert.deepEqual(await statuses(context, to('/a', '/own')), [200, 429]);
  },
);

wire(
  'what was counted by one header does not count for another one after a reload',
  limited({ ...ONE, key: 'header:X' }),
  async (context) => {
    const lines = ['X: a', 'Y: a'];
    assert.deepEqual(await statuses(context, [{ lines }, { lines }]), [200, 429]);
    context.gateway.prepare({ middleware: { rate_limiting: { ...ONE, key: 'header:Y' } } });
    context.gateway.plane.commit();
    assert.deepEqual(await statuses(context, [{ lines }, { lines }]), [200, 429]);
  },
);

// --- attacks -------------------------------------------------------------------------------------------------------------

wire(
  'thousands of other keys do not give a client his tokens back, and keys stand in no log',
  limited({ ...ONE, key: 'header:X-API-Key', max_keys: 1024 }, { accessLog: { enabled: true } }),
  async (context) => {
    const victim = { lines: ['X-API-Key: victim-secret'] };
    assert.deepEqual(await statuses(context, [victim, victim]), [200, 429]);
    for (let n = 0; n < 3000; n++) await ask(context, { lines: [`X-API-Key: ${n}`] });
    assert.equal((await ask(context, victim)).status, 429);
    const { accessLines, logLines } = context.gateway;
    assert.doesNotMatch([...accessLines(), ...logLines].join('\n'), /victim-secret/);
  },
);

/** Ways to write the credentials of one client. */
const TOKEN = token();
const PASSWORD = Buffer.from('alice:secret').toString('base64');
const ONE_CLIENT: readonly { key: string; auth: object; requests: Parameters<typeof ask>[1][]; why: string }[] = [
  {
    key: 'query:key',
    auth: { auth_type: 'api_key', api_key: { query: 'key', keys: ['the-key-of-alice'] } },
    requests: [
      { target: '/?key=the-key-of-alice' },
      { target: '/?key=%74he-key-of-alice' },
      { target: '/?%6bey=the%2Dkey-of-alice' },
      { target: '/?key=the%2dkey-of-alice&x=1' },
    ],
    why: 'a key in the query',
  },
  {
    key: 'query:token',
    auth: { auth_type: 'jwt', jwt: { secret: SECRET, query: 'token' } },
    requests: [
      { target: `/?token=${TOKEN}` },
      { target: `/?token=%65${TOKEN.slice(1)}` },
      { target: `/?t%6Fken=${TOKEN.replaceAll('.', '%2e')}` },
    ],
    why: 'a token in the query',
  },
  {
    key: 'header:Authorization',
    auth: { auth_type: 'jwt', jwt: { secret: SECRET } },
    requests: ['Bearer ', 'bearer ', 'BEARER ', 'bEaReR    '].map((scheme) => ({
      lines: [`Authorization: ${scheme}${TOKEN}`],
    })),
    why: 'a token in Authorization',
  },
  {
    key: 'header:X-Token',
    auth: { auth_type: 'jwt', jwt: { secret: SECRET, header: 'X-Token' } },
    requests: ['', 'Bearer ', 'bearer  '].map((scheme) => ({ lines: [`X-Token: ${scheme}${TOKEN}`] })),
    why: 'a token in another header',
  },
  {
    key: 'cookie:session',
    auth: { auth_type: 'jwt', jwt: { secret: SECRET, cookie: 'session' } },
    requests: [`session=${TOKEN}`, `session = ${TOKEN}`, `a=b;session=${TOKEN}`].map((pairs) => ({
      lines: [`Cookie: ${pairs}`],
    })),
    why: 'a token in a cookie',
  },
  {
    key: 'header:Authorization',
    auth: { auth_type: 'any', jwt: { secret: SECRET }, api_key: { keys: ['the-key-of-alice'] } },
    requests: ['Basic ', 'basic ', 'BASIC   '].map((scheme) => ({
      lines: ['X-API-Key: the-key-of-alice', `Authorization: ${scheme}${PASSWORD}`],
    })),
    why: 'a password that the upstream looks at',
  },
];

for (const { key, auth, requests, why } of ONE_CLIENT) {
  wire(
    `credentials have one bucket however they are written: ${why}`,
    {
      middleware: { rate_limiting: { requests_per_second: 0.001, burst: 2, key }, authentication: auth },
      routes: [{ middleware: ['rate_limit', 'auth'] }],
    },
    async (context) => {
      const [first, second, ...more] = await statuses(context, requests);
      assert.deepEqual([first, second], [200, 200]);
      for (const status of more) assert.equal(status, 429);
    },
  );
}

wire(
  'other spellings of a key neither pass nor have buckets of their own to pass with',
  {
    middleware: {
      rate_limiting: { requests_per_second: 0.001, burst: 2, key: 'query:key' },
      authentication: { auth_type: 'api_key', api_key: { query: 'key', keys: ['sssssssss'] } },
    },
    routes: [{ middleware: ['rate_limit', 'auth'] }],
  },
  async (context) => {
    const spellings = Array.from({ length: 200 }, (_, index) =>
      encodeURIComponent(String.fromCodePoint(0x73 + 0x100 * (1 + (index % 0xd7)))),
    );
    const seen = await statuses(
      context,
      spellings.map((each) => ({ target: `/?key=${each.repeat(9)}` })),
    );
    assert.deepEqual(new Set(seen), new Set([401]));
  },
);

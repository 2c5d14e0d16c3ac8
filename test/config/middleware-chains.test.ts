// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configurations with substitutions look like one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteMiddleware } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { BACKENDS, diagnosticsOf, lines, parseYamlConfig, placesOf, ROUTES, SERVER } from './documents.ts';

/** A file whose only route has this list, with these blocks. */
const withList = (list: string, ...blocks: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    ROUTES,
    `    middleware: ${list}`,
    blocks.length === 0 ? [] : ['middleware:', ...blocks.map((block) => `  ${block}`)],
  );

function chainOf(text: string): readonly RouteMiddleware[] {
  return parseYamlConfig(text).routes[0]?.middleware ?? [];
}

test('a name stands for its block, by its own name or a shorter one', () => {
  const blocks = [
    'rate_limiting: { requests_per_second: 5 }',
    'authentication: { auth_type: api_key, api_key: { keys: [0f8a2b6c4d1e9357] } }',
  ];
  for (const list of ['[rate_limit, auth]', '[rate_limiting, authentication]']) {
    assert.deepEqual(
      chainOf(withList(list, ...blocks)).map(({ name }) => name),
      ['rate_limiting', 'authentication'],
    );
  }
});

test('a list overrides options of the block: mappings are merged, lists and keys replaced, defaults come last', () => {
  const [limit, transform] = chainOf(
    withList(
      '[{ rate_limit: { burst: 3, key: { query_param: q } } }, { transform: { request_headers: { set: { X-B: "2" }, remove: [X-C] } } }]',
      'rate_limiting: { requests_per_second: 5, key: { header: X-Key } }',
      'transform: { request_headers: { set: { X-A: "1" }, remove: [X-D] } }',
    ),
  );
  assert.deepEqual(limit?.options, {
    requests_per_second: 5,
    burst: 3,
    key: { kind: 'query', name: 'q' },
    dry_run: false,
    ipv6_prefix: 64,
    max_keys: 100_000,
  });
  assert.deepEqual(limit?.overrides, { burst: 3, key: { query_param: 'q' } });
  assert.deepEqual(transform?.options, {
    request_headers: { set: { 'x-a': '1', 'x-b': '2' }, add: {}, remove: ['x-c'] },
    response_headers: { set: {}, add: {}, remove: [] },
  });
});

test('options in the list are enough without a block', () => {
  const [limit] = chainOf(withList('[{ rate_limit: { requests_per_second: 1 } }]'));
  assert.equal(limit?.name, 'rate_limiting');
});

test('the server has a list of its own for all routes', () => {
  const { server } = parseYamlConfig(lines(SERVER, '  middleware: [headers]', BACKENDS, ROUTES));
  assert.deepEqual(
    server.middleware.map(({ name }) => name),
    ['headers'],
  );
});

const JWT = 'authentication: { auth_type: jwt, jwt: { secret: 3q2-7w8zJx0pLk5vN1sR6tYbHcMdQfGa, audience: [a] } }';
const REFUSED: readonly { readonly why: string; readonly text: string; readonly places: readonly string[] }[] = [
  {
    why: 'a name that is not there',
    text: withList('[auht]'),
    places: ['unknown-middleware routes[0].middleware[0] 10:18'],
  },
  {
    why: 'a name without the block that it needs',
    text: withList('[auth]'),
    places: ['missing-block routes[0].middleware[0] 10:18'],
  },
  {
    why: 'a name twice',
    text: withList('[headers, headers]'),
    places: ['duplicate-middleware routes[0].middleware[1] 10:27'],
  },
  {
    why: 'a rate limit twice as it is: it would be one limit that counts twice',
    text: withList('[rate_limit, rate_limiting]', 'rate_limiting: { requests_per_second: 1 }'),
    places: ['duplicate-middleware routes[0].middleware[1] 10:30'],
  },
  {
    why: 'a rate limit twice with the same changes, in whatever words',
    text: withList(
      '[{ rate_limit: { burst: 3 } }, { rate_limit: { burst: 3, requests_per_second: 1 } }]',
      'rate_limiting: { requests_per_second: 1 }',
    ),
    places: ['duplicate-middleware routes[0].middleware[1].rate_limit 10:48'],
  },
  {
    why: 'an unknown option',
    text: withList('[{ rate_limit: { burts: 3, requests_per_second: 1 } }]'),
    places: ['unknown-key routes[0].middleware[0].rate_limit.burts 10:34'],
  },
  {
    why: 'a bad value in the block is told about once',
    text: withList('[rate_limit, { rate_limit: { burst: 2 } }]', 'rate_limiting: { requests_per_second: 0 }'),
    places: ['bad-value middleware.rate_limiting.requests_per_second 12:41'],
  },
  {
    why: 'a bad value in the list',
    text: withList('[{ rate_limit: { burst: 0 } }]', 'rate_limiting: { requests_per_second: 1 }'),
    places: ['bad-value routes[0].middleware[0].rate_limit.burst 10:41'],
  },
  {
    why: 'a limit without a number',
    text: withList('[{ rate_limit: { burst: 3 } }]'),
    places: ['missing-key routes[0].middleware[0].rate_limit.requests_per_second 10:32'],
  },
  {
    why: 'two limits of one name',
    text: withList(
      '[rate_limit]',
      'rate_limiting: { limits: [ { name: a, requests_per_second: 1 }, { requests_per_second: 1 }, { name: a, requests_per_second: 2 } ] }',
    ),
    places: ['bad-value middleware.rate_limiting.limits[2].name 12:103'],
  },
  {
    why: 'a kind of authentication without its block',
    text: withList('[auth]', 'authentication: { auth_type: basic }'),
    places: ['missing-key middleware.authentication.basic 12:19'],
  },
  {
    why: 'any kind of authentication, and none there',
    text: withList('[auth]', 'authentication: { auth_type: any }'),
    places: ['missing-key middleware.authentication.jwt 12:19'],
  },
  {
    why: 'an algorithm that is not known',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { secret: abc, algorithm: none } }'),
    places: ['bad-value middleware.authentication.jwt.algorithm 12:68'],
  },
  {
    why: 'a shared secret for an algorithm with public keys',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { secret: abc, algorithm: RS256 } }'),
    places: ['bad-value middleware.authentication.jwt.algorithm 12:68'],
  },
  {
    why: 'a public key for an algorithm with a shared secret, which everybody could sign for',
    text: withList(
      '[auth]',
      'authentication: { auth_type: jwt, jwt: { public_key: k.pem, algorithms: [RS256, HS256] } }',
    ),
    places: ['bad-value middleware.authentication.jwt.algorithms 12:83'],
  },
  {
    why: 'a public key without algorithms',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { jwks_url: "https://a.example/keys" } }'),
    places: ['missing-key middleware.authentication.jwt.algorithms 12:42'],
  },
  {
    why: 'two sources of keys',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { secret: abc, public_key: k.pem } }'),
    places: ['conflict middleware.authentication.jwt.public_key 12:69'],
  },
  {
    why: 'tokens without a key to check them',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { leeway: 3s } }'),
    places: ['missing-key middleware.authentication.jwt.secret 12:42'],
  },
  {
    why: 'a second source of keys in the list',
    text: withList('[{ auth: { jwt: { public_key: k.pem } } }]', JWT),
    places: ['conflict routes[0].middleware[0].auth.jwt.public_key 10:47'],
  },
  {
    why: 'a password that is not hashed',
    text: withList('[auth]', 'authentication: { auth_type: basic, basic: { users: { admin: hunter2 } } }'),
    places: ['bad-value middleware.authentication.basic.users.admin 12:64'],
  },
  {
    why: 'a header that frames messages',
    text: withList('[{ transform: { request_headers: { set: { Content-Length: "0" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.request_headers.set.Content-Length 10:59'],
  },
  {
    why: 'the same in a spelling that an upstream may take for it',
    text: withList('[{ transform: { request_headers: { set: { Content_Length: "0" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.request_headers.set.Content_Length 10:59'],
  },
  {
    why: 'a second one of what the gateway writes into a request',
    text: withList('[{ transform: { request_headers: { add: { X_Forwarded_For: "a" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.request_headers.add.X_Forwarded_For 10:59'],
  },
  {
    why: 'a second one of what the gateway writes into a reply',
    text: withList('[{ transform: { response_headers: { add: { Date: "a" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.response_headers.add.Date 10:60'],
  },
  {
    why: 'an answer with what the gateway writes into each',
    text: withList('[{ respond: { headers: { X-Request-ID: "a" } } }]'),
    places: ['bad-value routes[0].middleware[0].respond.headers.X-Request-ID 10:42'],
  },
  {
    why: 'Host as the header of keys, which would be taken out',
    text: withList('[auth]', 'authentication: { auth_type: api_key, api_key: { header: Host, keys: [ kP3vX9qLw2 ] } }'),
    places: ['bad-value middleware.authentication.api_key.header 12:60'],
  },
  {
    why: 'two claims in one header',
    text: withList(
      '[auth]',
      'authentication: { auth_type: jwt, jwt: { secret: kP3vX9qLw2Zt7RmY5sNc8BdF1gHj4KaQ, forward_claims: { sub: X-User, uid: x_user } } }',
    ),
    places: ['bad-value middleware.authentication.jwt.forward_claims.uid 12:122'],
  },
  {
    why: 'a line break in a header',
    text: withList('[{ transform: { response_headers: { add: { X: "a\\r\\nSet-Cookie: b" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.response_headers.add.X 10:63'],
  },
  {
    why: 'a character of which a line break would be left in a header, one byte a character',
    text: withList('[{ transform: { response_headers: { add: { X: "a\u010aSet-Cookie: b" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.response_headers.add.X 10:63'],
  },
  {
    why: 'the same in a place to go to',
    text: withList('[{ redirect: { path: "/a\u010a" } }]'),
    places: ['bad-value routes[0].middleware[0].redirect.path 10:38'],
  },
  {
    why: 'a query in the place of a path',
    text: withList('[{ rewrite: { regex: { pattern: ^/a, replacement: "/b?c" } } }]'),
    places: ['bad-value routes[0].middleware[0].rewrite.regex.replacement 10:67'],
  },
  {
    why: 'an unknown placeholder',
    text: withList('[{ transform: { request_headers: { set: { X: "{client}" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.request_headers.set.X 10:62'],
  },
  {
    why: 'a brace alone',
    text: withList('[{ transform: { request_headers: { set: { X: "a}" } } } }]'),
    places: ['bad-value routes[0].middleware[0].transform.request_headers.set.X 10:62'],
  },
  {
    why: 'a parameter that the path of the route has not',
    text: withList('[{ rewrite: { path: "/v2/{path.id}" } }]'),
    places: ['bad-value routes[0].middleware[0].rewrite 10:37'],
  },
  {
    why: 'two ways to rewrite',
    text: withList('[{ rewrite: { path: /a, regex: { pattern: ^/a, replacement: /b } } }]'),
    places: ['conflict routes[0].middleware[0].rewrite.regex 10:48'],
  },
  {
    why: 'a redirect to nowhere',
    text: withList('[redirect]'),
    places: ['missing-block routes[0].middleware[0] 10:18'],
  },
  {
    why: 'an origin with a path',
    text: withList('[{ cors: { allowed_origins: ["https://a.example/"] } }]'),
    places: ['bad-value routes[0].middleware[0].cors.allowed_origins[0] 10:46'],
  },
  {
    why: 'an origin without a scheme',
    text: withList('[{ cors: { allowed_origins: [a.example] } }]'),
    places: ['bad-value routes[0].middleware[0].cors.allowed_origins[0] 10:46'],
  },
  {
    why: 'a range that is none',
    text: withList('[{ ip_filter: { deny: [10.0.0.0/33] } }]'),
    places: ['bad-value routes[0].middleware[0].ip_filter.deny[0] 10:40'],
  },
  {
    why: 'middleware of your own by a name that is taken',
    text: withList('[auth]', JWT, 'custom: { auth: { module: a.ts } }'),
    places: ['bad-value middleware.custom.auth 13:13'],
  },
  {
    why: 'middleware of your own without a module',
    text: withList('[own]', 'custom: { own: { options: {} } }'),
    places: ['missing-key middleware.custom.own.module 12:13'],
  },
  {
    why: 'a regular expression that can run for very long',
    text: withList('[{ rewrite: { regex: { pattern: "^/(a*)*$", replacement: /b } } }]'),
    places: ['unsafe-regex routes[0].middleware[0].rewrite.regex.pattern 10:49'],
  },
];

for (const { why, text, places } of REFUSED) {
  test(`middleware is refused with its place: ${why}`, () => {
    const errors = diagnosticsOf(text).filter(({ severity }) => severity === 'error');
    assert.deepEqual(placesOf(errors), places);
  });
}

const LINTED: readonly { readonly why: string; readonly text: string; readonly place: string }[] = [
  {
    why: 'a short secret',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { secret: aB3xK9pQ7mZ2 } }'),
    place: 'weak-secret middleware.authentication.jwt.secret 12:52',
  },
  {
    why: 'a secret from documentation',
    text: withList('[auth]', 'authentication: { auth_type: jwt, jwt: { secret: your-256-bit-secret-key-here-0000 } }'),
    place: 'weak-secret middleware.authentication.jwt.secret 12:52',
  },
  {
    why: 'a key of one character',
    text: withList(
      '[auth]',
      'authentication: { auth_type: api_key, api_key: { consumers: { a: aaaaaaaaaaaaaaaaaaaaaa } } }',
    ),
    place: 'weak-secret middleware.authentication.api_key.consumers 12:68',
  },
  {
    why: 'every origin with credentials',
    text: withList('[cors]', 'cors: { allowed_origins: ["*"], allow_credentials: true }'),
    place: 'open-credentials middleware.cors.allowed_origins 12:29',
  },
  {
    why: 'keys, of which there are none',
    text: withList('[auth]', 'authentication: { auth_type: api_key, api_key: { header: X-Key } }'),
    place: 'no-credentials middleware.authentication.api_key 12:50',
  },
  {
    why: 'a block that nothing names',
    text: withList('[]', 'headers: { nosniff: true }'),
    place: 'no-effect middleware.headers 12:12',
  },
  {
    why: 'a block of another kind of authentication',
    text: withList('[auth]', `${JWT.slice(0, -1)}, basic: { htpasswd: a } }`),
    place: 'no-effect middleware.authentication.basic 12:111',
  },
  {
    why: 'trust in everybody',
    text: lines(SERVER, '  trusted_proxies: ["::/0"]', BACKENDS, ROUTES),
    place: 'trusts-everybody server.trusted_proxies[0] 3:21',
  },
];

for (const { why, text, place } of LINTED) {
  test(`warned about: ${why}`, () => {
    const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} });
    const others = warnings.filter(({ code }) => !['not-active-yet', 'not-available-yet'].includes(code));
    assert.deepEqual(placesOf(others), [place]);
    assert.doesNotMatch(JSON.stringify(others), /aB3xK9pQ7mZ2|your-256|aaaaaaaa/);
  });
}

test('a good secret, from a variable or not, is nothing to warn about', () => {
  const secret = '3q2-7w8zJx0pLk5vN1sR6tYbHcMdQfGa';
  for (const [written, env] of [
    [secret, {}],
    ['"${SECRET}"', { SECRET: secret }],
  ] as const) {
    const text = withList('[auth]', `authentication: { auth_type: jwt, jwt: { secret: ${written} } }`);
    const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env });
    assert.deepEqual(
      warnings.filter(({ code }) => code === 'weak-secret'),
      [],
    );
  }
});

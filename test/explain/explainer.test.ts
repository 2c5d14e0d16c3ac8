import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { Explainer } from '../../src/explain/explainer.ts';
import type { Explanation } from '../../src/explain/explanation.ts';
import { parseInquiry } from '../../src/explain/inquiry.ts';

const UPSTREAMS = [{ address: '127.0.0.1:3001', weight: 3 }, { address: '127.0.0.1:3002' }];

const DOCUMENT = {
  server: { http_addr: ['127.0.0.1:8080', '127.0.0.1:8081'], trusted_proxies: ['10.0.0.0/8'] },
  load_balancing: { backends: { web: { upstreams: UPSTREAMS } } },
  routes: [
    { id: 'all', path: '/**' },
    { id: 'user', path: '/users/{id}', methods: ['GET', 'PUT'], timeout: '10s', strip_prefix: '/users' },
    { id: 'beta', path: '/users/{id}', match: { headers: { 'X-Beta': '1' } } },
    { id: 'inner', path: '/users/{id}', host: 'inner.test' },
    { id: 'old', path: '/users/*', methods: ['GET'] },
  ],
};

interface Asking {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly from?: string;
  readonly document?: object;
}

function explain(url: string, { method = 'GET', headers = [], from = '192.0.2.1', document }: Asking = {}) {
  const text = JSON.stringify({ ...DOCUMENT, ...document });
  const explainer = new Explainer(parseConfig(text, { file: 'a.json', format: 'json', env: {} }).config);
  return explainer.explain(parseInquiry({ method, url, headers, from }));
}

function resultsOf({ candidates }: Explanation): Record<string, string | null> {
  return Object.fromEntries(candidates.map(({ id, failed }) => [id, failed]));
}

function reasonFor(id: string, { candidates }: Explanation): string | undefined {
  return candidates.find((candidate) => candidate.id === id)?.reason;
}

function answered({ result }: Explanation) {
  assert.ok(result.kind === 'answered', JSON.stringify(result));
  return result;
}

test('a request that is forwarded: route, parameters, backend and the very head', () => {
  const said = explain('http://a.test:8080/users//7?q=1', { headers: ['X-A: b'] });
  assert.deepEqual(said.listener, { address: '127.0.0.1:8080', scheme: 'http', note: null });
  assert.deepEqual(said.client, { address: '192.0.2.1', peer: '192.0.2.1', peerTrusted: false });
  assert.deepEqual(said.target, { host: 'a.test', path: '/users/7', query: 'q=1' });
  assert.deepEqual(said.result, { kind: 'forwarded' });
  assert.equal(said.route?.id, 'user');
  assert.deepEqual(said.route?.pathParameters, { id: '7' });
  assert.equal(said.route?.timeoutMs, 10_000);
  assert.equal(said.backend?.name, 'web');
  assert.deepEqual(
    said.backend?.upstreams.map(({ address, share }) => [address, share]),
    [
      ['127.0.0.1:3001', 0.75],
      ['127.0.0.1:3002', 0.25],
    ],
  );
  assert.deepEqual(said.sent, {
    upstream: '127.0.0.1:3001',
    proxyHeader: null,
    head: [
      'GET /7?q=1 HTTP/1.1',
      'Host: a.test:8080',
      'X-A: b',
      'X-Forwarded-For: 192.0.2.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: a.test:8080',
      'X-Forwarded-Port: 8080',
      'Via: 1.1 photon',
      'X-Request-ID: <request id>',
    ],
  });
});

test('each route is told with the first of its tests that fails, in the order in which they are tried', () => {
  const said = explain('/users/7', { headers: ['Host: a.test'] });
  assert.deepEqual(Object.entries(resultsOf(said)), [
    ['inner', 'host'],
    ['user', null],
    ['old', 'rank'],
    ['beta', 'header'],
    ['all', 'rank'],
  ]);
  assert.deepEqual(
    said.candidates.map(({ rank }) => rank),
    [1, 2, 3, 4, 5],
  );
  assert.equal(reasonFor('inner', said), 'the host is not inner.test');
  assert.equal(reasonFor('beta', said), 'the header x-beta is not "1"');
  assert.equal(reasonFor('old', said), 'would take it, but user comes first: it stands earlier in the file');
  assert.equal(reasonFor('all', said), 'would take it, but user comes first: its path is more specific');
});

const COMING_FIRST = [
  { first: { path: '/a', priority: 1 }, wanted: 'its priority is higher' },
  { first: { path: '/*', host: 'h.test' }, wanted: 'its host is more specific' },
  { first: { path: '/a' }, second: { path: '/*' }, wanted: 'its path is more specific' },
  { first: { path: '/a', methods: ['GET'] }, wanted: 'it lists its methods' },
  { first: { path: '/a', match: { query: { q: true } } }, wanted: 'it asks for more fields or parameters' },
  { first: { path: '/a' }, wanted: 'it stands earlier in the file' },
];

for (const { first, second = { path: '/a' }, wanted } of COMING_FIRST) {
  test(`a route that would take it too is told why another comes first: ${wanted}`, () => {
    const inOrder = [
      { id: 'first', ...first },
      { id: 'second', ...second },
    ];
    const routes = wanted.includes('earlier') ? inOrder : inOrder.toReversed();
    const said = explain('http://h.test/a?q=1', { document: { routes } });
    assert.equal(said.route?.id, 'first');
    assert.equal(reasonFor('second', said), `would take it, but first comes first: ${wanted}`);
  });
}

test('of many routes the ten nearest are shown, the one that takes the request among them, and the others counted', () => {
  const routes = Array.from({ length: 40 }, (_, index) => ({ id: `r${index}`, path: `/shop/item-${index}` }));
  const said = explain('/shop/item-33', { document: { routes: [...routes, { id: 'far', path: '/x/y/z' }] } });
  assert.equal(said.candidates.length, 10);
  assert.equal(said.otherRoutes, 31);
  assert.equal(resultsOf(said)['r33'], null);
  for (const { path } of said.candidates) assert.match(path, /^\/shop\/item-3/);
});

test('a path under other methods: 405, Allow, and no more general route in its place', () => {
  const said = explain('/users/7', { method: 'POST', headers: ['Host: a.test'] });
  const { status, code, fields } = answered(said);
  assert.deepEqual([status, code], [405, 'method_not_allowed']);
  assert.ok(fields.includes('Allow: GET, HEAD, PUT'), fields.join());
  assert.deepEqual(resultsOf(said), { inner: 'host', user: 'method', old: 'method', beta: 'header', all: 'rank' });
  assert.equal(reasonFor('all', said), 'would take it, but user has this path under other methods');
  assert.equal(said.sent, null);
});

test('no route: 404, with the nearest ones', () => {
  const said = explain('/user/7', { document: { routes: DOCUMENT.routes.slice(1) } });
  assert.equal(answered(said).code, 'not_found');
  assert.deepEqual(resultsOf(said), { inner: 'host', user: 'path', old: 'path', beta: 'path' });
});

const REFUSALS = [
  { url: '/a%00', code: 'bad_target', status: 400, why: 'a NUL in the path' },
  { url: 'http://a..test/', code: 'bad_host', status: 400, why: 'an empty label' },
  { url: '/', headers: ['Host: a', 'Host: b'], code: 'bad_host', status: 400, why: 'two hosts' },
  { url: '/', headers: ['A : b'], code: 'malformed_message', status: 400, why: 'a blank in a name' },
  { url: '/', method: 'TRACE', code: 'method_refused', status: 405, why: 'TRACE is not served' },
  { url: `/${'a'.repeat(9000)}`, code: 'target_too_long', status: 414, why: 'a long target' },
  { url: '/', headers: ['Expect: more'], code: 'unknown_expectation', status: 417, why: 'Expect' },
  {
    url: '/',
    headers: ['Transfer-Encoding: gzip'],
    code: 'unknown_transfer_coding',
    status: 501,
    why: 'a coding',
  },
];

for (const { url, code, status, why, ...asking } of REFUSALS) {
  test(`a refusal is told with its code and why: ${why}`, () => {
    const said = explain(url, asking);
    const result = answered(said);
    assert.deepEqual([result.code, result.status], [code, status]);
    assert.match(result.detail ?? '', /\w/);
    assert.equal(said.target, null);
    assert.deepEqual(said.candidates, []);
  });
}

test('OPTIONS * is answered without any route', () => {
  const said = explain('*', { method: 'OPTIONS' });
  assert.deepEqual([answered(said).status, answered(said).code], [204, null]);
  assert.deepEqual(said.candidates, []);
});

test('the client is settled through trusted proxies', () => {
  const said = explain('/users/7', {
    from: '10.0.0.1',
    headers: ['X-Forwarded-For: 198.51.100.9, 203.0.113.5, 10.0.0.2', 'X-Request-ID: mine'],
  });
  assert.deepEqual(said.client, { address: '203.0.113.5', peer: '10.0.0.1', peerTrusted: true });
  assert.ok(said.sent?.head.includes('X-Forwarded-For: 198.51.100.9, 203.0.113.5, 10.0.0.2, 10.0.0.1'));
  assert.ok(said.sent?.head.includes('X-Request-ID: mine'));
});

const TLS = { https_addr: ':8443', tls_cert: 'none.crt', tls_key: 'none.key' };

test('a redirect to HTTPS is told with its place, and HTTPS itself is served', () => {
  const document = { server: { http_addr: ':8080', ...TLS, http_to_https: true } };
  const { status, fields } = answered(explain('http://a.test/users/7?q', { document }));
  assert.equal(status, 308);
  assert.ok(fields.includes('Location: https://a.test:8443/users/7?q'), fields.join());
  assert.equal(explain('https://a.test/users/7', { document }).route?.id, 'user');
});

test('a redirect to HTTPS leads to the first listener that has a port', () => {
  const https_addr = ['unix:/run/photon/https.sock', '127.0.0.1:9443', ':8443'];
  const document = { server: { http_addr: ':8080', ...TLS, https_addr, http_to_https: true } };
  const { fields } = answered(explain('http://a.test/users/7?q', { document }));
  assert.ok(fields.includes('Location: https://a.test:9443/users/7?q'), fields.join());
});

const LISTENERS = [
  { url: '/', listener: '127.0.0.1:8080', note: null, why: 'a path alone goes to the first' },
  { url: 'http://a.test:8081/', listener: '127.0.0.1:8081', note: null, why: 'the port decides' },
  {
    url: 'http://a.test/',
    listener: '127.0.0.1:8080',
    note: 'no listener has port 80: taken as if it led here',
    why: 'something in front may lead another port here',
  },
];

for (const { url, listener, note, why } of LISTENERS) {
  test(`${url} arrives at ${listener}: ${why}`, () => {
    assert.deepEqual(explain(url).listener, { address: listener, scheme: 'http', note });
  });
}

test('a scheme that nobody listens for is told', () => {
  const said = explain('https://a.test/');
  assert.deepEqual(said.result, { kind: 'no-listener', detail: 'no listener speaks https' });
});

test('middleware is told in the order of its stages', () => {
  const middleware = ['compress', { headers: { nosniff: false } }, 'ip_filter'];
  const routes = [{ path: '/**', middleware, cache: { enabled: true, ttl: '10s' }, retries: 2 }];
  const { route } = explain('/', {
    document: { routes, middleware: { compress: {}, ip_filter: { deny: ['10.0.0.0/8'] } } },
  });
  assert.deepEqual(route?.middleware, [
    { name: 'compress', stage: 'compress', overrides: {} },
    { name: 'ip_filter', stage: 'ip_filter', overrides: {} },
    { name: 'headers', stage: 'headers', overrides: { nosniff: false } },
  ]);
  assert.equal(route?.retries, 2);
  assert.deepEqual([route?.cache.active, route?.cache.enabled, route?.cache.ttlMs], [false, true, 10_000]);
});

test('a reply of the gateway that would be compressed is told as it would go out', () => {
  const respond = { body: 'x'.repeat(2000) };
  const routes = [{ path: '/**', middleware: ['respond', 'compress'] }];
  const { result } = explain('/', {
    document: { routes, middleware: { respond, compress: {} } },
    headers: ['Accept-Encoding: br'],
  });
  assert.ok(result.kind === 'answered');
  assert.ok(result.fields.includes('Content-Encoding: br'), result.fields.join('\n'));
});

test('an upstream with a limit of one connection can be explained again and again', () => {
  const backends = { web: { upstreams: [{ address: '127.0.0.1:3001', max_connections: 1 }] } };
  const { config } = parseConfig(JSON.stringify({ ...DOCUMENT, load_balancing: { backends } }), {
    file: 'a.json',
    format: 'json',
    env: {},
  });
  const explainer = new Explainer(config);
  const inquiry = parseInquiry({ method: 'GET', url: '/users/7', headers: [], from: '::1' });
  for (let count = 0; count < 3; count++) assert.equal(explainer.explain(inquiry).result.kind, 'forwarded');
});

test('a wanted value of a header that may be a secret is not shown', () => {
  const routes = [{ id: 'a', path: '/', match: { headers: { 'X-Token': 'hidden' } } }];
  const said = explain('/', { document: { routes } });
  assert.doesNotMatch(JSON.stringify(said), /hidden/);
});

test('to ask about a request that is limited takes nothing: the answer is the same each time', () => {
  const document = {
    ...DOCUMENT,
    middleware: {
      rate_limiting: { requests_per_second: 0.1, limits: [{ requests_per_second: 1, key: 'consumer' }] },
    },
    routes: [{ path: '/**', middleware: ['rate_limit'] }],
  };
  const text = JSON.stringify(document);
  const explainer = new Explainer(parseConfig(text, { file: 'a.json', format: 'json', env: {} }).config);
  const inquiry = parseInquiry({ method: 'GET', url: 'http://a.test:8080/', headers: [], from: '192.0.2.1' });
  for (let n = 0; n < 3; n++) {
    const { result, route } = explainer.explain(inquiry);
    assert.deepEqual(result, { kind: 'forwarded' });
    assert.deepEqual(
      route?.middleware.map(({ name, stage }) => [name, stage]),
      [
        ['rate_limiting', 'rate_limit'],
        ['rate_limiting', 'consumer_limit'],
      ],
    );
  }
});

/** What is said of a backend with these settings; three upstreams, unlike those of other tests. */
function explainBalancing(settings: object, asking: Asking = {}) {
  const upstreams = [1, 2, 3].map((last) => ({ address: `10.0.0.${last}:80` }));
  const document = { load_balancing: { backends: { web: { ...settings, upstreams } } } };
  const { backend, sent } = explain('/', { ...asking, document });
  assert.ok(backend !== null && sent !== null);
  return { backend, sent };
}

for (const { settings, asking = {}, by, why } of [
  { settings: { algorithm: 'ip_hash' }, by: 'the hash of ip', why: 'the address decides' },
  {
    settings: { algorithm: 'consistent_hash', key: 'header:X-User' },
    asking: { headers: ['x-user: ann'] },
    by: 'the hash of header:X-User',
    why: 'the header decides',
  },
  {
    settings: { algorithm: 'consistent_hash', key: 'cookie:user' },
    asking: { headers: ['Cookie: usher=ann'] },
    by: 'the hash of ip, as there is no cookie:user',
    why: 'without the cookie it is the address',
  },
]) {
  test(`an upstream that a hash decides on is named: ${why}`, () => {
    const { backend, sent } = explainBalancing(settings, asking);
    assert.deepEqual(backend.choice, { upstream: sent.upstream, by });
    assert.deepEqual(explainBalancing(settings, asking).sent.upstream, sent.upstream);
  });
}

for (const algorithm of ['round_robin', 'weighted_round_robin', 'random', 'least_connections', 'power_of_two']) {
  test(`for ${algorithm} nobody is named, but the share of each is told`, () => {
    const { backend } = explainBalancing({ algorithm });
    assert.deepEqual([backend.algorithm, backend.key, backend.choice], [algorithm, null, null]);
    assert.deepEqual(
      backend.upstreams.map(({ share }) => share),
      [1 / 3, 1 / 3, 1 / 3],
    );
  });
}

test('an upstream that a cookie names is named, and the algorithm where the cookie names nobody', () => {
  const settings = { algorithm: 'random', sticky: { cookie: 'at' } };
  const named = explainBalancing(settings, { headers: ['Cookie: at=mOYyUNd2IPI2dzke'] }).backend;
  assert.deepEqual(named.choice, { upstream: '10.0.0.1:80', by: 'the cookie at' });
  assert.equal(named.stickyCookie, 'at');
  assert.equal(explainBalancing(settings, { headers: ['Cookie: at=nonsense'] }).backend.choice, null);
});

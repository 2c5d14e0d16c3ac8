import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTE_METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND, Router } from '../../src/routing/router.ts';
import { buildRouterTables } from '../../src/routing/router-tables.ts';
import { makeRequest, makeRouter, makeRule } from './rule.ts';

const MATCHES = [
  { pattern: '/', takes: ['/'], refuses: ['/a'], why: 'the root is a path like any other' },
  { pattern: '/a', takes: ['/a'], refuses: ['/', '/a/', '/ab', '/a/b', '/A'], why: 'a literal is the whole path' },
  { pattern: '/a/', takes: ['/a/'], refuses: ['/a', '/a/b'], why: 'a slash at the end counts' },
  {
    pattern: '/a/*',
    takes: ['/a/b', '/a/%2F'],
    refuses: ['/a', '/a/', '/a/b/', '/a/b/c'],
    why: 'one non-empty segment',
  },
  { pattern: '/a/{id}', takes: ['/a/b'], refuses: ['/a', '/a/', '/a/b/c'], why: 'one non-empty segment with a name' },
  { pattern: '/*/b', takes: ['/a/b'], refuses: ['/b', '//b', '/a/a/b'], why: 'one segment in front' },
  { pattern: '/**', takes: ['/', '/a', '/a/', '/a/b/c'], refuses: [], why: 'everything' },
  {
    pattern: '/a/**',
    takes: ['/a', '/a/', '/a/b', '/a/b/c/'],
    refuses: ['/', '/ab', '/b/a'],
    why: 'all below, and the path itself',
  },
  {
    pattern: '/admin/**',
    takes: ['/admin', '/admin/x'],
    refuses: ['/administrator', '/admin.php', '/admin%2Fx'],
    why: 'a segment ends where it ends',
  },
  {
    pattern: '/**/b',
    takes: ['/b', '/a/b', '/a/a/b', '/b/b'],
    refuses: ['/', '/ab', '/b/', '/b/a'],
    why: 'any number in front',
  },
  {
    pattern: '/a/**/b',
    takes: ['/a/b', '/a/x/b', '/a/x/y/b', '/a/b/b'],
    refuses: ['/a', '/b', '/ab', '/a/xb'],
    why: 'any number between',
  },
  { pattern: '/a/**/**/b', takes: ['/a/b', '/a/x/b'], refuses: ['/a'], why: 'two in a row mean what one means' },
  {
    pattern: '/**/a/**/b/**',
    takes: ['/a/b', '/x/a/x/b/x', '/b/a/a/b'],
    refuses: ['/a', '/b/a'],
    why: 'any number in three places',
  },
  { pattern: '/**/', takes: ['/', '/a/', '/a/b/'], refuses: ['/a'], why: 'whatever ends in a slash' },
  {
    pattern: '/*.js',
    takes: ['/a.js', '/.js', '/a.b.js'],
    refuses: ['/a.jsx', '/a/b.js', '/js'],
    why: 'a star within a segment may be nothing',
  },
  {
    pattern: '/v?',
    takes: ['/v1', '/v%20'],
    refuses: ['/v', '/v12', '/v/'],
    why: 'one character, be it percent-encoded',
  },
  { pattern: '/a*b*c', takes: ['/abc', '/axbxbc'], refuses: ['/ab', '/acb'], why: 'several stars in one segment' },
  {
    pattern: '/*%20*',
    takes: ['/a%20b', '/%20'],
    refuses: ['/a%25', '/a20'],
    why: 'literal percent-encodings among stars',
  },
  { pattern: '/*0', takes: ['/10'], refuses: ['/%20'], why: 'a star does not stop within a percent-encoding' },
  { pattern: '/%61/%7e%2f', takes: ['/a/~%2F'], refuses: ['/a/~/'], why: 'a pattern is normalised like a path' },
  {
    pattern: '/caf\u00e9',
    takes: ['/caf%C3%A9'],
    refuses: ['/cafe'],
    why: 'a pattern may be written in plain Unicode',
  },
  {
    pattern: '^/v[12]/',
    takes: ['/v1/', '/v2/x'],
    refuses: ['/v3/', '/x/v1/'],
    why: 'a regular expression, not anchored at its end',
  },
  { pattern: '^/a\\.b$', takes: ['/a.b'], refuses: ['/axb', '/a.bc'], why: 'escaped characters are literal' },
  {
    pattern: '^/a+/b?c*d{2}',
    takes: ['/aaa/dd', '/a/bccdd'],
    refuses: ['/a/d'],
    why: 'quantified characters are not taken for literal',
  },
  {
    pattern: '^/a|/z$',
    takes: ['/ab', '/b/z'],
    refuses: ['/b'],
    why: 'alternatives at the top have no prefix in common',
  },
  {
    pattern: '^/ab?c',
    takes: ['/ac', '/abc'],
    refuses: ['/ab'],
    why: 'a character that may be missing is not literal',
  },
  { pattern: '^/(a|b)/', takes: ['/a/', '/b/'], refuses: ['/c/'], why: 'alternatives in a group' },
];

for (const { pattern, takes, refuses, why } of MATCHES) {
  test(`the pattern ${pattern}: ${why}`, () => {
    const router = makeRouter(pattern);
    for (const path of takes) assert.equal(router.find(makeRequest(path)), 0, `takes ${path}`);
    for (const path of refuses) assert.equal(router.find(makeRequest(path)), ROUTE_NOT_FOUND, `refuses ${path}`);
  });
}

/** Each row is a ranking: the earlier pattern wins for the path, whatever the order in the file. */
const RANKINGS = [
  {
    path: '/a/b',
    order: ['/a/b', '/a/b/**', '/a/b*', '/a/{id}', '/a/**', '/*/b', '/**/b', '/**'],
    why: 'the whole ladder',
  },
  { path: '/a/b/c', order: ['/a/b/**', '/a/*/c', '/a/**'], why: 'segment by segment from the left' },
  { path: '/api/v1/x', order: ['/api/v1/**', '/api/**', '/**'], why: 'a shallow `**` never beats a deeper route' },
  { path: '/a', order: ['/a', '/a/**'], why: 'the path itself before all below it' },
  { path: '/a/x/b', order: ['/a/**/b', '/a/**/*', '/a/**'], why: 'what goes on after `**` is more specific' },
  {
    path: '/app.min.js',
    order: ['/app.*.js', '/*.mi?.js', '/*.js', '/*'],
    why: 'more literal characters first',
  },
  {
    path: '/a/b1',
    order: ['/a/b1', '^/a/b1', '/a/b?', '/a/{id}', '^/a/.*', '/a/**', '^/.*'],
    why: 'a regular expression ranks by its literal prefix',
  },
  {
    path: '/a/b',
    order: ['/a/b', '^/a/b$', '/a/?', '^/a/'],
    why: 'a regular expression that is a literal counts as one',
  },
];

for (const { path, order, why } of RANKINGS) {
  test(`ranking for ${path}: ${why}`, () => {
    for (const [place, better] of order.entries()) {
      for (const worse of order.slice(place + 1)) {
        assert.equal(makeRouter(better, worse).find(makeRequest(path)), 0, `${better} before ${worse}`);
        assert.equal(makeRouter(worse, better).find(makeRequest(path)), 1, `${better} before ${worse}, turned round`);
      }
    }
  });
}

test('a literal branch that fails further down falls back to the more general ones', () => {
  const router = makeRouter('/a/b/c', '/a/{id}/d', '/*/b/e', '/**/f');
  assert.equal(router.find(makeRequest('/a/b/c')), 0);
  assert.equal(router.find(makeRequest('/a/b/d')), 1);
  assert.equal(router.find(makeRequest('/a/b/e')), 2);
  assert.equal(router.find(makeRequest('/a/b/f')), 3);
  assert.equal(router.find(makeRequest('/a/b/g')), ROUTE_NOT_FOUND);
});

test('a priority overrides every other ranking, and a negative one comes last', () => {
  const router = makeRouter(
    makeRule('/a', { host: 'x.test', methods: ['GET'] }),
    makeRule('/**', { priority: 1 }),
    makeRule('/b', { priority: -1 }),
    makeRule('/{any}'),
  );
  assert.equal(router.find(makeRequest('/a', { host: 'x.test' })), 1);
  const withoutFirst = makeRouter(makeRule('/b', { priority: -1 }), makeRule('/**', { priority: 0 }));
  assert.equal(withoutFirst.find(makeRequest('/b')), 1);
});

test('equally specific routes: a list of methods first, then more predicates, then the order in the file', () => {
  const request = makeRequest('/a', { headers: { x: '1' } });
  assert.equal(makeRouter('/a', makeRule('/a', { methods: ['GET'] })).find(request), 1);
  assert.equal(makeRouter('/a', makeRule('/a', { headers: { x: '1' } })).find(request), 1);
  assert.equal(makeRouter('/{a}', '/{b}').find(request), 0);
});

const HOSTS = [
  {
    pattern: 'a.test',
    takes: ['a.test'],
    refuses: ['b.test', 'x.a.test', 'a.tes', 'a.testing', 'test', ''],
    why: 'an exact name',
  },
  { pattern: 'A.Test.', takes: ['a.test'], refuses: ['b.test'], why: 'case and trailing dot are ignored' },
  {
    pattern: '*.a.test',
    takes: ['x.a.test', 'y.a.test'],
    refuses: ['a.test', 'y.x.a.test', 'xa.test', '.a.test'],
    why: 'exactly one label',
  },
  { pattern: '[::1]', takes: ['[::1]'], refuses: ['::1', '[::2]'], why: 'an IPv6 address' },
  { pattern: null, takes: ['a.test', '192.0.2.7', ''], refuses: [], why: 'every host, none included' },
];

for (const { pattern, takes, refuses, why } of HOSTS) {
  test(`the host ${pattern}: ${why}`, () => {
    const router = makeRouter(makeRule('/**', { host: pattern }));
    for (const host of takes) assert.equal(router.find(makeRequest('/a', { host })), 0, `takes "${host}"`);
    for (const host of refuses)
      assert.equal(router.find(makeRequest('/a', { host })), ROUTE_NOT_FOUND, `refuses "${host}"`);
  });
}

test('an exact host wins over a wildcard one, and that over none, even with less specific paths', () => {
  const router = makeRouter('/a/b', makeRule('/a/*', { host: '*.test' }), makeRule('/**', { host: 'x.test' }));
  assert.equal(router.find(makeRequest('/a/b', { host: 'x.test' })), 2);
  assert.equal(router.find(makeRequest('/a/b', { host: 'y.test' })), 1);
  assert.equal(router.find(makeRequest('/a/b', { host: 'x.other' })), 0);
});

test('a host without a route for the path falls back to the routes for more hosts, never to those of another', () => {
  const router = makeRouter(
    makeRule('/internal', { host: 'internal.test' }),
    makeRule('/a', { host: 'public.test' }),
    makeRule('/b', { host: '*.test' }),
    makeRule('/c'),
  );
  const request = (path: string) => makeRequest(path, { host: 'public.test' });
  assert.deepEqual(
    ['/a', '/b', '/c'].map((path) => router.find(request(path))),
    [1, 2, 3],
  );
  assert.equal(router.find(request('/internal')), ROUTE_NOT_FOUND);
});

test('the host is part of every match, whichever host was looked up before', () => {
  const hosts = Array.from({ length: 100 }, (_, number) => `host${number}.test`);
  const router = makeRouter(...hosts.map((host) => makeRule('/', { host })));
  for (let round = 0; round < 3; round += 1) {
    for (const [index, host] of hosts.entries()) {
      assert.equal(router.find(makeRequest('/', { host })), index);
      assert.equal(router.find(makeRequest('/', { host: `${host}ing` })), ROUTE_NOT_FOUND);
    }
  }
});

test('a known path with another method is refused with the methods that it takes', () => {
  const router = makeRouter(makeRule('/a', { methods: ['POST', 'GET'] }), makeRule('/a', { methods: ['DELETE'] }));
  const request = makeRequest('/a', { method: 'PUT' });
  assert.equal(router.find(request), ROUTE_METHOD_NOT_ALLOWED);
  assert.equal(router.allowedMethods(request), 'DELETE, GET, HEAD, POST');
  assert.equal(router.find(makeRequest('/b', { method: 'PUT' })), ROUTE_NOT_FOUND);
});

test('GET implies HEAD, and HEAD does not imply GET', () => {
  const router = makeRouter(makeRule('/a', { methods: ['GET'] }), makeRule('/b', { methods: ['HEAD'] }));
  assert.equal(router.find(makeRequest('/a', { method: 'HEAD' })), 0);
  assert.equal(router.find(makeRequest('/b', { method: 'GET' })), ROUTE_METHOD_NOT_ALLOWED);
  assert.equal(router.allowedMethods(makeRequest('/b')), 'HEAD');
});

test('methods are case-sensitive, and one that no route names is taken only where all are', () => {
  const router = makeRouter(makeRule('/a', { methods: ['GET'] }), '/b');
  assert.equal(router.find(makeRequest('/a', { method: 'get' })), ROUTE_METHOD_NOT_ALLOWED);
  assert.equal(router.find(makeRequest('/b', { method: 'BREW' })), 1);
});

test('equally specific routes share a path among their methods', () => {
  const router = makeRouter(
    makeRule('/users/{id}', { methods: ['GET'] }),
    makeRule('/users/{name}', { methods: ['PUT'] }),
    makeRule('/users/*'),
  );
  const find = (method: string) => router.find(makeRequest('/users/7', { method }));
  assert.deepEqual(['GET', 'PUT', 'DELETE'].map(find), [0, 1, 2]);
});

const BYPASSES = [
  { guard: makeRule('/admin/users', { methods: ['GET'] }), open: makeRule('/**'), why: 'a more general path' },
  {
    guard: makeRule('/admin/**', { methods: ['GET'] }),
    open: makeRule('/**', { methods: ['POST'] }),
    why: 'a more general path that names the method',
  },
  {
    guard: makeRule('/**', { host: 'a.test', methods: ['GET'] }),
    open: makeRule('/admin/users'),
    why: 'a route for every host',
  },
  {
    guard: makeRule('/**', { priority: 1, methods: ['GET'] }),
    open: makeRule('/admin/users'),
    why: 'a lower priority',
  },
  {
    guard: makeRule('/admin/**', { methods: ['GET'], headers: { x: true } }),
    open: makeRule('/**'),
    why: 'a more general path, where the predicates hold',
  },
];

for (const { guard, open, why } of BYPASSES) {
  test(`a method that the most specific route does not take is not passed on to ${why}`, () => {
    const settings = { host: 'a.test', headers: { x: '1' } };
    for (const rules of [
      [guard, open],
      [open, guard],
    ]) {
      const router = makeRouter(...rules);
      assert.equal(router.find(makeRequest('/admin/users', settings)), rules.indexOf(guard));
      const post = makeRequest('/admin/users', { ...settings, method: 'POST' });
      assert.equal(router.find(post), ROUTE_METHOD_NOT_ALLOWED);
      assert.equal(router.allowedMethods(post), 'GET, HEAD');
    }
  });
}

test('a route whose predicates fail is passed over for the next one, even for a more general path', () => {
  const router = makeRouter(
    makeRule('/a', { headers: { 'x-version': '2', 'x-beta': true } }),
    makeRule('/a', { query: { v: '2' } }),
    makeRule('/**'),
  );
  const find = (headers: Record<string, string>, query = '') => router.find(makeRequest('/a', { headers, query }));
  assert.equal(find({ 'x-version': '2', 'x-beta': '' }), 0);
  assert.equal(find({ 'x-version': '2' }), 2, 'one of two does not hold');
  assert.equal(find({ 'x-version': '2 ', 'x-beta': '' }), 2, 'values are compared exactly');
  assert.equal(find({}, 'v=2'), 1);
  assert.equal(find({}), 2);
});

test('a route whose predicates fail does not say which methods the path takes', () => {
  const router = makeRouter(
    makeRule('/a', { methods: ['PUT'], headers: { x: true } }),
    makeRule('/a', { methods: ['GET'] }),
  );
  const post = makeRequest('/a', { method: 'POST' });
  assert.equal(router.find(post), ROUTE_METHOD_NOT_ALLOWED);
  assert.equal(router.allowedMethods(post), 'GET, HEAD');
});

test('a router without routes finds none', () => {
  assert.equal(makeRouter().find(makeRequest('/', { host: 'a.test' })), ROUTE_NOT_FOUND);
});

test('the named segments of a route are read from the path', () => {
  const router = makeRouter('/users/{id}/posts/{post}', '/caf\u00e9/{x}', '^/r/(?<kind>\\w+)');
  assert.deepEqual(router.pathParameters(0, '/users/7/posts/a%20b'), { id: '7', post: 'a%20b' });
  assert.deepEqual(router.pathParameters(1, '/caf%C3%A9/1'), { x: '1' });
  assert.deepEqual(router.pathParameters(2, '/r/cat/x'), { kind: 'cat' });
});

/** A router, and a count of the words of its tries that its look-ups read. */
function makeCountingRouter(...paths: readonly string[]): {
  readonly router: Router;
  readonly countReads: (path: string) => number;
} {
  const tables = buildRouterTables(paths.map((path) => makeRule(path)));
  let reads = 0;
  const words = new Proxy(tables.words, {
    get(target, key) {
      reads += Number(/^\d/.test(String(key)));
      return Reflect.get(target, key, target);
    },
  });
  const router = new Router({ ...tables, words });
  const countReads = (path: string) => {
    reads = 0;
    router.find(makeRequest(path));
    return reads;
  };
  return { router, countReads };
}

test('a look-up reads as much of the tables with 10,000 routes as with 10, found or not', () => {
  const counts = [10, 10_000].map((routeCount) => {
    const numbers = Array.from({ length: routeCount }, (_, number) => number + 10_000);
    const patterns = numbers.flatMap((number) => [`/api/v1/res${number}/{id}/sub`, `/static/${number}/**`]);
    const { countReads } = makeCountingRouter(...patterns, '/**/last', '/api/**');
    const paths = [
      '/api/v1/res10003/7/sub',
      '/static/10009/a/b',
      '/api/v1/res10003/7/other',
      '/api/v1/zzz',
      '/nothing',
    ];
    return paths.map(countReads);
  });
  const [few = [], many = []] = counts;
  for (const [index, count] of many.entries()) {
    // The one node "/res1000" becomes a node per digit, with a few words each.
    assert.ok(count <= (few[index] as number) + 30, `${count} words of many against ${few[index]} of few`);
  }
});

test('a regular expression is tried only where its literal prefix matched', () => {
  const tables = buildRouterTables([makeRule('^/reports/(\\d+)$'), makeRule('/a/**')]);
  const router = new Router(tables);
  const { test: original } = RegExp.prototype;
  let tries = 0;
  RegExp.prototype.test = function countedTest(text) {
    tries += 1;
    return original.call(this, text);
  };
  try {
    for (const path of ['/a/1', '/', '/report', '/reports', '/other']) router.find(makeRequest(path));
    assert.equal(tries, 0);
    assert.equal(router.find(makeRequest('/reports/7')), 0);
    assert.equal(tries, 1);
  } finally {
    RegExp.prototype.test = original;
  }
});

const HOSTILE = [
  {
    patterns: ['/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b'],
    path: '/a'.repeat(4000),
    why: 'many `**` over a path of one segment',
  },
  { patterns: ['/**/*/**/*/**/*/**/*/**/b', '/**/a/**/c'], path: '/a'.repeat(4000), why: '`**` and `*` in turn' },
  { patterns: ['/*a*a*a*a*a*a*a*a*b'], path: `/${'a'.repeat(8000)}`, why: 'many stars in one segment' },
  { patterns: ['/**/*a*a*a*b/**/c'], path: `/${'a'.repeat(100)}`.repeat(80), why: 'stars below `**`' },
];

for (const { patterns, path, why } of HOSTILE) {
  test(`a hostile path takes time in proportion to its length: ${why}`, () => {
    const { router, countReads } = makeCountingRouter(...patterns);
    const half = countReads(path.slice(0, path.length / 2));
    assert.ok(countReads(path) <= half * 2.5, 'twice the path, twice the reads');
    assert.ok(countReads(path) <= path.length * 50, 'a few reads for each character');
    assert.equal(router.find(makeRequest(path)), ROUTE_NOT_FOUND);
  });
}

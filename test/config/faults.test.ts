// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { BACKENDS, diagnosticsOf, lines, parseYamlConfig, placesOf, ROUTES, SERVER } from './documents.ts';

/** A document that has one fault, and where it is. */
interface Fault {
  readonly why: string;
  readonly text: string;
  readonly place: string;
}

const upstream = (...options: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    options.map((option) => `          ${option}`),
    ROUTES,
  );
const server = (...options: readonly string[]) =>
  lines(
    SERVER,
    options.map((option) => `  ${option}`),
    BACKENDS,
    ROUTES,
  );
const route = (...options: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    ROUTES,
    options.map((option) => `    ${option}`),
  );
const backend = (...options: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    options.map((option) => `      ${option}`),
    ROUTES,
  );
const top = (...options: readonly string[]) => lines(SERVER, BACKENDS, ROUTES, options);
const twoBackends = [...BACKENDS, '    api:', '      upstreams: [ { address: b:80 } ]'];

const FAULTS: readonly Fault[] = [
  { why: 'an unknown key at the top', text: top('rotues: []'), place: 'unknown-key rotues 10:1' },
  { why: 'an unknown key of the server', text: server('worker: 2'), place: 'unknown-key server.worker 3:3' },
  {
    why: 'an unknown key of an upstream',
    text: upstream('wieght: 2'),
    place: 'unknown-key load_balancing.backends.web.upstreams[0].wieght 8:11',
  },
  { why: 'an unknown key of a route', text: route('timeuot: 3s'), place: 'unknown-key routes[0].timeuot 10:5' },
  {
    why: 'a word for an output',
    text: top('access_log: { output: stdot }'),
    place: 'bad-value access_log.output 10:23',
  },
  { why: 'a relative output', text: top('access_log: { output: a.log }'), place: 'bad-value access_log.output 10:23' },
  { why: 'an unknown format', text: top('access_log: { format: xml }'), place: 'bad-value access_log.format 10:23' },
  { why: 'a share above 1', text: top('access_log: { sample: 2 }'), place: 'bad-value access_log.sample 10:23' },
  { why: 'no listener', text: lines('server: {}', BACKENDS, ROUTES), place: 'missing-key server.http_addr 1:9' },
  { why: 'no server', text: lines(BACKENDS, ROUTES), place: 'missing-key server 1:1' },
  { why: 'no routes', text: lines(SERVER, BACKENDS), place: 'missing-key routes 1:1' },
  {
    why: 'no backends',
    text: lines(SERVER, 'load_balancing: {}', ROUTES),
    place: 'missing-key load_balancing.backends 3:1',
  },
  { why: 'an empty list of routes', text: lines(SERVER, BACKENDS, 'routes: []'), place: 'bad-value routes 8:9' },
  {
    why: 'an empty mapping of backends',
    text: lines(SERVER, 'load_balancing: { backends: {} }', ROUTES),
    place: 'bad-value load_balancing.backends 3:29',
  },
  {
    why: 'a backend without upstreams',
    text: lines(SERVER, 'load_balancing: { backends: { web: { upstreams: [] } } }', ROUTES),
    place: 'bad-value load_balancing.backends.web.upstreams 3:49',
  },
  { why: 'a list for a mapping', text: lines('server: []', BACKENDS, ROUTES), place: 'wrong-type server 1:9' },
  { why: 'nothing for a mapping', text: lines('server:', BACKENDS, ROUTES), place: 'wrong-type server 1:8' },
  { why: 'a text for the document', text: 'hello\n', place: 'wrong-type  1:1' },
  { why: 'a number as a text', text: server('workers: "4"'), place: 'wrong-type server.workers 3:12' },
  { why: 'a text for a flag', text: server('merge_slashes: yes'), place: 'wrong-type server.merge_slashes 3:18' },
  { why: 'a fraction of a worker', text: server('workers: 1.5'), place: 'wrong-type server.workers 3:12' },
  { why: 'no worker', text: server('workers: 0'), place: 'bad-value server.workers 3:12' },
  { why: 'a number that is none', text: server('max_headers: .nan'), place: 'wrong-type server.max_headers 3:16' },
  { why: 'a number without end', text: server('max_headers: .inf'), place: 'wrong-type server.max_headers 3:16' },
  { why: 'a duration without unit', text: server('body_timeout: 30'), place: 'wrong-type server.body_timeout 3:17' },
  { why: 'a duration in words', text: server('body_timeout: 30 sec'), place: 'bad-value server.body_timeout 3:17' },
  { why: 'a timeout of nothing', text: server('body_timeout: 0s'), place: 'bad-value server.body_timeout 3:17' },
  {
    why: 'a timeout beyond every timer',
    text: server('body_timeout: 25d'),
    place: 'bad-value server.body_timeout 3:17',
  },
  {
    why: 'a size with an unknown unit',
    text: server('max_target: 8 blocks'),
    place: 'bad-value server.max_target 3:15',
  },
  { why: 'a negative size', text: server('max_body_size: -1'), place: 'bad-value server.max_body_size 3:18' },
  {
    why: 'a limit that no request meets',
    text: server('max_header_size: 10'),
    place: 'bad-value server.max_header_size 3:20',
  },
  {
    why: 'a proxy that is a name',
    text: server('trusted_proxies: [ lb ]'),
    place: 'bad-value server.trusted_proxies[0] 3:22',
  },
  {
    why: 'a range that is too narrow for its family',
    text: server('trusted_proxies: [ 10.0.0.0/33 ]'),
    place: 'bad-value server.trusted_proxies[0] 3:22',
  },
  {
    why: 'a PROXY header that nobody is trusted to send',
    text: server('proxy_protocol: true'),
    place: 'missing-key server.trusted_proxies 2:3',
  },
  {
    why: 'a PROXY header that nobody on an empty list is trusted to send',
    text: server('proxy_protocol: true', 'trusted_proxies: []'),
    place: 'bad-value server.trusted_proxies 4:20',
  },
  {
    why: 'a PROXY header for an upstream in no version that there is',
    text: upstream('send_proxy_protocol: v3'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].send_proxy_protocol 8:32',
  },
  {
    why: 'a page for a status of success',
    text: server('error_pages: { 200: a }'),
    place: 'bad-value server.error_pages.200 3:18',
  },
  {
    why: 'an address without port',
    text: lines('server: { http_addr: localhost }', BACKENDS, ROUTES),
    place: 'bad-value server.http_addr 1:22',
  },
  {
    why: 'an address without port in a list',
    text: lines('server: { http_addr: [ ":1", localhost ] }', BACKENDS, ROUTES),
    place: 'bad-value server.http_addr[1] 1:30',
  },
  {
    why: 'an empty list of addresses',
    text: lines('server: { http_addr: [] }', BACKENDS, ROUTES),
    place: 'bad-value server.http_addr 1:22',
  },
  {
    why: 'a port as an address',
    text: lines('server: { http_addr: 8080 }', BACKENDS, ROUTES),
    place: 'wrong-type server.http_addr 1:22',
  },
  {
    why: 'two listeners on one address',
    text: lines('server: { http_addr: [ "127.0.0.1:80", "127.0.0.1:80" ] }', BACKENDS, ROUTES),
    place: 'duplicate-listener server.http_addr[1] 1:40',
  },
  {
    why: 'a listener on an address that another one takes with all',
    text: lines('server: { http_addr: [ ":80", "127.0.0.1:80" ] }', BACKENDS, ROUTES),
    place: 'duplicate-listener server.http_addr[1] 1:31',
  },
  {
    why: 'two listeners on one unix socket',
    text: lines('server: { http_addr: [ "unix:/a", "unix:/a" ] }', BACKENDS, ROUTES),
    place: 'duplicate-listener server.http_addr[1] 1:35',
  },
  { why: 'a certificate without key', text: server('tls_cert: a.pem'), place: 'missing-key server.tls_key 2:3' },
  {
    why: 'a listed certificate without key',
    text: server('tls: [ { hosts: [ a.example ], cert: a.pem } ]'),
    place: 'missing-key server.tls[0].key 3:10',
  },
  {
    why: 'a listed certificate for nobody',
    text: server('tls: [ { hosts: [], cert: a.pem, key: a.key } ]'),
    place: 'bad-value server.tls[0].hosts 3:19',
  },
  {
    why: 'a listed certificate for what is no host',
    text: server('tls: [ { hosts: [ "*.*.example" ], cert: a.pem, key: a.key } ]'),
    place: 'bad-value server.tls[0].hosts[0] 3:21',
  },
  {
    why: 'HTTPS without key',
    text: server('https_addr: ":1"', 'tls_cert: a.pem'),
    place: 'missing-key server.tls_key 2:3',
  },
  {
    why: 'a certificate for an upstream without its key',
    text: upstream('tls: true', 'tls_cert: a.pem'),
    place: 'missing-key load_balancing.backends.web.upstreams[0].tls_key 7:11',
  },
  {
    why: 'a name for an upstream with a port',
    text: upstream('tls: true', 'sni_hostname: "a:443"'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].sni_hostname 9:25',
  },
  {
    why: 'a redirect to HTTPS that is nowhere',
    text: server('http_to_https: true'),
    place: 'missing-key server.https_addr 2:3',
  },
  { why: 'a redirect to no port', text: server('http_to_https: 0'), place: 'bad-value server.http_to_https 3:18' },
  {
    why: 'an upstream without address',
    text: lines(SERVER, 'load_balancing: { backends: { web: { upstreams: [ { weight: 1 } ] } } }', ROUTES),
    place: 'missing-key load_balancing.backends.web.upstreams[0].address 3:51',
  },
  {
    why: 'a service without a protocol',
    text: upstream().replace('a:80', 'srv:web.internal'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].address 7:20',
  },
  {
    why: 'a negative weight',
    text: upstream('weight: -1'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].weight 8:19',
  },
  {
    why: 'only weights of 0',
    text: upstream('weight: 0'),
    place: 'no-weight load_balancing.backends.web.upstreams 7:9',
  },
  {
    why: 'two upstreams with one address',
    text: upstream().replace('a:80', 'a:80\n        - address: A:80'),
    place: 'duplicate-upstream load_balancing.backends.web.upstreams[1].address 8:20',
  },
  {
    why: 'a limit of no connection',
    text: upstream('max_connections: 0'),
    place: 'bad-value load_balancing.backends.web.upstreams[0].max_connections 8:28',
  },
  {
    why: 'an unknown algorithm',
    text: backend('algorithm: fastest'),
    place: 'bad-value load_balancing.backends.web.algorithm 8:18',
  },
  { why: 'an unknown hash key', text: backend('key: header'), place: 'bad-value load_balancing.backends.web.key 8:12' },
  {
    why: 'a threshold of 0',
    text: backend('health_check: { failure_threshold: 0 }'),
    place: 'bad-value load_balancing.backends.web.health_check.failure_threshold 8:42',
  },
  {
    why: 'a header of a check that is Photon’s to set',
    text: backend('health_check: { headers: { Host: a.internal } }'),
    place: 'bad-value load_balancing.backends.web.health_check.headers 8:32',
  },
  {
    why: 'a failure rate above 1',
    text: backend('circuit_breaker: { failure_rate: 50 }'),
    place: 'bad-value load_balancing.backends.web.circuit_breaker.failure_rate 8:40',
  },
  { why: 'a backend that is not there', text: route('backend: wbe'), place: 'unknown-backend routes[0].backend 10:14' },
  {
    why: 'no backend where there are two',
    text: lines(SERVER, twoBackends, ROUTES),
    place: 'missing-key routes[0].backend 11:5',
  },
  {
    why: 'two routes with one id',
    text: route('id: a').concat('  - { path: /b, id: a }\n'),
    place: 'duplicate-id routes[1].id 11:21',
  },
  { why: 'an empty id', text: route('id: ""'), place: 'bad-value routes[0].id 10:9' },
  { why: 'an id with a line break', text: route('id: "a\\nb"'), place: 'bad-value routes[0].id 10:9' },
  {
    why: 'a path without a slash',
    text: lines(SERVER, BACKENDS, 'routes:', '  - path: api'),
    place: 'bad-value routes[0].path 9:11',
  },
  {
    why: 'a regular expression that does not compile',
    text: lines(SERVER, BACKENDS, 'routes:', '  - path: "^/(a"'),
    place: 'bad-value routes[0].path 9:11',
  },
  {
    why: 'a method in lower case',
    text: route('methods: [ GET, post ]'),
    place: 'bad-value routes[0].methods[1] 10:21',
  },
  {
    why: 'a method that is no token',
    text: route('methods: [ "GET POST" ]'),
    place: 'bad-value routes[0].methods[0] 10:16',
  },
  {
    why: 'a method that is always refused',
    text: route('methods: [ TRACE ]'),
    place: 'bad-value routes[0].methods[0] 10:16',
  },
  { why: 'an empty list of methods', text: route('methods: []'), place: 'bad-value routes[0].methods 10:14' },
  { why: 'a host with a port', text: route('host: "a.example:80"'), place: 'bad-value routes[0].host 10:11' },
  { why: 'a star before an address', text: route('host: "*.[::1]"'), place: 'bad-value routes[0].host 10:11' },
  { why: 'a star in the middle of a host', text: route('host: a.*.example'), place: 'bad-value routes[0].host 10:11' },
  {
    why: 'a header name that is no token',
    text: route('match: { headers: { "X Y": a } }'),
    place: 'bad-value routes[0].match.headers["X Y"] 10:25',
  },
  {
    why: 'a line break in a header value',
    text: route('match: { headers: { X: "a\\r\\nb" } }'),
    place: 'bad-value routes[0].match.headers.X 10:28',
  },
  {
    why: 'a number as a header value',
    text: route('match: { headers: { X: 2 } }'),
    place: 'wrong-type routes[0].match.headers.X 10:28',
  },
  {
    why: 'false for "is present"',
    text: route('match: { query: { q: false } }'),
    place: 'wrong-type routes[0].match.query.q 10:26',
  },
  {
    why: 'one header in two spellings',
    text: route('match: { headers: { X-A: "1", x-a: "2" } }'),
    place: 'duplicate-header routes[0].match.headers.x-a 10:35',
  },
  {
    why: 'a prefix without a slash',
    text: route('strip_prefix: api'),
    place: 'bad-value routes[0].strip_prefix 10:19',
  },
  { why: 'a bad upstream host', text: route('upstream_host: "a b"'), place: 'bad-value routes[0].upstream_host 10:20' },
  { why: 'a negative number of retries', text: route('retries: -1'), place: 'bad-value routes[0].retries 10:14' },
];

for (const { why, text, place } of FAULTS) {
  test(`refused with its place: ${why}`, () => {
    const errors = diagnosticsOf(text).filter(({ severity }) => severity === 'error');
    assert.deepEqual(placesOf(errors), [place]);
  });
}

const REFUSED_ENTRIES = ['[ [] ]', '[ 1 ]', '[ {} ]', '[ { a: {}, b: {} } ]', '[ { a: 1 } ]', 'auth'];

for (const entry of REFUSED_ENTRIES) {
  test(`a route cannot have the middleware ${entry}`, () => {
    const codes = diagnosticsOf(route(`middleware: ${entry}`)).map(({ code }) => code);
    assert.ok(codes.includes('wrong-type') || codes.includes('bad-value'), String(codes));
  });
}

test('everything that is wrong is reported at once, in the order of the file', () => {
  const text = lines(
    ['server:', '  http_addr: nowhere', '  worker: 2', '  max_target: ${SIZE}'],
    ['load_balancing:', '  backends:', '    web:', '      upstreams: [ { address: a:80, weight: 0 } ]'],
    ['routes:', '  - { path: api, backend: wbe, id: a }', '  - { path: /b, id: a, middleware: [ auth ] }'],
  );
  assert.deepEqual(placesOf(diagnosticsOf(text)), [
    'bad-value server.http_addr 2:14',
    'unknown-key server.worker 3:3',
    'unset-variable server.max_target 4:15',
    'no-weight load_balancing.backends.web.upstreams 8:18',
    'bad-value routes[0].path 10:13',
    'unknown-backend routes[0].backend 10:27',
    'duplicate-id routes[1].id 11:21',
    'missing-block routes[1].middleware[0] 11:38',
  ]);
});

test('a misspelt word is answered with the one that is near', () => {
  const text = lines(SERVER, twoBackends, 'routes:', '  - { path: /, backend: wbe }').replace(
    'load_balancing:',
    'load_balancing:\n  algorithm: roundrobin',
  );
  assert.deepEqual(
    diagnosticsOf(text).flatMap(({ didYouMean }) => didYouMean ?? []),
    ['round_robin', 'web'],
  );
});

test('a misspelt key that is required is one mistake, not two', () => {
  const text = lines(SERVER, BACKENDS, 'routes:', '  - pth: /a').replace('address', 'adress');
  const diagnostics = diagnosticsOf(text);
  assert.deepEqual(placesOf(diagnostics), [
    'unknown-key load_balancing.backends.web.upstreams[0].adress 7:11',
    'unknown-key routes[0].pth 9:5',
  ]);
  assert.deepEqual(
    diagnostics.map(({ didYouMean }) => didYouMean),
    ['address', 'path'],
  );
});

const LISTENER_PAIRS: readonly (readonly [string, string])[] = [
  ['127.0.0.1:80', '127.0.0.2:80'],
  ['127.0.0.1:80', '127.0.0.1:81'],
  ['127.0.0.1:0', '127.0.0.1:0'],
  ['0.0.0.0:80', '[::1]:80'],
  ['unix:/a', 'unix:/b'],
];

for (const [first, second] of LISTENER_PAIRS) {
  test(`"${first}" and "${second}" can be listened at together`, () => {
    parseYamlConfig(lines(`server: { http_addr: [ "${first}", "${second}" ] }`, BACKENDS, ROUTES));
  });
}

test('what has no effect yet is a warning at the place where it is asked for', () => {
  const text = lines(
    SERVER,
    ['  upgrade_sock: /run/a.sock', '  error_pages: { 404: a.html }'],
    ['load_balancing:', '  algorithm: random', '  backends:', '    web:', '      upstreams: [ { address: a:80 } ]'],
    ['      health_check: { path: /up }'],
    ['routes:', '  - path: /**', '    retries: 3', '    cache: { ttl: 5s }'],
    ['health_check: { interval: 3s }', 'metrics: { prometheus: true }', 'cache: { enabled: true }'],
  );
  const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} });
  assert.ok(warnings.every(({ code, severity }) => code === 'not-active-yet' && severity === 'warning'));
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['server.upgrade_sock', 'server.error_pages', 'routes[0].cache', 'metrics', 'cache'],
  );
});

const NOT_STARTABLE: readonly Fault[] = [
  {
    why: 'WebSockets',
    text: route('websocket: { enabled: true }'),
    place: 'not-available-yet routes[0].websocket.enabled 10:18',
  },
];

for (const { why, text, place } of NOT_STARTABLE) {
  test(`loads with a warning that says it does not start: ${why}, which is not there yet`, () => {
    const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} });
    assert.deepEqual(placesOf(warnings), [place]);
    assert.match(warnings[0]?.message ?? '', /does not start/);
  });
}

test('asking for what happens anyway is no reason to warn', () => {
  const text = lines(
    SERVER,
    ['load_balancing:', '  algorithm: round_robin', '  backends:', '    web:', '      algorithm: round_robin'],
    ['      upstreams: [ { address: a:80, tls: false, weight: 2 } ]'],
    ['      health_check: { enabled: false }'],
    ['routes:', '  - path: /**', '    retries: 0', '    middleware: []', '    websocket: { enabled: false }'],
    ['    cache: { enabled: false }', 'health_check: { enabled: "${OFF}" }', 'metrics: { prometheus: false }'],
    ['cache: { enabled: false, max_entries: 5 }'],
  );
  const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: { OFF: 'false' } });
  assert.deepEqual(warnings, []);
});

test('certificates that no listener uses are named', () => {
  const tls = '  tls: [ { hosts: [ a.example ], cert: a.pem, key: a.key } ]';
  const unused = lines(SERVER, '  tls_cert: c.pem', '  tls_key: c.key', tls, BACKENDS, ROUTES);
  const used = lines(SERVER, '  https_addr: ":8443"', tls, BACKENDS, ROUTES);
  const codesOf = (text: string) =>
    parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} }).warnings.map(({ code, path }) => `${code} ${path}`);
  assert.deepEqual(codesOf(unused), ['no-effect server.tls_cert', 'no-effect server.tls']);
  assert.deepEqual(codesOf(used), []);
  const upstream = BACKENDS.concat('          tls_verify: false\n          tls_ca: a.pem\n');
  assert.deepEqual(codesOf(lines(SERVER, upstream, ROUTES)), [
    'no-effect load_balancing.backends.web.upstreams[0].tls_verify',
    'no-effect load_balancing.backends.web.upstreams[0].tls_ca',
  ]);
  assert.deepEqual(codesOf(lines(SERVER, '  client_auth: optional', '  https_addr: ":8443"', tls, BACKENDS, ROUTES)), [
    'no-effect server.client_auth',
  ]);
  assert.deepEqual(codesOf(lines(SERVER, '  http_to_https: 443', BACKENDS, ROUTES)), []);
});

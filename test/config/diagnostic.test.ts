// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { formatDiagnostics } from '../../src/config/format-diagnostics.ts';
import { BACKENDS, diagnosticsOf, lines, ROUTES, SERVER } from './documents.ts';

test('a diagnostic reads like that of a compiler', () => {
  const text = lines(SERVER, BACKENDS, ROUTES, '    timeuot: 30s').replace('address', 'adress');
  assert.equal(
    formatDiagnostics(diagnosticsOf(text)),
    `error[unknown-key]: Unknown key "adress" in load_balancing.backends.web.upstreams[0]: want one of address, weight, tls, sni_hostname, tls_verify, tls_ca, tls_cert, tls_key, max_connections, tcp_keepalive, send_proxy_protocol, connection_timeout, read_timeout, write_timeout
  --> photon.yaml:7:11 at load_balancing.backends.web.upstreams[0].adress
  |
7 |         - adress: a:80
  |           ^^^^^^
  = did you mean "address"?

error[unknown-key]: Unknown key "timeuot" in routes[0]: want one of id, path, methods, host, backend, middleware, timeout, retries, websocket, cache, strip_prefix, upstream_host, match, priority
  --> photon.yaml:10:5 at routes[0].timeuot
   |
10 |     timeuot: 30s
   |     ^^^^^^^
  = did you mean "timeout"?`,
  );
});

test('a diagnostic is plain data with what was wanted and found', () => {
  const [diagnostic] = diagnosticsOf(lines(SERVER, '  body_timeout: 30 sec', BACKENDS, ROUTES));
  assert.deepEqual(diagnostic, {
    code: 'bad-value',
    severity: 'error',
    file: 'photon.yaml',
    line: 3,
    column: 17,
    path: 'server.body_timeout',
    message: 'Cannot use server.body_timeout: want a duration such as "30s", "1h 30m" or "100ms", got "30 sec"',
    wanted: 'a duration such as "30s", "1h 30m" or "100ms"',
    found: '"30 sec"',
    frame: '  |\n3 |   body_timeout: 30 sec\n  |                 ^^^^^^',
  });
});

test('the error that is thrown says everything by itself', () => {
  const diagnostics = diagnosticsOf('server: 1\n');
  assert.equal(new ConfigError(diagnostics).message, formatDiagnostics(diagnostics));
});

test('a long line is cut around the place', () => {
  const text = `{${'"a": 1, '.repeat(1)}"server": {"http_addr": ":1", "x${'y'.repeat(300)}": 1}, "routes": [${'{}, '.repeat(500)}{}]}`;
  for (const { frame } of diagnosticsOf(text, { format: 'json' })) {
    const [, source = '', carets = ''] = frame?.split('\n') ?? [];
    assert.ok(source.length < 140 && carets.length < 140, `${source.length} ${carets.length}`);
  }
});

test('the caret stands below its place after tabs and beyond the basic plane', () => {
  const diagnostics = diagnosticsOf('{\t"😀": 1, "routse": 2 }', { format: 'json' });
  const diagnostic = diagnostics.find(({ path }) => path === 'routse');
  assert.equal(diagnostic?.column, 12);
  assert.equal(diagnostic?.frame, '  |\n1 | { "😀": 1, "routse": 2 }\n  |           ^^^^^^^^');
});

test('lines that end with CR LF are shown without the CR', () => {
  const [diagnostic] = diagnosticsOf(lines(SERVER, '  worker: 1', BACKENDS, ROUTES).replaceAll('\n', '\r\n'));
  assert.deepEqual([diagnostic?.line, diagnostic?.column], [3, 3]);
  assert.equal(diagnostic?.frame, '  |\n3 |   worker: 1\n  |   ^^^^^^');
});

test('control characters of the file never reach the terminal', () => {
  const text = lines(SERVER, BACKENDS, ROUTES, '"\u009b31m\u202e": 1', '"a\\e[31m": 2');
  const diagnostics = diagnosticsOf(text, { file: 'a\u001b[2J.yaml' });
  assert.equal(diagnostics.length, 2);
  assert.doesNotMatch(formatDiagnostics(diagnostics), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('a line of megabytes is looked through for secrets in little time', () => {
  const text = `${'x'.repeat(4_000_000)}: ,\nsecret${'secret'.repeat(100_000)}: ]`;
  assert.ok(diagnosticsOf(text).length > 0);
});

const SECRETS: readonly (readonly [string, string])[] = [
  ['an alias that is a secret without quotes', 'server: { secret: *hunter2 }'],
  ['a header for a collector', 'tracing: { headers: { Authorization: [hunter2] } }'],
  [
    'a key of a consumer',
    'middleware: { authentication: { auth_type: api_key, api_key: { consumers: { a: hunter2, 1: 2 }, x: 1 } } }',
  ],
  ['a number that has to be a text', 'middleware: { authentication: { auth_type: jwt, jwt: { secret: 80701234 } } }'],
  ['a wrong type', 'server: { secret: hunter2 }'],
  ['a secret beside a fault in one line', 'middleware: { jwt: { secret: hunter2 } }\nfoo: { api_token: hunter2 }'],
  ['a list of keys', 'middleware: { api_key: { keys: [ hunter2, hunter2 ] }, 1: 2 }'],
  ['a misspelt secret', 'routes: [ { path: /, secrte: hunter2 } ]'],
  ['a syntax error behind a secret', 'jwt: { secret: hunter2, ] }'],
  ['a syntax error within a secret', 'password: "hunter2'],
  ['an unknown key on the line of a secret', 'foo: { users: { admin: hunter2 }, bar: 1 }'],
  ['a broken substitution in a secret', 'jwt: { secret: "${hunter2-x}" }'],
];

for (const [why, text] of SECRETS) {
  test(`a secret in the file is not shown: ${why}`, () => {
    assert.doesNotMatch(JSON.stringify(diagnosticsOf(text)), /hunter2|80701234/);
  });
}

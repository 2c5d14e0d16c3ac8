// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { BACKENDS, diagnosticsOf, lines, parseYamlConfig, placesOf, ROUTES, SERVER } from './documents.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-substitute-'));
after(() => rmSync(directory, { recursive: true }));

const env = { NAME: 'value', EMPTY: '', DOLLAR: '${NAME}', BRACES: 'a}b: [', PORT: '8080' };

/** The id of a route is any text, so it shows what became of one. */
function substituted(text: string, options = {}): string {
  const document = lines(SERVER, BACKENDS, ROUTES, `    id: ${JSON.stringify(text)}`);
  return parseYamlConfig(document, { env, ...options }).routes[0]?.id ?? '';
}

const REPLACED: readonly (readonly [string, string, string])[] = [
  ['${NAME}', 'value', 'a variable'],
  ['a-${NAME}-b-${NAME}', 'a-value-b-value', 'several in one text'],
  ['${MISSING:-default}', 'default', 'the default of an unset variable'],
  ['${EMPTY:-default}', 'default', 'the default of an empty variable'],
  ['${NAME:-default}', 'value', 'no default for one that is set'],
  ['${MISSING:-}x', 'x', 'an empty default'],
  ['${MISSING:-a:-b}', 'a:-b', 'a default with the operator in it'],
  ['${NAME:?say it}', 'value', 'no message for one that is set'],
  ['${EMPTY}x', 'x', 'an empty variable is set'],
  ['$${NAME}', '${NAME}', 'the escape'],
  ['$${NAME} ${NAME}', '${NAME} value', 'the escape beside a variable'],
  ['${DOLLAR}', '${NAME}', 'a value is not looked into again'],
  ['${BRACES}', 'a}b: [', 'a value is never structure'],
  ['$NAME $$ {NAME}', '$NAME $$ {NAME}', 'no braces, no substitution'],
];

for (const [text, expected, why] of REPLACED) {
  test(`"${text}" becomes "${expected}": ${why}`, () => assert.equal(substituted(text), expected));
}

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['${MISSING}', 'unset-variable', /Cannot replace \$\{MISSING\}: the environment variable is not set/],
  ['${MISSING:?set it to the port}', 'unset-variable', /Cannot replace \$\{MISSING\}: set it to the port/],
  ['${EMPTY:?}', 'unset-variable', /not set/],
  ['${toString}', 'unset-variable', /not set/],
  ['${__proto__}', 'unset-variable', /not set/],
  ['${}', 'bad-substitution', /not nested/],
  ['${NAME', 'bad-substitution', /not nested/],
  ['${NA ME}', 'bad-substitution', /not nested/],
  ['${NAME-default}', 'bad-substitution', /not nested/],
  ['${1}', 'bad-substitution', /not nested/],
  ['${MISSING:-${NAME}}', 'bad-substitution', /not nested/],
  ['${file:/does/not/exist}', 'unreadable-secret', /"\/does\/not\/exist" does not exist/],
  ['${file:/}', 'unreadable-secret', /is a directory/],
  ['${file:/dev/zero}', 'unreadable-secret', /is not a regular file/],
];

for (const [text, code, message] of REFUSED) {
  test(`"${text}" is refused at its place`, () => {
    const [diagnostic, ...others] = diagnosticsOf(lines(SERVER, BACKENDS, ROUTES, `    id: '${text}'`), { env });
    assert.deepEqual(others, []);
    assert.deepEqual(placesOf(diagnostic === undefined ? [] : [diagnostic]), [`${code} routes[0].id 10:9`]);
    assert.match(diagnostic?.message ?? '', message);
  });
}

test('a substituted text becomes the number or the flag that is wanted', () => {
  const text = lines(
    ['server:', '  http_addr: "127.0.0.1:${PORT}"', '  workers: ${WORKERS}', '  merge_slashes: ${MERGE}'],
    ['  max_target: ${SIZE}', '  body_timeout: ${SECONDS}s'],
    BACKENDS,
    ROUTES,
    ['    match: { headers: { X: "${PORT}", Y: "${MERGE}" } }', '    priority: ${PRIORITY}'],
  );
  const variables = { PORT: '8080', WORKERS: '3', MERGE: 'false', SIZE: '4096', SECONDS: '7', PRIORITY: '-2' };
  const { server, routes } = parseYamlConfig(text, { env: variables });
  assert.equal(server.httpAddr[0]?.port, 8080);
  assert.equal(server.workers, 3);
  assert.equal(server.mergeSlashes, false);
  assert.equal(server.maxTargetBytes, 4096);
  assert.equal(server.bodyTimeoutMs, 7_000);
  assert.equal(routes[0]?.priority, -2);
  assert.deepEqual(routes[0]?.match.headers, { x: '8080', y: 'false' });
});

const UNCONVERTIBLE: readonly (readonly [string, string])[] = [
  ['workers', 'many'],
  ['workers', ''],
  ['workers', '0x10'],
  ['workers', ' 4'],
  ['workers', '1e3'],
  ['workers', '4.5'],
  ['workers', '0'],
  ['merge_slashes', 'TRUE'],
  ['merge_slashes', '1'],
];

for (const [key, value] of UNCONVERTIBLE) {
  test(`${key} cannot be the value "${value}" of a variable, which the message does not show`, () => {
    const document = lines(SERVER, `  ${key}: "\${VALUE}"`, BACKENDS, ROUTES);
    const [diagnostic] = diagnosticsOf(document, { env: { VALUE: value } });
    assert.equal(diagnostic?.path, `server.${key}`);
    assert.equal(diagnostic?.found, 'the value of "${VALUE}"');
  });
}

test('substitution works in all formats', () => {
  const texts = {
    yaml: 'server: { http_addr: "${ADDR}" }\nload_balancing: { backends: { a: { upstreams: [ { address: "a:1" } ] } } }\nroutes: [ { path: "/" } ]',
    json: '{"server":{"http_addr":"${ADDR}"},"load_balancing":{"backends":{"a":{"upstreams":[{"address":"a:1"}]}}},"routes":[{"path":"/"}]}',
    toml: 'server.http_addr = "${ADDR}"\nload_balancing.backends.a.upstreams = [{ address = "a:1" }]\nroutes = [{ path = "/" }]',
  } as const;
  for (const format of ['yaml', 'json', 'toml'] as const) {
    const { config } = parseConfig(texts[format], { file: 'a', format, env: { ADDR: ':99' } });
    assert.equal(config.server.httpAddr[0]?.port, 99);
  }
});

test('a secret comes from a file, without its last line break, from beside the configuration where the name is relative', () => {
  writeFileSync(join(directory, 'secret'), 'two\nlines\r\n');
  const file = join(directory, 'photon.yaml');
  const document = (name: string) =>
    lines(SERVER, BACKENDS, ROUTES, `    middleware: [ { respond: { body: "\${file:${name}}" } } ]`);
  for (const name of ['secret', join(directory, 'secret')]) {
    const [respond] = parseYamlConfig(document(name), { file }).routes[0]?.middleware ?? [];
    assert.ok(respond?.name === 'respond' && respond.module === null);
    assert.equal(respond.options.body, 'two\nlines');
  }
});

test('a secret file of more than a megabyte is refused', () => {
  writeFileSync(join(directory, 'large'), 'x'.repeat(1_048_577));
  const [diagnostic] = diagnosticsOf(lines(SERVER, BACKENDS, ROUTES, `    id: \${file:${join(directory, 'large')}}`));
  assert.match(diagnostic?.message ?? '', /larger than 1048576 bytes/);
});

test('no diagnostic shows the value of a variable or of a file', () => {
  const secret = 'hunter2';
  writeFileSync(join(directory, 'hunter'), secret);
  const places = [
    ['http_addr', 'server'],
    ['workers', 'server'],
    ['body_timeout', 'server'],
    ['max_target', 'server'],
    ['trusted_proxies', 'server'],
    ['algorithm', 'load_balancing'],
    ['metrics_path', 'metrics'],
  ] as const;
  for (const expression of ['${SECRET}', `\${file:${join(directory, 'hunter')}}`, 'x${SECRET}']) {
    const value = JSON.stringify(expression);
    const documents = [
      ...places.map(([key, block]) => lines(`${block}: { ${key}: ${value} }`)),
      lines(SERVER, BACKENDS, 'routes:', `  - { path: ${value}, backend: ${value}, id: ${value}, host: ${value}x }`),
      lines(SERVER, BACKENDS, 'routes:', `  - { path: /a, id: ${value} }`, `  - { path: /b, id: ${value} }`),
      lines(SERVER, BACKENDS, 'routes:', `  - { path: /a, methods: [ ${value} ], match: { headers: ${value} } }`),
      lines(SERVER, BACKENDS, 'routes:', `  - { path: "^(\${SECRET}" }`),
      lines(
        SERVER,
        'load_balancing:',
        `  backends: { web: { upstreams: [ { address: ${value} }, { address: ${value} } ] } }`,
      ),
    ];
    for (const document of documents) {
      const diagnostics = diagnosticsOf(document, { env: { SECRET: secret }, checkRoutePattern: (pattern) => pattern });
      assert.ok(diagnostics.length > 0);
      assert.doesNotMatch(JSON.stringify(diagnostics), /hunter2/);
    }
  }
});

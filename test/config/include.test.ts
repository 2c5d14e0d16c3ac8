// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configurations with substitutions look like one
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import { BACKENDS, lines, ROUTES, SERVER } from './documents.ts';

const root = mkdtempSync(join(tmpdir(), 'photon-include-'));
after(() => rmSync(root, { recursive: true }));

type Files = Readonly<Record<string, string>>;

/** Writes the files into a directory of their own and returns the path of `main.yaml`. */
function write(files: Files): string {
  const directory = mkdtempSync(join(root, 'case-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return join(directory, 'main.yaml');
}

async function load(files: Files, env = {}): Promise<Config> {
  return (await loadConfigFile(write(files), env)).config;
}

/** Code, path, file and line of what is wrong, and the other place. */
async function placesOf(files: Files): Promise<readonly string[]> {
  const main = write(files);
  const shown = (file: string) => relative(dirname(main), file);
  try {
    await loadConfigFile(main, {});
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
    return errors.map(({ code, path, file, line, column, other }) => {
      const first = `${code} ${path} ${shown(file)}:${line}:${column}`;
      return other === undefined ? first : `${first} ${shown(other.file)}:${other.line}:${other.column}`;
    });
  }
  assert.fail('the files are a valid configuration');
}

const MAIN = lines('include: [conf.d/*]', SERVER, BACKENDS, ROUTES);

test('routes, backends and middleware come from many files in many formats, in the order of their names', async () => {
  const config = await load({
    'main.yaml': lines(
      'include: [conf.d/*.yaml, "conf.d/*.{json,toml}"]',
      SERVER,
      BACKENDS,
      'routes: [{ path: /, backend: web }]',
    ),
    'conf.d/b.yaml': 'routes: [{ path: /b, backend: api }]\nmiddleware: { custom: { own: { module: ./own.ts } } }',
    'conf.d/a.yaml': 'routes: [{ path: /a, backend: web }]',
    'conf.d/c.toml': '[load_balancing.backends.api]\nupstreams = [{ address = "api:80" }]',
    'conf.d/d.json': '{"routes":[{"path":"/d","backend":"api","middleware":["own"]}]}',
  });
  assert.deepEqual(
    config.routes.map(({ path }) => path),
    ['/', '/a', '/b', '/d'],
  );
  assert.deepEqual(
    config.backends.map(({ name }) => name),
    ['web', 'api'],
  );
  // The module is beside the file that names it.
  assert.match(config.routes[3]?.middleware[0]?.module ?? '', /\/conf\.d\/own\.ts$/);
});

test('the main file may leave to others what it needs', async () => {
  const config = await load({
    'main.yaml': lines('include: [rest.yaml]', SERVER),
    'rest.yaml': lines(BACKENDS, ROUTES),
  });
  assert.equal(config.routes[0]?.backend, 'web');
});

test('substitution works in every file, from the directory of that file', async () => {
  const config = await load(
    {
      'main.yaml': lines('include: ["${DIR}/*.yaml"]', SERVER, BACKENDS, ROUTES),
      'conf.d/a.yaml': 'routes: [{ path: "${file:path.txt}" }]',
      'conf.d/path.txt': '/from-file\n',
    },
    { DIR: 'conf.d' },
  );
  assert.equal(config.routes[1]?.path, '/from-file');
});

test('what a configuration was read from is known, and where more of it may appear', async () => {
  const main = write({
    'main.yaml': lines(
      'include: ["*.yaml", conf.d/a.yaml]',
      SERVER,
      BACKENDS,
      'routes: [{ path: "${file:path.txt}" }]',
    ),
    'conf.d/a.yaml': 'routes: [{ path: /a }]',
    'path.txt': '/b',
  });
  const { files, includes } = await loadConfigFile(main, {});
  const shown = (paths: readonly string[]) => paths.map((path) => relative(dirname(main), path));
  assert.deepEqual(shown(files), ['main.yaml', 'conf.d/a.yaml', 'path.txt']);
  assert.deepEqual(shown(includes), ['*.yaml', 'conf.d/a.yaml']);
});

test('a path from the root of the file system is taken as it is', async () => {
  const other = write({ 'main.yaml': 'routes: [{ path: /elsewhere }]' });
  const config = await load({ 'main.yaml': lines(`include: ["${other}"]`, SERVER, BACKENDS, ROUTES) });
  assert.equal(config.routes[1]?.path, '/elsewhere');
});

test('a pattern that finds nothing includes nothing', async () => {
  assert.equal((await load({ 'main.yaml': MAIN })).routes.length, 1);
});

const FAULTS: readonly { readonly why: string; readonly files: Files; readonly places: readonly string[] }[] = [
  {
    why: 'a file that is not there',
    files: { 'main.yaml': lines('include: [none.yaml]', SERVER, BACKENDS, ROUTES) },
    places: ['include-not-found include[0] main.yaml:1:11'],
  },
  {
    why: 'a file of no known format',
    files: { 'main.yaml': MAIN, 'conf.d/README.md': '' },
    places: ['unknown-format include[0] main.yaml:1:11'],
  },
  {
    why: 'a module',
    files: { 'main.yaml': MAIN, 'conf.d/a.ts': '' },
    places: ['unknown-format include[0] main.yaml:1:11'],
  },
  {
    why: 'one backend in two files',
    files: { 'main.yaml': MAIN, 'conf.d/a.yaml': lines('# mine', BACKENDS) },
    places: ['duplicate-backend load_balancing.backends.web conf.d/a.yaml:4:5 main.yaml:6:5'],
  },
  {
    why: 'one route id in two files',
    files: {
      'main.yaml': lines('include: [a.yaml, b.yaml]', SERVER, BACKENDS, ROUTES),
      'a.yaml': 'routes: [{ path: /a, id: x }]',
      'b.yaml': '\nroutes: [{ path: /b, id: x }]',
    },
    places: ['duplicate-id routes[2].id b.yaml:2:26 a.yaml:1:26'],
  },
  {
    why: 'one middleware in two files',
    files: {
      'main.yaml': lines(MAIN.trimEnd(), 'middleware: { headers: {} }'),
      'conf.d/a.yaml': 'middleware: { headers: {} }',
    },
    places: ['duplicate-block middleware.headers conf.d/a.yaml:1:15 main.yaml:11:15'],
  },
  {
    why: 'one middleware of your own in two files',
    files: {
      'main.yaml': lines(MAIN.trimEnd(), 'middleware: { custom: { own: { module: a.ts } } }'),
      'conf.d/a.yaml': 'middleware: { custom: { own: { module: b.ts } } }',
    },
    places: ['duplicate-block middleware.custom.own conf.d/a.yaml:1:25 main.yaml:11:25'],
  },
  {
    why: 'a server in an included file',
    files: { 'main.yaml': MAIN, 'conf.d/a.yaml': 'server: { workers: 1 }' },
    places: ['include-not-allowed server conf.d/a.yaml:1:1'],
  },
  {
    why: 'an include in an included file',
    files: { 'main.yaml': MAIN, 'conf.d/a.yaml': 'include: [b.yaml]' },
    places: ['include-not-allowed include conf.d/a.yaml:1:1'],
  },
  {
    why: 'an algorithm for all backends in an included file',
    files: { 'main.yaml': MAIN, 'conf.d/a.yaml': 'load_balancing: { algorithm: random }' },
    places: ['include-not-allowed load_balancing.algorithm conf.d/a.yaml:1:19'],
  },
  {
    why: 'a text for a file',
    files: { 'main.yaml': MAIN, 'conf.d/a.yaml': 'hello' },
    places: ['include-not-allowed  conf.d/a.yaml:1:1'],
  },
  {
    why: 'faults of the files themselves, in their order',
    files: {
      'main.yaml': lines('include: [conf.d/*]', SERVER, '  worker: 1', BACKENDS, ROUTES),
      'conf.d/a.yaml': 'routes:\n  - { path: a }\n  - { path: /b, backend: wbe }',
      'conf.d/b.json': '{\n  "routes": [,]\n}',
      'conf.d/c.toml': '[[routes]]\npath = "/c"\nid = "${NONE}"',
    },
    places: [
      'unknown-key server.worker main.yaml:4:3',
      'bad-value routes[1].path conf.d/a.yaml:2:13',
      'unknown-backend routes[2].backend conf.d/a.yaml:3:26',
      'syntax-error  conf.d/b.json:2:14',
      'unset-variable routes[3].id conf.d/c.toml:3:6',
    ],
  },
];

for (const { why, files, places } of FAULTS) {
  test(`included files are refused with the right place: ${why}`, async () => {
    assert.deepEqual(await placesOf(files), places);
  });
}

test('more than a thousand files are too many', async () => {
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`conf.d/${index}.yaml`, '{}']));
  assert.deepEqual(await placesOf({ 'main.yaml': MAIN, ...many }), ['include-limit include[0] main.yaml:1:11']);
});

test('files that are too large together are refused', async () => {
  const large = `# ${'x'.repeat(9 * 1024 * 1024)}\n{}`;
  assert.deepEqual(await placesOf({ 'main.yaml': MAIN, 'conf.d/a.yaml': large, 'conf.d/b.yaml': large }), [
    'include-limit include[0] main.yaml:1:11',
  ]);
});

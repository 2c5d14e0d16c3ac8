// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError, type Diagnostic } from '../../src/config/diagnostic.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import { BACKENDS, lines, ROUTES, SERVER } from './documents.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-config-'));
after(() => rmSync(directory, { recursive: true }));

const VALID = lines(SERVER, BACKENDS, ROUTES);

function fileWith(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

async function onlyDiagnosticOf(path: string): Promise<Diagnostic> {
  try {
    await loadConfigFile(path, {});
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.diagnostics.length, 1);
    assert.ok(error.diagnostics[0] !== undefined);
    return error.diagnostics[0];
  }
  assert.fail('the file is a valid configuration');
}

for (const name of ['a.yaml', 'a.yml', 'A.YAML']) {
  test(`${name} is read as YAML`, async () => {
    assert.equal((await loadConfigFile(fileWith(name, VALID), {})).config.routes.length, 1);
  });
}

test('the suffix decides on the format', async () => {
  const toml =
    'server.http_addr = ":1"\nload_balancing.backends.a.upstreams = [{ address = "a:1" }]\nroutes = [{ path = "/" }]';
  const json =
    '{"server":{"http_addr":":1"},"load_balancing":{"backends":{"a":{"upstreams":[{"address":"a:1"}]}}},"routes":[{"path":"/"}]}';
  assert.deepEqual(
    (await loadConfigFile(fileWith('b.toml', toml))).config,
    (await loadConfigFile(fileWith('b.json', json))).config,
  );
  assert.equal((await onlyDiagnosticOf(fileWith('c.json', VALID))).code, 'syntax-error');
});

test('a byte order mark in front does not matter', async () => {
  assert.equal((await loadConfigFile(fileWith('bom.yaml', `\u{feff}${VALID}`), {})).config.routes.length, 1);
});

test('a symbolic link is followed', async () => {
  const link = join(directory, 'link.yaml');
  symlinkSync(fileWith('target.yaml', VALID), link);
  assert.equal((await loadConfigFile(link, {})).config.routes.length, 1);
});

test('the environment of the process is the default one', async () => {
  process.env['PHOTON_TEST_ADDRESS'] = '127.0.0.1:81';
  const path = fileWith('env.yaml', VALID.replace('127.0.0.1:8080', '${PHOTON_TEST_ADDRESS}'));
  assert.equal((await loadConfigFile(path)).config.server.httpAddr[0]?.port, 81);
  delete process.env['PHOTON_TEST_ADDRESS'];
});

const pipe = join(directory, 'pipe.yaml');
execFileSync('mkfifo', [pipe]);
mkdirSync(join(directory, 'directory.yaml'));

const UNUSABLE = [
  { path: join(directory, 'missing.yaml'), code: 'file-not-found', message: /does not exist/ },
  { path: join(directory, 'missing'), code: 'file-not-found', message: /does not exist/ },
  { path: join(directory, 'directory.yaml'), code: 'not-a-file', message: /is a directory/ },
  { path: join(pipe), code: 'not-a-file', message: /is not a regular file/ },
  { path: fileWith('a.txt', VALID), code: 'unknown-format', message: /\.yaml, \.yml, \.json, \.toml or \.ts/ },
  { path: fileWith('empty.yaml', ''), code: 'file-empty', message: /an empty file/ },
  { path: fileWith('blank.toml', ' \n\n'), code: 'file-empty', message: /an empty file/ },
  { path: fileWith('comment.yaml', '# nothing\n'), code: 'file-empty', message: /an empty file/ },
  {
    path: fileWith('large.yaml', Buffer.alloc(50_000_000, '#')),
    code: 'file-too-large',
    message: /larger than 16777216/,
  },
  {
    path: fileWith('latin1.yaml', Buffer.from('a: 1\nb: caf\xe9\n', 'latin1')),
    code: 'not-utf8',
    message: /in line 2/,
  },
  { path: fileWith('cut.yaml', Buffer.from('a: \u{1f600}').subarray(0, -1)), code: 'not-utf8', message: /in line 1/ },
  { path: '/proc/self/mem.yaml', code: 'file-not-found', message: /does not exist/ },
  { path: 'a\0.yaml', code: 'file-unreadable', message: /cannot be read/ },
];

for (const { path, code, message } of UNUSABLE) {
  test(`one clear line for ${path.split('/').at(-1)}: ${code}`, async () => {
    const diagnostic = await onlyDiagnosticOf(path);
    assert.equal(diagnostic.code, code);
    assert.match(diagnostic.message, message);
    assert.deepEqual([diagnostic.line, diagnostic.column, diagnostic.frame], [0, 0, null]);
  });
}

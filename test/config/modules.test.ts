import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigError, type Diagnostic } from '../../src/config/diagnostic.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import { loadModule } from '../../src/config/load-module.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-module-'));
after(() => rmSync(directory, { recursive: true }));

function fileWith(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

async function diagnosticsOf(path: string): Promise<readonly Diagnostic[]> {
  try {
    await loadConfigFile(path, {});
  } catch (error) {
    if (error instanceof ConfigError) return error.diagnostics;
    throw error;
  }
  assert.fail('the module is a valid configuration');
}

const REST = "load_balancing: { backends: { web: { upstreams: [{ address: 'a:80' }] } } }, routes: [{ path: '/**' }]";

test('photon.config.ts is run by Node as it is, and its texts are substituted like those of a file', async () => {
  const path = fileURLToPath(new URL('fixtures/photon.config.ts', import.meta.url));
  const { config } = await loadConfigFile(path, { API: 'api.internal:8080' });
  assert.deepEqual(
    config.backends.map(({ name, upstreams }) => [name, upstreams[0]?.address]),
    [
      ['web', '127.0.0.1:3000'],
      ['api', 'api.internal:8080'],
    ],
  );
  assert.deepEqual(
    config.routes[1]?.middleware.map(({ name, overrides }) => [name, overrides]),
    [
      ['cors', {}],
      ['rate_limiting', { burst: 5 }],
    ],
  );
});

for (const name of ['a.ts', 'a.mts', 'a.js', 'a.mjs']) {
  test(`${name} is a module`, async () => {
    const { config } = await loadConfigFile(fileWith(name, `export default { server: { http_addr: ':1' }, ${REST} };`));
    assert.equal(config.server.httpAddr[0]?.port, 1);
  });
}

test('a module that has changed is run anew', async () => {
  for (const port of [1, 2]) {
    const path = fileWith('changed.mjs', `export default { server: { http_addr: ':${port}' }, ${REST} };`);
    assert.equal((await loadConfigFile(path)).config.server.httpAddr[0]?.port, port);
  }
});

test('what is wrong is named by its path and the file, without a line', async () => {
  const path = fileWith(
    'wrong.ts',
    `export default { server: { http_addr: ':1', workers: '4' }, ${REST}, rotues: 1 };`,
  );
  const diagnostics = await diagnosticsOf(path);
  assert.deepEqual(
    diagnostics.map(({ code, path: key, file, line, column, frame }) => [code, key, file, line, column, frame]),
    [
      ['wrong-type', 'server.workers', path, 0, 0, null],
      ['unknown-key', 'rotues', path, 0, 0, null],
    ],
  );
});

const UNUSABLE = [
  { why: 'does not parse', text: 'export default {\n  a: ,\n};', code: 'module-failed', message: /in line 2/ },
  { why: 'throws', text: "throw new Error('no database');", code: 'module-failed', message: /no database/ },
  { why: 'throws no error', text: 'throw 1;', code: 'module-failed', message: /threw something/ },
  { why: 'imports what is not there', text: "import './none.ts';", code: 'module-failed', message: /none\.ts/ },
  { why: 'exports nothing', text: 'export const config = {};', code: 'module-failed', message: /export default/ },
  { why: 'exports a function', text: 'export default () => ({});', code: 'not-plain-data', message: /want a text/ },
  {
    why: 'holds a date',
    text: 'export default { server: new Date() };',
    code: 'not-plain-data',
    message: /want a text/,
  },
  {
    why: 'holds itself',
    text: 'const a: Record<string, unknown> = {};\na["a"] = a;\nexport default a;',
    code: 'too-complex',
    message: /at most 64 levels/,
  },
  {
    why: 'has a reserved key',
    text: `export default JSON.parse('{"__proto__": {"polluted": true}}');`,
    code: 'reserved-key',
    message: /__proto__/,
  },
];

for (const [index, { why, text, code, message }] of UNUSABLE.entries()) {
  test(`a module cannot be used that ${why}`, async () => {
    const [first] = (await diagnosticsOf(fileWith(`unusable-${index}.ts`, text))).filter((each) => each.code === code);
    assert.match(first?.message ?? 'nothing', message);
  });
}

test('a module that never comes to its end is given up', async () => {
  const text = `await new Promise(() => undefined);\nexport default {};`;
  await assert.rejects(loadModule(fileWith('stuck.mjs', text), text, 50), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(String(error.diagnostics[0]?.message), /stuck\.mjs: it has not loaded within 50ms: does an await/);
    return true;
  });
});

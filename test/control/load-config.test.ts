import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { loadConfig, loadStartableConfig } from '../../src/control/load-config.ts';
import { createGateway } from '../../src/index.ts';
import { BACKENDS, lines, ROUTES, SERVER } from '../config/documents.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-load-'));
after(() => rmSync(directory, { recursive: true }));

function fileWith(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test('what safety rests on can be explained without being there, but not started', async () => {
  const path = fileWith('guarded.yaml', lines(SERVER, BACKENDS, ROUTES, '    websocket: { enabled: true }'));
  const { config, warnings } = await loadConfig(path);
  assert.equal(config.routes[0]?.websocket.enabled, true);
  assert.deepEqual(
    warnings.map(({ code, severity }) => `${severity} ${code}`),
    ['warning not-available-yet'],
  );
  assert.throws(
    () => createGateway(config),
    /^Error: Cannot start: this version does not have routes\[0\]\.websocket\.enabled$/,
  );
  await assert.rejects(createGateway(path).start(), ConfigError);
  await assert.rejects(loadStartableConfig(path), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(
      error.diagnostics.map(({ code, severity }) => `${severity} ${code}`),
      ['error not-available-yet'],
    );
    return true;
  });
});

test('what is only not active yet starts', async () => {
  const path = fileWith('cached.yaml', lines(SERVER, BACKENDS, ROUTES, 'cache: { enabled: true }'));
  const { warnings } = await loadStartableConfig(path);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['not-active-yet'],
  );
});

test('a route that another one covers is named with the place of that one', async () => {
  const path = fileWith(
    'covered.yaml',
    lines(SERVER, BACKENDS, 'routes:', '  - path: /a/*', '  - { path: /**, priority: 1 }'),
  );
  const { warnings } = await loadConfig(path);
  assert.deepEqual(
    warnings.map(({ code, path, line, other }) => [code, path, line, other?.line]),
    [['unreachable-route', 'routes[0]', 9, 10]],
  );
});

for (const { header, expected, why } of [
  { header: 'X-User-Role', expected: ['unreachable-route'], why: 'a header of forward_claims' },
  { header: 'X_User_Role', expected: ['unreachable-route'], why: 'the same in another spelling' },
  { header: 'Forwarded', expected: ['unreachable-route'], why: 'a header that goes nowhere' },
  { header: 'X_Forwarded_For', expected: ['unreachable-route'], why: 'one that an upstream may take for another' },
  { header: 'X-Forwarded-For', expected: [], why: 'a header that the gateway writes' },
  { header: 'X_Tier', expected: [], why: 'one that is like no other' },
]) {
  test(`a route that asks for a header which is never there gets a warning: ${why}`, async () => {
    const secret = 'kP3vX9qLw2Zt7RmY5sNc8BdF1gHj4KaQ';
    const path = fileWith(
      'absent.yaml',
      lines(
        SERVER,
        BACKENDS,
        'routes:',
        `  - { path: /a/**, match: { headers: { ${header}: "admin" } } }`,
        '  - { path: /b/**, middleware: [ auth ] }',
        `middleware: { authentication: { auth_type: jwt, jwt: { secret: ${secret}, forward_claims: { role: X-User-Role } } } }`,
      ),
    );
    const { warnings } = await loadConfig(path);
    assert.deepEqual(
      warnings.map(({ code }) => code),
      expected,
    );
    for (const { path: place, line } of warnings) assert.deepEqual([place, line], ['routes[0].match.headers', 9]);
  });
}

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PhotonProcess, temporaryDirectory, writeConfig } from './photon-process.ts';

/*
 * The commands that look at a configuration without serving it, as processes: where they print, how they end, and that
 * `-c` goes before and after the command's name. What they say is tested in test/explain and test/cli.
 */

for (const command of [['check'], ['explain', 'GET', '/'], ['routes']]) {
  const name = command[0] as string;

  test(`photon ${name} takes the configuration before and after its name, and prints to standard output`, async (t) => {
    const path = writeConfig(t);
    const before = await new PhotonProcess(t, ['-c', path, ...command]).ended;
    const after = await new PhotonProcess(t, [...command, '-c', path]).ended;
    assert.deepEqual([before.code, before.stderr], [0, '']);
    assert.notEqual(before.stdout, '');
    assert.deepEqual(after, before);
  });

  test(`photon ${name} prints JSON alone with --format json`, async (t) => {
    const { code, stdout, stderr } = await new PhotonProcess(t, [...command, '--format', 'json', '-c', writeConfig(t)])
      .ended;
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(typeof JSON.parse(stdout), 'object');
  });

  test(`photon ${name} ends with 1 for a configuration that cannot be used`, async (t) => {
    const path = join(temporaryDirectory(t), 'config.yaml');
    writeFileSync(path, 'routes: 7\n');
    const { code, stdout, stderr } = await new PhotonProcess(t, [...command, '-c', path]).ended;
    assert.equal(code, 1);
    // A check that finds something has done its work: what it found is its output.
    assert.match(name === 'check' ? stdout : stderr, /^(?:photon: Cannot use .*|error\[[\w-]+\]: .*)$/m);
    assert.equal(name === 'check' ? stderr : stdout, '');
  });
}

test('photon check --strict ends with 2 for warnings', async (t) => {
  const path = writeConfig(t, { server: { error_pages: { 404: 'a.html' } } });
  assert.equal((await new PhotonProcess(t, ['check', '-c', path]).ended).code, 0);
  assert.equal((await new PhotonProcess(t, ['check', '--strict', '-c', path]).ended).code, 2);
});

test('photon check --format json prints every field of a diagnostic', async (t) => {
  const path = writeConfig(t, { server: { wrokers: 2 } });
  const { code, stdout } = await new PhotonProcess(t, ['check', '--format', 'json', '-c', path]).ended;
  const [diagnostic] = JSON.parse(stdout) as readonly Record<string, unknown>[];
  assert.equal(code, 1);
  const { file, didYouMean, line, path: at, ...others } = diagnostic ?? {};
  assert.deepEqual([file, didYouMean, line, at], [path, 'workers', 1, 'server.wrokers']);
  assert.deepEqual(Object.keys(others).sort(), ['code', 'column', 'found', 'frame', 'message', 'severity', 'wanted']);
});

test('photon schema prints the JSON Schema of the configuration', async (t) => {
  const { code, stdout, stderr } = await new PhotonProcess(t, ['schema']).ended;
  assert.deepEqual([code, stderr], [0, '']);
  const schema = JSON.parse(stdout) as Record<string, unknown>;
  assert.match(String(schema['$schema']), /json-schema\.org/);
  assert.ok('routes' in (schema['properties'] as object));
});

test('what is long reaches a pipe to its end', async (t) => {
  const path = join(temporaryDirectory(t), 'config.json');
  const routes = Array.from({ length: 3000 }, (_, index) => ({ path: `/service/${index}/**` }));
  const backends = { web: { upstreams: [{ address: '127.0.0.1:1' }] } };
  writeFileSync(path, JSON.stringify({ server: { http_addr: ':1' }, load_balancing: { backends }, routes }));
  const { code, stdout } = await new PhotonProcess(t, ['routes', '--format', 'json', '-c', path]).ended;
  assert.equal(code, 0);
  assert.equal((JSON.parse(stdout) as readonly unknown[]).length, 3000);
});

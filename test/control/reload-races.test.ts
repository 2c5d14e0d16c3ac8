import assert from 'node:assert/strict';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';

/** Code that says that it has come so far, and goes on once the test lets it: both by a file of that name. */
const pauseAt = (reached: string, until: string) => `
writeFileSync(new URL('${reached}', import.meta.url), '');
while (!existsSync(new URL('${until}', import.meta.url))) await pause(5);
`;

const IMPORTS = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
`;

/** A configuration in TypeScript with one route of this id; `code` runs when it is compiled. */
const configuration = (id: string, code = '', middleware = '') => `
${IMPORTS}
${code}
export default {
  server: { http_addr: '127.0.0.1:0', workers: 2 },
  middleware: { custom: { slow: { module: './slow.ts' } } },
  load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:9' }] } } },
  routes: [{ id: '${id}', path: '/**', middleware: [${middleware}] }],
};
void isMainThread;
`;

/** Its workers serve when the test lets them. */
const SLOW = `
import { defineMiddleware } from 'photon-gateway';
${IMPORTS}
if (!isMainThread) {${pauseAt('workers-start', 'let-workers-serve')}}
export default defineMiddleware({ name: 'slow', create: () => ({}) });
`;

/** A gateway whose first configuration is this; it is not waited for. */
function begin(t: TestContext, first: string) {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'photon.config.ts');
  writeFileSync(join(directory, 'slow.ts'), SLOW);
  writeFileSync(file, first);
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: directory });
  return {
    photon,
    /** As editors and configuration management do it. */
    renameOver: (text: string) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    },
    reached: async (name: string) => {
      while (!existsSync(join(directory, name))) await pause(5);
    },
    allow: (name: string) => writeFileSync(join(directory, name), ''),
  };
}

test('a configuration that is renamed over the first one while the workers start, and still compiles when they serve, is served', async (t) => {
  const { photon, renameOver, reached, allow } = begin(t, configuration('first', '', "'slow'"));
  await reached('workers-start');
  renameOver(configuration('second', pauseAt('second-compiles', 'let-second-compile')));
  await reached('second-compiles');
  allow('let-workers-serve');
  await photon.event('ready');
  allow('let-second-compile');
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['second'], removed: ['first'] });
  assert.deepEqual(photon.events('reload-failed'), []);
});

test('a configuration that is compiled while the workers still start is served after the first one', async (t) => {
  const { photon, renameOver, reached, allow } = begin(t, configuration('first', '', "'slow'"));
  await reached('workers-start');
  renameOver(configuration('second', `writeFileSync(new URL('second-compiles', import.meta.url), '');`));
  await reached('second-compiles');
  allow('let-workers-serve');
  await photon.event('ready');
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['second'], removed: ['first'] });
  assert.deepEqual(photon.events('worker-died'), []);
});

test('a configuration that is renamed over the first one after that was read, and before it is compiled, is served', async (t) => {
  const { photon, renameOver, reached, allow } = begin(
    t,
    configuration('first', pauseAt('first-compiles', 'let-first-compile')),
  );
  await reached('first-compiles');
  renameOver(configuration('second'));
  allow('let-first-compile');
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['second'], removed: ['first'] });
});

test('a change that comes between two others, while the first of them compiles, is served too', async (t) => {
  const { photon, renameOver, reached, allow } = begin(t, configuration('first'));
  await photon.event('ready');
  renameOver(configuration('second', pauseAt('second-compiles', 'let-second-compile')));
  await reached('second-compiles');
  renameOver(configuration('third'));
  allow('let-second-compile');
  while ((photon.events('reloaded').at(-1)?.['routes'] as { added: string[] } | undefined)?.added[0] !== 'third') {
    await photon.event('reloaded', photon.events('reloaded').length);
  }
  assert.deepEqual(photon.events('reload-failed'), []);
});

test('a compiler that a signal ends is replaced once, without a word about a failed reload', async (t) => {
  const { photon, renameOver } = begin(t, configuration('first'));
  await photon.event('ready');
  const once = `
    const mark = new URL('killed-once', import.meta.url);
    if (!existsSync(mark)) {
      writeFileSync(mark, '');
      process.kill(process.pid, 'SIGKILL');
    }`;
  renameOver(configuration('second', once));
  assert.deepEqual((await photon.event('reloaded'))['routes'], { added: ['second'], removed: ['first'] });
  assert.deepEqual(photon.events('reload-failed'), []);
});

test('SIGTERM while a configuration is compiled: the reload says why it ends, and the exit code is 0', async (t) => {
  const { photon, renameOver, reached } = begin(t, configuration('first'));
  await photon.event('ready');
  renameOver(configuration('second', pauseAt('second-compiles', 'never')));
  await reached('second-compiles');
  photon.kill('SIGTERM');
  const { code } = await photon.ended;
  assert.equal(code, 0);
  assert.match(String(photon.events('reload-failed')[0]?.['reason']), /the gateway is stopping$/);
});

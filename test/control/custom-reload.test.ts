import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get } from './upstream.ts';

const WORKERS = 2;

/** A gateway of two workers whose middleware answers with what it imports. */
async function start(t: TestContext) {
  const directory = temporaryDirectory(t);
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text);
  const imported = (word: string) => `export const word: string = '${word}';`;
  const module = `
    import { defineMiddleware } from 'photon-gateway';
    import { word } from './word.ts';
    export default defineMiddleware({ name: 'x', create: () => ({ onRequest: () => ({ body: word }) }) });`;
  write('word.ts', imported('one'));
  write('module.ts', module);
  const file = join(directory, 'config.json');
  const document = {
    server: { http_addr: '127.0.0.1:0', workers: WORKERS },
    middleware: { custom: { mine: { module: './module.ts' } } },
    load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:9' }] } } },
    routes: [{ path: '/**', middleware: ['mine'] }],
    access_log: { enabled: false },
  };
  writeFileSync(file, JSON.stringify(document));
  const photon = new PhotonProcess(t, ['--config', file], { XDG_RUNTIME_DIR: directory });
  await photon.event('ready');
  const say = (word: string) => write('word.ts', imported(word));
  /** What many connections get, which come to all workers. */
  const said = async () => {
    const port = await photon.port();
    const replies = await Promise.all(Array.from({ length: 16 }, () => get({ port })));
    return [...new Set(replies.map(({ body }) => body))];
  };
  return { photon, say, said, moduleBytes: module.length, wordBytes: (word: string) => imported(word).length };
}

test('code that a module imports has changed, and nothing else: all workers serve the new code after a reload', async (t) => {
  const { photon, say, said, moduleBytes, wordBytes } = await start(t);
  assert.deepEqual(await said(), ['one']);
  say('another');
  photon.kill('SIGHUP');
  const event = await photon.event('reloaded');
  assert.deepEqual(await said(), ['another']);
  const bytes = WORKERS * (2 * moduleBytes + wordBytes('one') + wordBytes('another'));
  assert.deepEqual([event['blocks'], event['moduleBytes']], [['middleware'], bytes]);
});

test('code that has not changed makes no reload', async (t) => {
  const { photon, said } = await start(t);
  photon.kill('SIGHUP');
  await photon.event('reload-unchanged');
  assert.deepEqual(await said(), ['one']);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { check } from '../../src/cli/commands/check.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { PhotonProcess, temporaryDirectory } from './photon-process.ts';
import { get } from './upstream.ts';

/** A configuration whose one middleware begins with `code`, and has `hooks`. `limit`: how long it may take to load. */
function write(
  t: TestContext,
  code: string,
  hooks = '',
  limit = '1h',
): { readonly config: string; readonly module: string } {
  const directory = temporaryDirectory(t);
  const module = join(directory, 'audit.ts');
  const config = join(directory, 'config.json');
  writeModule(module, code, hooks);
  const document = {
    server: { http_addr: '127.0.0.1:0', workers: 1, reload_timeout: limit, worker_timeout: '2m' },
    middleware: { custom: { audit: { module: './audit.ts' } } },
    load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:9' }] } } },
    routes: [{ path: '/**', middleware: ['audit'] }],
    access_log: { enabled: false },
  };
  writeFileSync(config, JSON.stringify(document));
  return { config, module };
}

function writeModule(module: string, code: string, hooks = ''): void {
  const imports = "import { exit } from 'node:process';\nimport { defineMiddleware } from 'photon-gateway';";
  writeFileSync(
    module,
    `${imports}\n${code}\nexport default defineMiddleware({ name: 'x', create: () => ({ ${hooks} }) });\nvoid exit;\n`,
  );
}

for (const { why, code, reason } of [
  {
    why: 'it ends the process',
    code: 'process.exit(0);',
    reason: /process\.exit\(0\) was called by the middleware "audit"/,
  },
  { why: 'it ends the process by another name', code: 'exit();', reason: /process\.exit\(\) was called by/ },
  {
    why: 'it ends the process behind our back',
    code: "Reflect.get(process, 'reallyExit')(0);",
    reason: /its module ends the thread that loads it, with code 0/,
  },
  {
    why: 'it waits for ever',
    code: 'await new Promise(() => undefined);',
    reason: /its module has not loaded within 700ms: does an await at its top level never end\?/,
  },
  {
    why: 'it loops for ever',
    code: 'for (;;);',
    reason: /its module has not loaded within 700ms: it computes without end/,
  },
]) {
  test(`photon check names a module that does not come to its end: ${why}`, async (t) => {
    const { config, module } = write(t, code, '', '700ms');
    const out = new CapturedTerminal();
    assert.equal(await check(config, { format: 'json', strict: false }, out), 1);
    const [diagnostic, ...others] = JSON.parse(out.text);
    assert.deepEqual([diagnostic.code, diagnostic.file, others], ['module-failed', module, []]);
    assert.match(diagnostic.message, /^Cannot use the middleware "audit": /);
    assert.match(diagnostic.message, reason);
  });
}

test('a module that ends the process keeps Photon from starting, and its name is said', async (t) => {
  const { config } = write(t, 'process.exit(0);');
  const { code, stderr } = await new PhotonProcess(t, ['--config', config]).ended;
  assert.equal(code, 1);
  assert.match(stderr, /Cannot use the middleware "audit": Cannot end the process: process\.exit\(0\) was called/);
});

test('a hook that calls process.exit fails its request alone, and a module that does so its reload', async (t) => {
  const { config, module } = write(
    t,
    '',
    'onRequest({ path }) { if (path === "/end") process.exit(3); return { body: "served" }; }',
  );
  const photon = new PhotonProcess(t, ['--config', config]);
  const port = await photon.port();
  assert.equal((await get({ port }, '/end')).status, 500);
  const { middleware, hook, error } = await photon.event('middleware-failed');
  assert.deepEqual([middleware, hook], ['audit', 'onRequest']);
  assert.match(String(error), /process\.exit\(3\) was called by the middleware "audit"/);
  writeModule(module, 'process.exit(0);');
  photon.kill('SIGHUP');
  assert.match(String((await photon.event('reload-failed'))['reason']), /process\.exit\(0\) was called/);
  writeModule(module, "Reflect.get(process, 'reallyExit')(4);");
  photon.kill('SIGHUP');
  const reason = String((await photon.event('reload-failed', 1))['reason']);
  assert.match(reason, /ended with code 4, in the module \S+audit\.ts of the middleware "audit"/);
  assert.equal((await get({ port }, '/other')).body, 'served');
  assert.deepEqual(photon.events('worker-died'), []);
});

test("what middleware sends to the parent of its thread or process is nobody's message", async (t) => {
  const speak =
    "for (const each of [null, 'text', {}, { type: 'hello' }]) { process.send?.(each); parentPort?.postMessage(each); }";
  const code = `import { parentPort } from 'node:worker_threads';\nfunction speak() { ${speak} }\nspeak();`;
  const { config } = write(t, code, 'onRequest: () => { speak(); return { status: 200, body: "spoken" }; }');
  assert.equal(await check(config, { format: 'json', strict: false }, new CapturedTerminal()), 0);
  const photon = new PhotonProcess(t, ['--config', config]);
  const port = await photon.port();
  for (let count = 0; count < 2; count++) assert.deepEqual(await get({ port }), { status: 200, body: 'spoken' });
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
});

test('a worker whose middleware closes the port to the control thread is replaced', async (t) => {
  const code = "import { parentPort } from 'node:worker_threads';";
  const { config, module } = write(
    t,
    code,
    'onRequest: ({ path }) => { if (path === "/close") parentPort?.close(); return { body: "first" }; }',
  );
  const photon = new PhotonProcess(t, ['--config', config]);
  const port = await photon.port();
  await get({ port }, '/close').catch(() => undefined);
  assert.match(String((await photon.event('worker-died'))['reason']), /The port to the control thread was closed/);
  await photon.event('worker-replaced');
  writeModule(module, '', 'onRequest: () => ({ body: "second" })');
  photon.kill('SIGHUP');
  await photon.event('reloaded');
  assert.equal((await get({ port })).body, 'second');
  photon.kill('SIGTERM');
  assert.equal((await photon.ended).code, 0);
});

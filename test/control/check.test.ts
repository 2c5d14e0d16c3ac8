import assert from 'node:assert/strict';
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CheckOptions, check } from '../../src/cli/commands/check.ts';
import type { Diagnostic } from '../../src/config/diagnostic.ts';
import { createGateway } from '../../src/index.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';
import { testCertificate } from '../support/certificates.ts';
import { temporaryDirectory } from './photon-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SERVER = 'server: { http_addr: "127.0.0.1:0", workers: 1 }';
const BACKENDS = 'load_balancing: { backends: { web: { upstreams: [{ address: "127.0.0.1:1" }] } } }';
const ROUTES = 'routes: [{ path: /** }]';

interface Sample {
  readonly server?: string;
  readonly backends?: string;
  readonly routes?: string;
}

function document({ server = SERVER, backends = BACKENDS, routes = ROUTES }: Sample): string {
  return `${server}\n${backends}\n${routes}\n`;
}

/** Writes a configuration beside the certificates that it may name, and returns its path. */
function write(t: TestContext, text: string, name = 'config.yaml'): string {
  const directory = temporaryDirectory(t);
  for (const certificate of ['localhost', 'api'] as const) {
    const { certFile, keyFile } = testCertificate(certificate);
    copyFileSync(certFile, join(directory, `${certificate}.crt`));
    copyFileSync(keyFile, join(directory, `${certificate}.key`));
  }
  writeFileSync(join(directory, 'empty.pem'), '');
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  // Files are named relative to the working directory, so that the samples name them by a mark instead.
  writeFileSync(path, text.replaceAll('@/', `${directory}/`));
  return path;
}

async function run(path: string, options: Partial<CheckOptions> = {}, out = new CapturedTerminal()) {
  const code = await check(path, { format: 'text', strict: false, ...options }, out);
  return { code, out };
}

async function diagnosticsOf(path: string): Promise<{ code: number; diagnostics: readonly Diagnostic[] }> {
  const { code, out } = await run(path, { format: 'json' });
  return { code, diagnostics: JSON.parse(out.text) as readonly Diagnostic[] };
}

/** Null when it starts, else why it does not. */
async function startError(path: string): Promise<Error | null> {
  try {
    const gateway = createGateway(path, { logLevel: 'silent' });
    await gateway.start();
    await gateway.close();
    return null;
  } catch (error) {
    return error as Error;
  }
}

const https = (more: string) => `server: { https_addr: "127.0.0.1:0", workers: 1, ${more} }`;
const upstream = (more: string) =>
  `load_balancing:\n  backends:\n    web:\n      upstreams:\n        - { address: "127.0.0.1:1", ${more} }`;

const FAULTS: readonly (Sample & { readonly code: string; readonly at: string; readonly why: string })[] = [
  {
    server: https('tls_cert: @/none.crt, tls_key: @/localhost.key'),
    code: 'unusable-tls-file',
    at: 'server.tls_cert',
    why: 'a certificate that is not there',
  },
  {
    server: https('tls_cert: @/localhost.crt, tls_key: @/api.key'),
    code: 'unusable-tls-file',
    at: 'server.tls_key',
    why: 'the key of another certificate',
  },
  {
    server: https('tls: [{ hosts: [a.test], cert: @/localhost.crt, key: @/localhost.crt }]'),
    code: 'unusable-tls-file',
    at: 'server.tls[0].key',
    why: 'a certificate for a key',
  },
  {
    server: https('tls_cert: @/localhost.crt, tls_key: @/localhost.key, client_ca: @/empty.pem'),
    code: 'unusable-tls-file',
    at: 'server.client_ca',
    why: 'no authority at all',
  },
  {
    backends: upstream('tls: true, tls_ca: @/none.pem'),
    code: 'unusable-tls-file',
    at: 'load_balancing.backends.web.upstreams[0].tls_ca',
    why: 'authorities for an upstream that are not there',
  },
  {
    backends: upstream('tls: true, tls_cert: @/localhost.crt, tls_key: @/api.key'),
    code: 'unusable-tls-file',
    at: 'load_balancing.backends.web.upstreams[0].tls_key',
    why: 'the key of another certificate towards an upstream',
  },
  {
    server: 'server: { http_addr: "no-such-name.invalid:0" }',
    code: 'unusable-listener',
    at: 'server.http_addr',
    why: 'a name to listen at that does not resolve (RFC 6761)',
  },
  {
    server: 'server: { http_addr: ["127.0.0.1:0", "unix:/no/such/directory/photon.sock"] }',
    code: 'unusable-listener',
    at: 'server.http_addr[1]',
    why: 'no directory for a socket',
  },
  {
    server: `server: { http_addr: "unix:@/empty.pem" }`,
    code: 'unusable-listener',
    at: 'server.http_addr',
    why: 'a file where the socket would be',
  },
  {
    routes: 'routes: [{ path: /**, websocket: { enabled: true } }]',
    code: 'not-available-yet',
    at: 'routes[0].websocket.enabled',
    why: 'a protection that this version does not have',
  },
  { routes: 'routes: [{ path: "/a*{b}" }]', code: 'bad-value', at: 'routes[0].path', why: 'a pattern' },
  { routes: 'routes: [{ path: /**, backend: wbe }]', code: 'unknown-backend', at: 'routes[0].backend', why: 'a name' },
];

for (const { code, at, why, ...sample } of FAULTS) {
  test(`what would keep Photon from starting is an error at its place: ${why}`, async (t) => {
    const path = write(t, document(sample));
    const found = await diagnosticsOf(path);
    assert.equal(found.code, 1);
    assert.deepEqual(
      found.diagnostics.map((each) => [each.code, each.severity, each.path]),
      [[code, 'error', at]],
    );
    const [diagnostic] = found.diagnostics;
    assert.ok(diagnostic !== undefined && diagnostic.line > 0 && diagnostic.column > 0);
    assert.match(diagnostic.frame ?? '', /\^/);
    assert.ok((await startError(path)) !== null, 'it starts all the same');
  });
}

test('a pid file that cannot be written is an error', async (t) => {
  const server = 'server: { http_addr: "127.0.0.1:0", pid_file: /no/such/directory/photon.pid }';
  const { code, diagnostics } = await diagnosticsOf(write(t, document({ server })));
  assert.equal(code, 1);
  assert.deepEqual(
    diagnostics.map((each) => each.code),
    ['unusable-pid-file'],
  );
});

for (const { why, socket, runtime, at, message } of [
  {
    why: 'the runtime directory is a file',
    socket: '',
    runtime: '@/empty.pem',
    at: 'server',
    message: /^Cannot use the directory \S+empty\.pem: it is no directory; /,
  },
  {
    why: 'the path that it names is a file',
    socket: 'upgrade_sock: @/empty.pem',
    runtime: '@/none',
    at: 'server.upgrade_sock',
    message: /^Cannot open server\.upgrade_sock \S+empty\.pem: \S+ is no socket$/,
  },
  {
    why: 'the path that it names is below a file',
    socket: 'upgrade_sock: @/empty.pem/a/control.sock',
    runtime: '@/none',
    at: 'server.upgrade_sock',
    message: /^Cannot open server\.upgrade_sock \S+control\.sock: .*empty\.pem/,
  },
]) {
  test(`a control socket that would keep Photon from starting is an error: ${why}`, async (t) => {
    const server = `server: { http_addr: "127.0.0.1:0", ${socket} }`;
    const path = write(t, document({ server }));
    const before = process.env['RUNTIME_DIRECTORY'];
    process.env['RUNTIME_DIRECTORY'] = runtime.replace('@', dirname(path));
    try {
      const { code, diagnostics } = await diagnosticsOf(path);
      assert.equal(code, 1);
      assert.deepEqual(
        diagnostics.map((each) => [each.code, each.path]),
        [['unusable-control-socket', at]],
      );
      assert.match(diagnostics[0]?.message ?? '', message);
    } finally {
      if (before === undefined) delete process.env['RUNTIME_DIRECTORY'];
      else process.env['RUNTIME_DIRECTORY'] = before;
    }
  });
}

test('all faults are told at once, in the order of the file', async (t) => {
  const server = https('tls_cert: @/none.crt, tls_key: @/none.key, client_ca: @/none.pem');
  const backends = upstream('tls: true, tls_ca: @/none.pem, tls_cert: @/localhost.crt, tls_key: @/api.key');
  const routes = 'routes: [{ path: /**, websocket: { enabled: true } }]';
  const { diagnostics } = await diagnosticsOf(write(t, document({ server, backends, routes })));
  assert.deepEqual(
    diagnostics.map((each) => each.path),
    [
      'server.tls_cert',
      'server.client_ca',
      'load_balancing.backends.web.upstreams[0].tls_ca',
      'load_balancing.backends.web.upstreams[0].tls_key',
      'routes[0].websocket.enabled',
    ],
  );
});

test('a name of an upstream that does not resolve is a warning: 0, and 2 with --strict', async (t) => {
  const backends = upstream('weight: 1').replace('127.0.0.1', 'no-such-name.invalid');
  const path = write(t, document({ backends }));
  const { code, diagnostics } = await diagnosticsOf(path);
  assert.equal(code, 0);
  assert.deepEqual(
    diagnostics.map((each) => [each.code, each.severity, each.path, each.line]),
    [['unresolved-name', 'warning', 'load_balancing.backends.web.upstreams[0].address', 6]],
  );
  assert.equal((await run(path, { strict: true })).code, 2);
  assert.equal(await startError(path), null);
});

test('without a fault there is one line, and with --strict 0 all the same', async (t) => {
  const path = write(t, document({}));
  const { code, out } = await run(path, { strict: true });
  assert.deepEqual([code, out.text], [0, `${path}: ok\n`]);
  assert.deepEqual(await diagnosticsOf(path), { code: 0, diagnostics: [] });
});

test('the last line counts what was found', async (t) => {
  const routes = 'routes: [{ path: /**, websocket: { enabled: true }, cache: { ttl: 5s } }]';
  const faulty = await run(write(t, document({ routes })));
  assert.match(faulty.out.text, /^error\[not-available-yet\]: /m);
  assert.match(faulty.out.lines.at(-1) ?? '', /: Photon would not start: 1 error, 1 warning$/);
  const warned = await run(write(t, document({ routes: 'routes: [{ path: /**, cache: { ttl: 5s } }]' })));
  assert.match(warned.out.lines.at(-1) ?? '', /: ok, with 1 warning$/);
});

test('a terminal gets colours around the same text, unless NO_COLOR is set', async (t) => {
  const path = write(t, document({ routes: 'routes: [{ path: /**, backend: wbe }]' }));
  const before = process.env['NO_COLOR'];
  t.after(() => {
    if (before === undefined) delete process.env['NO_COLOR'];
    else process.env['NO_COLOR'] = before;
  });
  delete process.env['NO_COLOR'];
  const plain = (await run(path)).out.text;
  const coloured = (await run(path, {}, new CapturedTerminal(80))).out.text;
  assert.doesNotMatch(plain, /\u001b/);
  assert.match(coloured, /\u001b\[31m/);
  assert.equal(coloured.replace(/\u001b\[\d+m/g, ''), plain);
  process.env['NO_COLOR'] = '1';
  assert.equal((await run(path, {}, new CapturedTerminal(80))).out.text, plain);
});

/** Every configuration that the project shows or tests with, listening where nobody else does. */
function* samples(): Iterable<readonly [name: string, file: string, text: string]> {
  for (const file of globSync('{examples/**/*,test/config/fixtures/*}.{yaml,toml,json}', { cwd: ROOT })) {
    yield [file, file.replaceAll('/', '-'), readFileSync(join(ROOT, file), 'utf8')];
  }
  for (const page of globSync('{README.md,docs/*.md}', { cwd: ROOT })) {
    const blocks = readFileSync(join(ROOT, page), 'utf8').matchAll(/^```yaml.*\n([\s\S]*?)^```$/gm);
    for (const [index, [, text = '']] of [...blocks].entries())
      yield [`${page}, block ${index + 1}`, 'page.yaml', text];
  }
}

for (const [name, file, text] of samples()) {
  test(`it starts exactly where check finds no error: ${name}`, async (t) => {
    const elsewhere = text.replace(/("?)(?:[\w.*]*|\[[\w:]*\]):(?:8\d{3}|80|443)\b/g, '$1127.0.0.1:0');
    const path = write(t, elsewhere, file);
    const { code } = await run(path);
    const error = await startError(path);
    assert.equal(code === 0, error === null, error?.message ?? 'it starts');
  });
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SHIPPED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function run(program: string, args: readonly string[], cwd: string): Outcome {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` };
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

function runOrThrow(program: string, args: readonly string[], cwd: string): string {
  const { code, output } = run(program, args, cwd);
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${output}`);
  return output;
}

/** Builds and packs what would be published, without touching dist/ of this checkout. Returns the archive. */
function pack(directory: string): string {
  const source = join(directory, 'source');
  mkdirSync(source);
  for (const name of SHIPPED.filter((file) => existsSync(join(ROOT, file)))) {
    cpSync(join(ROOT, name), join(source, name));
  }
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  runOrThrow(tsc, ['-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(source, 'dist')], ROOT);
  runOrThrow('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], source);
  return join(directory, `photon-gateway-${version}.tgz`);
}

describe('the package as a user installs it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'photon-package-'));
  const home = join(directory, 'home');

  before(() => {
    const archive = pack(directory);
    mkdirSync(home);
    writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }\n');
    runOrThrow('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', archive], home);
  });

  after(() => rmSync(directory, { recursive: true }));

  test('photon --version prints the version', () => {
    assert.deepEqual(run(join(home, 'node_modules/.bin/photon'), ['--version'], home), {
      code: 0,
      output: `${version}\n`,
    });
  });

  test('the built gateway starts its workers, serves and stops', () => {
    writeFileSync(join(home, 'gateway.js'), USE_AS_LIBRARY);
    assert.deepEqual(run(process.execPath, ['gateway.js'], home), {
      code: 0,
      output: '502 application/problem+json\n',
    });
  });

  test('a photon.config.ts is run with what the package exports', () => {
    writeFileSync(join(home, 'photon.config.ts'), CONFIG_AS_PROGRAM);
    const load =
      "import { loadConfig } from 'photon-gateway'; console.log((await loadConfig('photon.config.ts')).config.routes[0].backend);";
    assert.deepEqual(run(process.execPath, ['--input-type=module', '-e', load], home), { code: 0, output: 'web\n' });
  });

  test('an older Node is told which one is wanted', () => {
    const main = JSON.stringify(join(home, 'node_modules/photon-gateway/dist/main.js'));
    const asNode20 = `Object.defineProperty(process.versions, 'node', { value: '20.19.0' }); await import(${main});`;
    assert.deepEqual(run(process.execPath, ['--input-type=module', '-e', asNode20], home), {
      code: 1,
      output: 'photon: Cannot run on Node 20.19.0: want Node 24 or later.\n',
    });
  });

  test('nothing but the built code and its papers is shipped', () => {
    const files = runOrThrow('tar', ['-tf', join(directory, `photon-gateway-${version}.tgz`)], directory)
      .trim()
      .split('\n');
    for (const file of files) {
      assert.match(file, /^package\/(dist\/.+\.(js|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/);
    }
  });
});

const CONFIG_AS_PROGRAM = `
import { defineConfig } from 'photon-gateway';
const port: number = 8080;
export default defineConfig({
  server: { http_addr: \`:\${port}\` },
  load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:3000' }] } } },
  routes: [{ path: '/**', backend: 'web' }],
});
`;

/** The upstream's port is one where nothing listens: that the gateway answers is all that is asked here. */
const USE_AS_LIBRARY = `
import { writeFileSync } from 'node:fs';
import { createGateway } from 'photon-gateway';
writeFileSync('config.json', JSON.stringify({
  server: { http_addr: '127.0.0.1:0', workers: 1 },
  load_balancing: { backends: { origin: { upstreams: [{ address: '127.0.0.1:1' }] } } },
  routes: [{ path: '/**' }],
  access_log: { enabled: false },
}));
const gateway = createGateway('config.json', { logLevel: 'silent' });
const { addresses: [{ port }] } = await gateway.start();
const reply = await fetch('http://127.0.0.1:' + port);
console.log(reply.status, reply.headers.get('content-type'));
await gateway.drain();
`;

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findTestGroups } from '../../scripts/test-groups.ts';

const PASS = "import { test } from 'node:test';\ntest('passes', () => {});\n";
const FAIL = "import { test } from 'node:test';\ntest('fails', () => { throw new Error('on purpose'); });\n";
const PASS_ON_ASKED = `${PASS}console.log('transport: ' + process.env.PHOTON_TRANSPORT);\n`;
const PASS_ON_ONREAD = `${PASS}console.log('transport: onread');\n`;
const PASS_WITHOUT_GATEWAY = PASS;

const RUN = `
import { findTestGroups } from '${new URL('../../scripts/test-groups.ts', import.meta.url)}';
import { runTestGroups } from '${new URL('../../scripts/test-report.ts', import.meta.url)}';
const groups = findTestGroups('.').filter(({ name }) => process.argv.includes(name));
process.exitCode = (await runTestGroups(groups, process.cwd())) ? 0 : 1;
`;

function writeProject(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'photon-run-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

/** Runs the named groups as `npm test` does; returns the exit code and what was printed. */
function runGroups(directory: string, ...names: readonly string[]) {
  // A test file that runs tests would report to its parent instead of running them.
  const { NODE_TEST_CONTEXT: _, PHOTON_TRANSPORT: __, ...env } = process.env;
  writeFileSync(join(directory, 'run.mjs'), RUN);
  const { status, stdout } = spawnSync(process.execPath, ['run.mjs', ...names], {
    cwd: directory,
    encoding: 'utf8',
    env,
  });
  return { code: status, stdout };
}

test('every test file belongs to one group, and what goes over the wire is tested over TLS too', (t) => {
  const directory = writeProject(t, {
    'test/routing/a.test.ts': PASS,
    'test/routing/b.test.ts': `import fc from 'fast-check';\n${PASS}`,
    'test/wire/c.test.ts': PASS,
    'test/wire/h1/g.test.ts': PASS,
    'test/net/d.test.ts': PASS,
    'test/new-folder/e.test.ts': PASS,
    'test/support/f.ts': PASS,
  });
  const found = findTestGroups(directory).filter(({ files }) => files.length > 0);
  assert.deepEqual(found, [
    {
      name: 'unit',
      files: ['test/new-folder/e.test.ts', 'test/routing/a.test.ts'],
      usesSockets: false,
      filesOverTls: [],
    },
    { name: 'property', files: ['test/routing/b.test.ts'], usesSockets: false, filesOverTls: [] },
    {
      name: 'wire',
      files: ['test/net/d.test.ts', 'test/wire/c.test.ts', 'test/wire/h1/g.test.ts'],
      usesSockets: true,
      filesOverTls: ['test/wire/c.test.ts'],
    },
  ]);
});

test('the last lines of a run are one summary over all groups', (t) => {
  const directory = writeProject(t, { 'test/a.test.ts': PASS, 'test/net/b.test.ts': PASS_ON_ASKED });
  const { code, stdout } = runGroups(directory, 'unit', 'wire');
  assert.equal(code, 0, stdout);
  assert.match(stdout, /\ntransport: onread\n[\s\S]*\ntransport: plain\n/);
  assert.match(stdout, /\ntransports: onread \(1 tests\), plain \(1 tests\)\n/);
  assert.match(
    stdout,
    /\nℹ tests 3\nℹ suites 0\nℹ pass 3\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms [\d.]+\n$/,
  );
  assert.equal(stdout.match(/ℹ pass/g)?.length, 1);
});

test('wire tests run on both transports, without TLS and over it', (t) => {
  const text = `${PASS_ON_ASKED}console.log('TLS: ' + process.env.PHOTON_WIRE_TLS);\n`;
  const { code, stdout } = runGroups(writeProject(t, { 'test/wire/a.test.ts': text }), 'wire');
  assert.equal(code, 0, stdout);
  assert.deepEqual(stdout.match(/^(transport|TLS): .*$/gm), [
    ...['transport: onread', 'TLS: ', 'transport: plain', 'TLS: '],
    ...['transport: onread', 'TLS: 1', 'transport: plain', 'TLS: 1'],
  ]);
});

test('all files of a run share what Node has compiled, and nothing of it is left', (t) => {
  const text = `${PASS}console.log('cache: ' + process.env.NODE_COMPILE_CACHE);\n`;
  const { code, stdout } = runGroups(
    writeProject(t, { 'test/a.test.ts': text, 'test/house/b.test.ts': text }),
    'unit',
    'house',
  );
  assert.equal(code, 0, stdout);
  const [first = '', second] = Array.from(stdout.matchAll(/^cache: (.+)$/gm), ([, path]) => path);
  assert.equal(first, second);
  assert.equal(dirname(first), tmpdir());
  assert.ok(!existsSync(first));
});

test('a failing test fails the run, is shown, and no later group runs', (t) => {
  const directory = writeProject(t, { 'test/a.test.ts': FAIL, 'test/house/b.test.ts': PASS });
  const { code, stdout } = runGroups(directory, 'unit', 'house');
  assert.equal(code, 1);
  assert.match(stdout, /on purpose/);
  assert.match(stdout, /ℹ tests 1\n[\s\S]*ℹ fail 1\n/);
});

test('a file that cannot be loaded fails the run', (t) => {
  const directory = writeProject(t, { 'test/a.test.ts': 'this is not TypeScript' });
  assert.equal(runGroups(directory, 'unit').code, 1);
});

test('a group without a file fails the run: it would be silent for ever', (t) => {
  const { code, stdout } = runGroups(writeProject(t, { 'test/a.test.ts': PASS }), 'wire');
  assert.equal(code, 1);
  assert.match(stdout, /Cannot run the wire tests/);
});

for (const [why, text] of [
  ['use the wrong transport', PASS_ON_ONREAD],
  ['open no gateway at all', PASS_WITHOUT_GATEWAY],
] as const) {
  test(`socket tests that ${why} fail the run`, (t) => {
    const { code, stdout } = runGroups(writeProject(t, { 'test/wire/a.test.ts': text }), 'wire');
    assert.equal(code, 1, stdout);
    assert.match(stdout, /Cannot accept this run: .*plain/);
  });
}

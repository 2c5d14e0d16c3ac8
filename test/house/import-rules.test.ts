import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

type Files = Readonly<Record<string, string>>;

/** A directory with these files, the project's rules and its packages. */
function writeProject(t: TestContext, files: Files): string {
  const directory = mkdtempSync(join(tmpdir(), 'photon-rules-'));
  t.after(() => rmSync(directory, { recursive: true }));
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

function runNode(args: readonly string[], cwd: string): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

const checkRules = (directory: string) =>
  runNode(
    [join(ROOT, 'node_modules/.bin/depcruise'), '--config', join(ROOT, '.dependency-cruiser.mjs'), 'src'],
    directory,
  );

const findCycles = (directory: string) =>
  runNode(['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts/import-cycles.ts'), 'src'], directory);

/** All that `file` loads before it runs, by what is named in imports: files of src/, and packages. */
function loadedBefore(file: string, found = new Set<string>()): ReadonlySet<string> {
  found.add(file);
  const text = readFileSync(join(ROOT, file), 'utf8');
  for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type\b)[^;]*?'([^']+)';$/gm)) {
    const path = name.startsWith('.') ? join(dirname(file), name) : name;
    if (path !== name && !found.has(path)) loadedBefore(path, found);
    found.add(path);
  }
  return found;
}

/** Files that are there to be imported. */
const TARGETS: Files = {
  'src/base/clock.ts': 'export interface Clock {}\nexport const clock = 1;\n',
  'src/http/date.ts': 'export const date = 1;\n',
  'src/net/socket.ts': 'export interface Socket {}\nexport const socket = 1;\n',
  'src/main.ts': 'export const main = 1;\n',
  'src/attic/box.ts': 'export const box = 1;\n',
  'test/support.ts': 'export const support = 1;\n',
};

const FORBIDDEN = [
  { from: 'src/base/a.ts', text: "import { date } from '../http/date.ts'", rule: 'rows-base', why: 'a later row' },
  { from: 'src/base/b.ts', text: "import type { Socket } from '../net/socket.ts'", rule: 'rows-base', why: 'a type' },
  { from: 'src/base/c.ts', text: "export { date } from '../http/date.ts'", rule: 'rows-base', why: 'a re-export' },
  { from: 'src/base/d.ts', text: "await import('../http/date.ts')", rule: 'rows-base', why: 'a dynamic import' },
  { from: 'src/routing/a.ts', text: "import '../net/socket.ts'", rule: 'rows-routing', why: 'sideways' },
  { from: 'src/worker/a.ts', text: "import '../control/b.ts'", rule: 'rows-worker', why: 'sideways, the other plane' },
  { from: 'src/control/b.ts', text: "import 'node:tls'", rule: 'sockets-in-net', why: 'sockets belong to net/' },
  { from: 'src/pipeline/a.ts', text: "import type { Socket } from 'node:net'", rule: 'sockets-in-net', why: 'a type' },
  { from: 'src/pipeline/b.ts', text: "import { request } from 'http'", rule: 'sockets-in-net', why: 'without node:' },
  { from: 'src/cli/a.ts', text: "import '../main.ts'", rule: 'rows-cli', why: 'a door' },
  { from: 'src/index.ts', text: "import './main.ts'", rule: 'doors', why: 'a door through a door' },
  { from: 'src/attic/a.ts', text: "import './box.ts'", rule: 'known-folders', why: 'a folder without a row' },
  { from: 'src/cli/b.ts', text: "import 'fast-check'", rule: 'runtime-dependencies-only', why: 'a devDependency' },
  { from: 'src/cli/c.ts', text: "import '../../test/support.ts'", rule: 'src-stands-alone', why: 'test code' },
  { from: 'src/cli/d.ts', text: "import './nowhere.ts'", rule: 'resolvable', why: 'no such file' },
];

const ALLOWED: Files = {
  'src/net/a.ts': "import 'node:net';\nimport '../base/clock.ts';\nimport './socket.ts';\n",
  'src/control/admin/a.ts': "import { createServer } from 'node:http';\n",
  'src/cli/e.ts': "import 'commander';\nimport 'node:fs';\nimport '../net/socket.ts';\n",
};

test('the rows bite: every forbidden import is reported under its rule, and no allowed one is', (t) => {
  const forbidden = Object.fromEntries(FORBIDDEN.map(({ from, text }) => [from, `${text};\n`]));
  const { code, output } = checkRules(writeProject(t, { ...TARGETS, ...ALLOWED, ...forbidden }));
  const reported = [...output.matchAll(/error ([\w-]+): (\S+) →/g)].map(([, rule, from]) => `${from} ${rule}`);
  assert.notEqual(code, 0);
  assert.deepEqual(reported.toSorted(), FORBIDDEN.map(({ from, rule }) => `${from} ${rule}`).toSorted(), output);
});

test('a tree without a forbidden import passes', (t) => {
  const { code, output } = checkRules(writeProject(t, { ...TARGETS, ...ALLOWED }));
  assert.equal(code, 0, output);
});

test('two files that need each other at run time are a cycle', (t) => {
  const { code, output } = findCycles(
    writeProject(t, {
      'src/base/a.ts': "import { b } from './b.ts';\nexport const a = () => b;\n",
      'src/base/b.ts': "import { a } from './a.ts';\nexport const b = () => a;\n",
    }),
  );
  assert.equal(code, 1);
  assert.match(output, /import cycle: base\/a\.ts -> base\/b\.ts/);
});

test('a type may point back', (t) => {
  const { code, output } = findCycles(
    writeProject(t, {
      'src/base/a.ts': "import { b } from './b.ts';\nexport interface A { b: typeof b }\n",
      'src/base/b.ts': "import type { A } from './a.ts';\nexport const b = (a: A) => a;\n",
    }),
  );
  assert.equal(code, 0, output);
});

test('no type is imported within an expression, where the rules do not see it', () => {
  for (const file of globSync('src/**/*.ts', { cwd: ROOT })) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    assert.doesNotMatch(text, /(?<!await )\bimport\(/, file);
  }
});

test('a gateway that starts does not load what reads configurations: that is for another process, and takes long', () => {
  for (const file of [
    'src/cli/main.ts',
    'src/control/compiler.ts',
    'src/cli/commands/serve.ts',
    'src/worker/thread.ts',
  ]) {
    const loaded = loadedBefore(file);
    assert.deepEqual(
      ['zod', 'yaml', 'toml-eslint-parser', 'src/config/load.ts'].filter((name) => loaded.has(name)),
      [],
      file,
    );
  }
  assert.ok(loadedBefore('src/control/compile.ts').has('zod'));
});

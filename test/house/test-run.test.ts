import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHECKS } from '../../scripts/test/checks.ts';
import { CHOSEN, SLOW } from '../../scripts/test/quick.ts';
import { select } from '../../scripts/test/selection.ts';
import { findTestGroups, passesOf, type TestGroup, type TestPass } from '../../scripts/test/test-groups.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const PASS = "import { test } from 'node:test';\ntest('passes', () => {});\n";
const FAIL = "import { test } from 'node:test';\ntest('fails', () => { throw new Error('on purpose'); });\n";
const PASS_ON_ASKED = `${PASS}console.log('transport: ' + process.env.PHOTON_TRANSPORT);\n`;
const PASS_ON_ONREAD = `${PASS}console.log('transport: onread');\n`;
const PASS_WITHOUT_GATEWAY = PASS;

/** A project with the given test files and the scripts of this one. */
function writeProject(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'photon-run-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(join(ROOT, 'scripts'), join(directory, 'scripts'), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(directory, 'temporary'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

/** The environment of a run. A test file that runs tests would report to its parent, if it knew of it. */
function environment(directory: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, PHOTON_TRANSPORT: __, PHOTON_WIRE_TLS: ___, INIT_CWD: ____, ...own } = process.env;
  return { ...own, TMPDIR: join(directory, 'temporary'), ...env };
}

/** Does what `npm test -- ARGS` does; returns the exit code and what was printed. */
function runTests(directory: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/test.ts', ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: environment(directory, env),
  });
  assert.deepEqual(readdirSync(join(directory, 'temporary')), [], 'the run left something');
  return { code: status, stdout, stderr };
}

/** The part of the output that says what failed. */
const endOf = (stdout: string): string => stdout.slice(stdout.indexOf('\nWhat failed, and how to repeat it:\n'));

/** The names of the tests that passed or failed, in order. */
const resultsOf = (stdout: string): string[] =>
  Array.from(stdout.matchAll(/^ *[✔✖] (.+) \([\d.]+ms\)$/gm), ([, name = '']) => name);

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
      fillsMachine: false,
      filesOverTls: [],
    },
    { name: 'property', files: ['test/routing/b.test.ts'], usesSockets: false, fillsMachine: false, filesOverTls: [] },
    {
      name: 'wire',
      files: ['test/net/d.test.ts', 'test/wire/c.test.ts', 'test/wire/h1/g.test.ts'],
      usesSockets: true,
      fillsMachine: false,
      filesOverTls: ['test/wire/c.test.ts'],
    },
  ]);
});

test('the last lines of a run are one summary over all groups', (t) => {
  const directory = writeProject(t, { 'test/a.test.ts': PASS, 'test/net/b.test.ts': PASS_ON_ASKED });
  const { code, stdout } = runTests(directory, ['unit', 'wire']);
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
  const { code, stdout } = runTests(writeProject(t, { 'test/wire/a.test.ts': text }), ['wire']);
  assert.equal(code, 0, stdout);
  const seen = Array.from(stdout.matchAll(/^transport: (.*)\nTLS: (.*)$/gm), ([, on, tls]) => `${on} ${tls}`);
  assert.deepEqual(seen, ['onread 0', 'plain 0', 'onread 1', 'plain 1']);
});

const GROUPS: readonly TestGroup[] = [
  { name: 'unit', files: ['test/base/alpha.test.ts'], usesSockets: false, fillsMachine: false, filesOverTls: [] },
  {
    name: 'wire',
    files: ['test/net/bravo.test.ts', 'test/wire/charlie.test.ts'],
    usesSockets: true,
    fillsMachine: false,
    filesOverTls: ['test/wire/charlie.test.ts'],
  },
];
const BRAVO = ['bravo on onread', 'bravo on plain'];
const CHARLIE = ['charlie on onread', 'charlie on plain', 'charlie on onread over TLS', 'charlie on plain over TLS'];

interface Choice {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly runs: readonly string[];
  readonly why: string;
}

const CHOICES: readonly Choice[] = [
  { args: ['unit'], runs: ['alpha'], why: 'a group' },
  { args: ['test/wire/charlie.test.ts'], runs: CHARLIE, why: 'a file, in all ways of its group' },
  { args: ['test/wire'], runs: CHARLIE, why: 'a folder' },
  { args: ['test/wire/'], runs: CHARLIE, why: 'a folder with a slash' },
  { args: ['test/net/bravo.test.ts', 'test/base'], runs: ['alpha', ...BRAVO], why: 'a file and a folder' },
  { args: ['unit', 'test/net'], runs: ['alpha', ...BRAVO], why: 'a group and a folder' },
  {
    args: ['charlie.test.ts'],
    env: { INIT_CWD: '/project/test/wire' },
    runs: CHARLIE,
    why: 'a file, named from the folder in which npm was called',
  },
  { args: ['--name', 'a name'], runs: ['alpha', ...BRAVO, ...CHARLIE], why: 'tests by name in all files' },
  {
    args: ['test/wire'],
    env: { PHOTON_TRANSPORT: 'plain' },
    runs: ['charlie on plain', 'charlie on plain over TLS'],
    why: 'one transport',
  },
  {
    args: ['test/wire'],
    env: { PHOTON_TRANSPORT: 'onread', PHOTON_WIRE_TLS: '1' },
    runs: ['charlie on onread over TLS'],
    why: 'one transport over TLS',
  },
  { args: ['test'], env: { PHOTON_WIRE_TLS: '1' }, runs: ['alpha', ...CHARLIE.slice(2)], why: 'over TLS only' },
  { args: ['wire'], env: { PHOTON_WIRE_TLS: '0' }, runs: [...BRAVO, ...CHARLIE.slice(0, 2)], why: 'without TLS' },
];

for (const { args, env = {}, runs, why } of CHOICES) {
  const set = Object.entries(env).map(([name, value]) => `${name}=${value} `);
  test(`${set.join('')}npm test -- ${args.join(' ')} runs ${why}`, () => {
    const { groups, ways } = select({ args, env, root: '/project', groups: GROUPS });
    const seen = groups.flatMap((group) => passesOf(group, ways)).flatMap(describePass);
    assert.deepEqual(seen.toSorted(), runs.toSorted());
  });
}

function describePass({ files, transport, overTls }: TestPass): string[] {
  const way = `${transport === null ? '' : ` on ${transport}`}${overTls ? ' over TLS' : ''}`;
  return files.map((file) => `${basename(file, '.test.ts')}${way}`);
}

test('nothing asked for means every check and every group, whole', () => {
  const { checks, groups, isWhole, name } = select({ args: [], env: {}, root: '/project', groups: GROUPS });
  assert.deepEqual({ checks, groups, isWhole, name }, { checks: CHECKS, groups: GROUPS, isWhole: true, name: null });
});

test('quick runs every check, and a choice of files that are there, in one way', () => {
  const all = findTestGroups(ROOT);
  const { checks, groups, ways } = select({ args: ['quick'], env: {}, root: ROOT, groups: all });
  assert.deepEqual(checks, CHECKS);
  assert.deepEqual(ways, { transports: ['onread'], overTls: [false] });
  assert.deepEqual(
    groups.map(({ name }) => name),
    ['unit', 'property', 'processes', 'wire'],
  );
  const files = all.flatMap((group) => group.files);
  for (const path of [...SLOW, ...Object.values(CHOSEN).flat()]) {
    assert.ok(
      files.some((file) => file.startsWith(path)),
      `${path} is gone`,
    );
  }
  for (const path of SLOW) {
    assert.ok(!groups.some((group) => group.files.some((file) => file.startsWith(path))), `${path} is slow`);
  }
});

interface Mistake {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly message: RegExp;
  readonly why: string;
}

const MISTAKES: readonly Mistake[] = [
  { args: ['test/missing.test.ts'], message: /^Cannot run "test\/missing.test.ts": want a test file/, why: 'no file' },
  { args: ['test/wir'], message: /^Cannot run "test\/wir"/, why: 'the beginning of a folder' },
  { args: ['wiring'], message: /, unit, wire\.$/, why: 'an unknown step' },
  { args: ['--fast'], message: /^Unknown option '--fast'/, why: 'an unknown option' },
  { args: ['quick', 'unit'], message: /^Cannot run "quick" and something else/, why: 'quick and a step' },
  {
    args: ['wire'],
    env: { PHOTON_TRANSPORT: 'pigeon' },
    message: /^Cannot use PHOTON_TRANSPORT: want onread or plain, got "pigeon"/,
    why: 'an unknown transport',
  },
  {
    args: ['wire'],
    env: { PHOTON_WIRE_TLS: 'yes' },
    message: /^Cannot use PHOTON_WIRE_TLS: want 0 or 1, got "yes"/,
    why: 'neither with TLS nor without',
  },
];

for (const { args, env = {}, message, why } of MISTAKES) {
  test(`wrong arguments of npm test are refused: ${why}`, () => {
    assert.throws(() => select({ args, env, root: '/project', groups: GROUPS }), { message });
  });
}

test('wrong arguments are refused before anything runs', (t) => {
  const { code, stdout, stderr } = runTests(writeProject(t, { 'test/a.test.ts': PASS }), ['unti']);
  assert.equal(code, 2, stdout);
  assert.equal(stdout, '');
  assert.match(stderr, /^Cannot run "unti"/);
});

test('several files and steps run in one go, each file in the ways of its group', (t) => {
  const directory = writeProject(t, {
    'test/alpha.test.ts': PASS.replace('passes', 'alpha'),
    'test/bravo.test.ts': PASS.replace('passes', 'bravo'),
    'test/wire/charlie.test.ts': PASS.replace('passes', 'charlie'),
    'test/house/delta.test.ts': PASS.replace('passes', 'delta'),
  });
  const { code, stdout } = runTests(directory, ['house', 'test/wire/charlie.test.ts', 'test/alpha.test.ts']);
  assert.equal(code, 0, stdout);
  assert.deepEqual(resultsOf(stdout), ['alpha', 'delta', 'charlie', 'charlie', 'charlie', 'charlie']);
});

const NAMED = `
import { describe, test } from 'node:test';
test('a request is sent (again)', () => {});
describe('a queue', () => {
  test('is full', () => {});
  test('is empty', () => {});
});
`;

for (const { name, ran } of [
  { name: 'is sent (again)', ran: ['a request is sent (again)'] },
  { name: 'queue is full', ran: ['is full'] },
]) {
  test(`--name runs the tests with the text in their full name: ${name}`, (t) => {
    const files = { 'test/alpha.test.ts': NAMED, 'test/bravo.test.ts': PASS };
    const { code, stdout } = runTests(writeProject(t, files), ['--name', name]);
    assert.equal(code, 0, stdout);
    assert.deepEqual(
      resultsOf(stdout).filter((each) => each !== 'a queue'),
      ran,
    );
    assert.match(stdout, new RegExp(`\\nℹ tests ${ran.length}\\n`));
  });
}

test('a run fails when no test has the name', (t) => {
  const { code, stdout } = runTests(writeProject(t, { 'test/a.test.ts': PASS }), ['unit', '--name', 'nothing like it']);
  assert.equal(code, 1);
  assert.match(endOf(stdout), /Cannot find a test with "nothing like it" in its name\./);
});

test('all files of a run share what Node has compiled, and nothing of it is left', (t) => {
  const text = `${PASS}console.log('cache: ' + process.env.NODE_COMPILE_CACHE);\n`;
  const directory = writeProject(t, { 'test/a.test.ts': text, 'test/house/b.test.ts': text });
  const { code, stdout } = runTests(directory, ['unit', 'house']);
  assert.equal(code, 0, stdout);
  const [first = '', second] = Array.from(stdout.matchAll(/^cache: (.+)$/gm), ([, path]) => path);
  assert.equal(first, second);
  assert.equal(dirname(dirname(first)), join(directory, 'temporary'));
  assert.ok(!existsSync(first));
});

test('a failing test fails the run, and the later groups run all the same', (t) => {
  const directory = writeProject(t, { 'test/a.test.ts': FAIL, 'test/house/b.test.ts': PASS });
  const { code, stdout } = runTests(directory, ['unit', 'house']);
  assert.equal(code, 1);
  assert.match(stdout, /on purpose/);
  assert.match(stdout, /\nℹ tests 2\nℹ suites 0\nℹ pass 1\nℹ fail 1\n/);
});

const FAILING = `import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import '../support/seed.ts';

describe('a queue', () => {
  test("is 'full'", () => {
    assert.equal(process.env.PHOTON_TRANSPORT + process.env.PHOTON_WIRE_TLS, 'onread0');
  });
  test('is empty', () => {});
});
`;

test('the output ends with each test that failed, its place, the reason and the command that repeats it', (t) => {
  const directory = writeProject(t, { 'test/wire/queue.test.ts': FAILING, 'test/support/seed.ts': '' });
  const { code, stdout } = runTests(directory, ['test/wire'], { PHOTON_FUZZ_SEED: '4711', PHOTON_TRANSPORT: 'onread' });
  assert.equal(code, 1);
  assert.equal(
    endOf(stdout),
    `
What failed, and how to repeat it:

✖ a queue > is 'full'
  test/wire/queue.test.ts:6, failed at line 7 (transport onread, over TLS)
  Expected values to be strictly equal: + 'onread1' - 'onread0'
  PHOTON_TRANSPORT=onread PHOTON_WIRE_TLS=1 PHOTON_FUZZ_SEED=4711 npm test -- test/wire/queue.test.ts --name 'a queue is '\\''full'\\'''
`,
  );
  const command = /^ {2}(PHOTON.*)$/m.exec(endOf(stdout))?.[1] ?? '';
  const repeated = spawnSync('sh', ['-c', command.replace('npm test --', `'${process.execPath}' scripts/test.ts`)], {
    cwd: directory,
    encoding: 'utf8',
    env: environment(directory, {}),
  });
  assert.equal(repeated.status, 1, repeated.stderr);
  assert.match(repeated.stdout, /\nℹ tests 1\nℹ suites 1\nℹ pass 0\nℹ fail 1\n/);
  assert.equal(endOf(repeated.stdout), endOf(stdout));
});

const BY_ANOTHER_FILE = `import { test } from 'node:test';
export const wire = (name, script) => test(name, script);
`;
const WIRE_TEST = `import { wire } from '../support/wire.ts';

wire('a request is answered', async () => {
  await null;
  throw new Error('no answer');
});
`;

test('a test that another file registers has its place where it is written', (t) => {
  const files = { 'test/base/request.test.ts': WIRE_TEST, 'test/support/wire.ts': BY_ANOTHER_FILE };
  const { stdout } = runTests(writeProject(t, files), ['unit']);
  assert.match(endOf(stdout), /^✖ a request is answered\n {2}test\/base\/request\.test\.ts:3, failed at line 5\n/m);
});

const UNFINISHED = [
  {
    file: 'test/house/never-ends.test.ts',
    text: "import { test } from 'node:test';\ntest('waits', () => new Promise(() => { setInterval(() => {}, 1e6); }));\n",
    reason: 'The file said nothing for 20 s and was stopped; these tests did not end: "waits"',
  },
  {
    file: 'test/house/stays-open.test.ts',
    text: `${PASS}setInterval(() => {}, 1e6);\n`,
    reason: 'The file said nothing for 20 s and was stopped; its tests have ended, and something is still open',
  },
  {
    file: 'test/house/crashes.test.ts',
    text: "import { test } from 'node:test';\ntest('crashes', () => process.kill(process.pid, 'SIGKILL'));\n",
    reason: 'The process of the file ended by SIGKILL',
  },
  {
    file: 'test/house/not-typescript.test.ts',
    text: 'this is not TypeScript',
    reason: 'The process of the file ended with exit code 1',
  },
];

test('a file that does not come to its end fails the run, with the command that repeats it, and the next file runs', (t) => {
  const files = Object.fromEntries(UNFINISHED.map(({ file, text }) => [file, text]));
  const directory = writeProject(t, { ...files, 'test/house/well.test.ts': PASS.replace('passes', 'is well') });
  const { code, stdout } = runTests(directory, ['house'], { PHOTON_TEST_SILENCE_MS: '20000' });
  assert.equal(code, 1);
  assert.ok(resultsOf(stdout).includes('is well'), stdout);
  for (const { file, reason } of UNFINISHED) {
    const entry = `✖ ${file}\n  ${file}\n  ${reason}\n  npm test -- ${file}\n`;
    assert.ok(endOf(stdout).includes(entry), `${entry} is not in ${endOf(stdout)}`);
  }
});

const LEAVES_A_FILE = `${PASS}
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
mkdirSync(tmpdir() + '/forgotten');
`;
const SLEEP = `import { spawn } from 'node:child_process';
spawn('sleep', ['5000'], { detached: true, stdio: 'ignore' }).unref();
`;

for (const { text, left, why } of [
  { text: LEAVES_A_FILE, left: /It left forgotten in the temporary directory/, why: 'a folder' },
  { text: `${PASS}${SLEEP}`, left: /It left process \d+ \(sleep 5000\)/, why: 'a process' },
]) {
  test(`a file that leaves something fails, and the run removes it: ${why}`, (t) => {
    const directory = writeProject(t, { 'test/alpha.test.ts': text });
    const { code, stdout } = runTests(directory, ['unit'], { PHOTON_TEST_ENDING_MS: '200' });
    assert.equal(code, 1);
    assert.match(endOf(stdout), /^✖ test\/alpha\.test\.ts leaves nothing behind$/m);
    assert.match(endOf(stdout), left);
    assert.match(stdout, /\nℹ tests 2\nℹ suites 0\nℹ pass 1\nℹ fail 1\n/);
    assert.deepEqual(sleepers(directory), []);
  });
}

/** The ids of processes that a test of the project has started and that still run. */
function sleepers(directory: string): string[] {
  const { stdout } = spawnSync('grep', ['-lsaF', `TMPDIR=${directory}`, ...environsOfSleepers()], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

function environsOfSleepers(): string[] {
  const { stdout } = spawnSync('pgrep', ['-x', 'sleep'], { encoding: 'utf8' });
  return [
    '/dev/null',
    ...stdout
      .split('\n')
      .filter(Boolean)
      .map((pid) => `/proc/${pid}/environ`),
  ];
}

const FAILS_THEN_WAITS = `import { test } from 'node:test';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
${SLEEP}
test('fails', () => { throw new Error('on purpose'); });
test('waits', async () => {
  mkdtempSync(tmpdir() + '/in-use-');
  console.log('it waits');
  await new Promise(() => { setInterval(() => {}, 1e6); });
});
`;

/** The run has heard of the test that failed, and of the one that never ends: they come by different ways, in any order. */
const hasBegun = (stdout: string): boolean => stdout.includes('✖ fails') && stdout.includes('it waits');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`a run that ends by ${signal} says what has failed so far and leaves no file and no process`, async (t) => {
    const directory = writeProject(t, {
      'test/control/alpha.test.ts': FAILS_THEN_WAITS,
      'test/net/bravo.test.ts': PASS,
    });
    const child = spawn(process.execPath, ['scripts/test.ts', 'processes', 'wire'], {
      cwd: directory,
      env: environment(directory, {}),
    });
    let stdout = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      const waitedBefore = hasBegun(stdout);
      stdout += text;
      if (hasBegun(stdout) && !waitedBefore) {
        child.kill(signal);
      }
    }
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    assert.equal(code, { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal]);
    assert.match(endOf(stdout), /^✖ fails\n.*\n {2}on purpose\n/m);
    assert.doesNotMatch(endOf(stdout), /waits|bravo/);
    assert.match(stdout, /^Interrupted in test\/control\/alpha\.test\.ts: /m);
    assert.match(stdout, /\nℹ tests 2\nℹ suites 0\nℹ pass 0\nℹ fail 1\nℹ cancelled 1\n/);
    assert.deepEqual(readdirSync(join(directory, 'temporary')), []);
    assert.deepEqual(sleepers(directory), []);
  });
}

test('a signal to npm reaches what it runs: the shell between them gives way to it', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  for (const [name, command] of Object.entries(scripts)) {
    if (String(command).includes('scripts/setup.mjs ')) {
      assert.match(command, /^exec node scripts\/setup\.mjs /, name);
    }
  }
});

test('the seed of a run reaches the properties, and is printed', (t) => {
  const property = `import fc from 'fast-check';
import { test } from 'node:test';
test('draws', () => { console.log('drawn: ' + fc.sample(fc.nat(), 3).join() + ' ' + fc.readConfigureGlobal().seed); });
`;
  const directory = writeProject(t, { 'test/alpha.test.ts': property });
  const { stdout } = runTests(directory, ['property']);
  const seed = /^PHOTON_FUZZ_SEED=(\d+)$/m.exec(stdout)?.[1];
  const drawn = /^drawn: .*$/m.exec(stdout)?.[0];
  assert.equal(drawn?.split(' ').at(-1), seed);
  assert.equal(/^drawn: .*$/m.exec(runTests(directory, ['property'], { PHOTON_FUZZ_SEED: seed }).stdout)?.[0], drawn);
});

test('a group without a file fails the run: it would be silent for ever', (t) => {
  const { code, stdout } = runTests(writeProject(t, { 'test/a.test.ts': PASS }), ['wire']);
  assert.equal(code, 1);
  assert.match(stdout, /Cannot run the wire tests/);
});

for (const [why, text] of [
  ['use the wrong transport', PASS_ON_ONREAD],
  ['open no gateway at all', PASS_WITHOUT_GATEWAY],
] as const) {
  test(`socket tests that ${why} fail the run`, (t) => {
    const { code, stdout } = runTests(writeProject(t, { 'test/wire/a.test.ts': text }), ['wire']);
    assert.equal(code, 1, stdout);
    assert.match(endOf(stdout), /Cannot accept this run: .*plain/);
  });
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PhotonError } from '../../src/base/errors.ts';
import { ModuleLoader } from '../../src/middleware/custom/module-loader.ts';
import { runAs } from '../../src/middleware/custom/running-middleware.ts';
import { MiddlewareFaults, ownersOf } from '../../src/worker/middleware-faults.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-faults-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** Three middleware: `one` and `two` have a module in common, and `three` is named by a link. */
async function load(): Promise<{ readonly loader: ModuleLoader; readonly errors: Readonly<Record<string, Error>> }> {
  write('deep.ts', 'export const deep = (): Error => new Error("oops");');
  write('shared.ts', "export { deep } from './deep.ts';\nexport const shared = (): Error => new Error('oops');");
  write('plain.cjs', 'exports.plain = () => new Error("oops");');
  const module = (own: string, imports: string) =>
    `${imports}\nconst own = (): Error => new Error('oops');\nexport default { name: 'x', create: () => ({ ${own} }) };`;
  const one = write(
    'one.ts',
    module(
      'own, shared, deep, plain',
      `import { shared, deep } from './shared.ts';\nimport { createRequire } from 'node:module';
      const { plain } = createRequire(import.meta.url)('./plain.cjs');`,
    ),
  );
  const two = write('two.ts', module('own', "import './shared.ts';"));
  const third = join(directory, 'third.ts');
  symlinkSync(write('three.ts', module('own', '')), third);
  const loader = new ModuleLoader();
  const errors: Record<string, Error> = {};
  for (const [name, file] of Object.entries({ one, two, three: third })) {
    const hooks = (await loader.load(file, name)).create({}, { name, log: console }) as Record<string, () => Error>;
    for (const [of, make] of Object.entries(hooks)) errors[`${name}.${of}`] = make();
  }
  return { loader, errors };
}

test('the middleware whose fault an error is stands in its stack, or has started what failed', async () => {
  const { loader, errors } = await load();
  const { owners } = loader;
  const noStack = Object.assign(new Error('oops'), { stack: undefined });
  const likeTheirs = new Error(`oops\n    at run (${errors['one.own']?.stack?.match(/file:[^)]*/)?.[0]})`);
  const ofRuntime = await fetch('http://127.0.0.1:1/').catch((error: Error) => error);
  for (const { error, origin = 'uncaughtException', expected, why } of [
    { error: errors['one.own'], expected: ['one'], why: 'its own module' },
    { error: errors['one.shared'], expected: ['one', 'two'], why: 'a module that two import' },
    { error: errors['one.deep'], expected: ['one', 'two'], why: 'a module that is imported by one of those' },
    { error: errors['one.plain'], expected: ['one'], why: 'a module of CommonJS' },
    { error: errors['three.own'], expected: ['three'], why: 'a module behind a link' },
    { error: new Error('oops'), expected: [], why: 'our own code' },
    { error: new Error('oops'), origin: 'unhandledRejection', expected: [], why: 'a promise of our own code' },
    { error: likeTheirs, expected: [], why: 'a message is no stack' },
    {
      error: new PhotonError('not_found', 'oops'),
      origin: 'unhandledRejection',
      expected: [],
      why: 'no stack, and ours',
    },
    { error: noStack, origin: 'unhandledRejection', expected: ['one', 'two', 'three'], why: 'no stack: one of them' },
    { error: 'oops', origin: 'unhandledRejection', expected: ['one', 'two', 'three'], why: 'no error: one of them' },
    { error: ofRuntime, origin: 'unhandledRejection', expected: ['one', 'two', 'three'], why: 'no file in the stack' },
    { error: noStack, expected: [], why: 'what is thrown may be of the runtime, called by us' },
  ] as const) {
    assert.deepEqual(ownersOf(error, origin, owners).toSorted(), [...expected].toSorted(), why);
    assert.deepEqual(
      runAs('two', () => ownersOf(error, origin, owners)),
      ['two'],
      'what it has started',
    );
  }
  assert.deepEqual(ownersOf('oops', 'unhandledRejection', new ModuleLoader().owners), [], 'there are none');
});

const hookOf = (middleware: string) => ({ middleware, hook: 'onRequest', requestId: '8f3a', route: 'shop' }) as const;

test('the faults of a middleware are told ten times in ten seconds, then with how many there were, and not those of others', () => {
  const lines: { readonly middleware?: unknown; readonly failures?: unknown }[] = [];
  const time = { nowMs: 0 };
  const faults = new MiddlewareFaults(time, { error: (_event, fields) => lines.push(fields) });
  for (let n = 0; n < 1000; n++) faults.log(hookOf('stormy'), new Error('oops'));
  assert.equal(lines.length, 10);
  faults.log(hookOf('quiet'), new Error('oops'));
  assert.equal(lines.at(-1)?.middleware, 'quiet');
  time.nowMs = 10_000;
  faults.log(hookOf('stormy'), new Error('oops'));
  assert.deepEqual([lines.length, lines.at(-1)?.failures], [12, 991]);
});

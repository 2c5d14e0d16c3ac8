import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CustomContext } from '../../src/middleware/custom/define-middleware.ts';
import { ModuleLoader } from '../../src/middleware/custom/module-loader.ts';
import { settle } from '../support/guard.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-modules-'));
after(() => rmSync(directory, { recursive: true }));

const loader = new ModuleLoader();
const CONTEXT: CustomContext = { name: 'x', log: { info() {}, warn() {}, error() {} } };

let files = 0;

/** A file of its own for every test. */
function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

const fresh = () => `module-${++files}`;

/** What a module says: it replies with a text made when it was loaded. */
async function said(file: string): Promise<unknown> {
  const { create } = await loader.load(file);
  return create({}, CONTEXT).onRequest?.(undefined as never);
}

const COUNTED = 'globalThis.loads = (globalThis.loads ?? 0) + 1;';
const loads = () => (globalThis as { loads?: number }).loads ?? 0;

const speaking = (body: string, imports = '') => `
import { defineMiddleware } from 'photon-gateway';
${imports}
${COUNTED}
export default defineMiddleware({ name: 'x', create: (): object => ({ onRequest: () => ({ body: ${body} }) }) });
`;

test('a module in TypeScript is run without a build, and gets the package though it is not installed beside it', async () => {
  assert.deepEqual(await said(write(`${fresh()}.ts`, speaking('"one"'))), { body: 'one' });
});

test('a module that has changed is loaded anew, one that has not is not', async () => {
  const file = write(`${fresh()}.ts`, speaking('"one"'));
  await said(file);
  const before = loads();
  assert.deepEqual(await said(file), { body: 'one' });
  assert.equal(loads(), before);
  write(file.slice(directory.length + 1), speaking('"two"'));
  assert.deepEqual(await said(file), { body: 'two' });
  assert.equal(loads(), before + 1);
});

test('a module is loaded anew when what it imports has changed, and what it imports of that; the rest is not', async () => {
  const [top, middle, bottom] = [fresh(), fresh(), fresh()];
  const counted = (text: string) => `${COUNTED}\n${text}`;
  write(`${bottom}.ts`, counted('export const word: string = "one";'));
  write(`${middle}.ts`, counted(`export { word } from './${bottom}.ts';`));
  const other = fresh();
  write(`${other}.ts`, counted('export const other = 1;'));
  const imports = `import { word } from './${middle}.ts';\nimport './${other}.ts';`;
  const file = write(`${top}.ts`, speaking('word', imports));
  assert.deepEqual(await said(file), { body: 'one' });
  const before = loads();
  assert.deepEqual(await said(file), { body: 'one' });
  assert.equal(loads(), before, 'nothing has changed');
  write(`${bottom}.ts`, counted('export const word: string = "two";'));
  assert.deepEqual(await said(file), { body: 'two' });
  assert.equal(loads(), before + 3, 'all but the other one');
  write(`${top}.ts`, speaking('word + "!"', imports));
  assert.deepEqual(await said(file), { body: 'two!' });
  assert.equal(loads(), before + 4, 'nothing but the top');
});

test('a module behind a link is loaded anew when what it imports has changed', async () => {
  const [bottom, link] = [fresh(), join(directory, `${fresh()}.ts`)];
  write(`${bottom}.ts`, 'export const word: string = "one";');
  symlinkSync(write(`${fresh()}.ts`, speaking('word', `import { word } from './${bottom}.ts';`)), link);
  assert.deepEqual(await said(link), { body: 'one' });
  write(`${bottom}.ts`, 'export const word: string = "two";');
  assert.deepEqual(await said(link), { body: 'two' });
});

test('modules that import each other come to an end', async () => {
  const [one, two] = [fresh(), fresh()];
  write(`${two}.ts`, `import './${one}.ts';\nexport const word = 'round';`);
  const file = write(`${one}.ts`, speaking('word', `import { word } from './${two}.ts';`));
  assert.deepEqual(await said(file), { body: 'round' });
  assert.deepEqual(await said(file), { body: 'round' });
});

for (const { text, message, why } of [
  { text: 'export default 7;', message: /export default defineMiddleware/, why: 'no middleware' },
  { text: 'export const a = 1;', message: /export default defineMiddleware/, why: 'no default export' },
  { text: 'throw new Error("at once");', message: /at once/, why: 'an error' },
  { text: 'export default {', message: /./, why: 'no TypeScript' },
  { text: 'import "./not-there.ts";', message: /not-there/, why: 'an import that leads nowhere' },
]) {
  test(`what is no middleware is refused: ${why}`, async () => {
    await assert.rejects(loader.load(write(`${fresh()}.ts`, text)), message);
  });
}

test('a module that failed is loaded again when it was mended', async () => {
  const file = write(`${fresh()}.ts`, 'throw new Error("broken");');
  await assert.rejects(said(file));
  write(file.slice(directory.length + 1), speaking('"mended"'));
  assert.deepEqual(await said(file), { body: 'mended' });
});

test('the same text in two places imports what is beside it', async () => {
  for (const place of ['here', 'there']) {
    mkdirSync(join(directory, place));
    write(`${place}/word.ts`, `export const word: string = '${place}';`);
    write(`${place}/module.ts`, speaking('word', "import { word } from './word.ts';"));
  }
  assert.deepEqual(await said(join(directory, 'here/module.ts')), { body: 'here' });
  assert.deepEqual(await said(join(directory, 'there/module.ts')), { body: 'there' });
});

test('a module that changes while it is loaded is loaded anew the next time, and so is what imports it', async () => {
  const gates = globalThis as { moduleWaits?: Promise<void> };
  const [top, bottom] = [fresh(), fresh()];
  const waiting = (word: string) => `await globalThis.moduleWaits;\nexport const word: string = '${word}';`;
  write(`${bottom}.ts`, waiting('one'));
  const file = write(`${top}.ts`, speaking('word', `import { word } from './${bottom}.ts';`));
  const gate = Promise.withResolvers<void>();
  gates.moduleWaits = gate.promise;
  const first = said(file);
  // It has been read by then: its code waits.
  for (let turn = 0; turn < 50; turn++) await new Promise((done) => setImmediate(done));
  write(`${bottom}.ts`, waiting('two'));
  gate.resolve();
  assert.deepEqual(await first, { body: 'one' });
  assert.deepEqual(await said(file), { body: 'two' });
});

test('a module that failed for a reason that has gone is loaded again, unchanged as it is', async () => {
  const file = write(`${fresh()}.ts`, speaking('"one"', 'if (globalThis.serverIsDown) throw new Error("no answer");'));
  Reflect.set(globalThis, 'serverIsDown', true);
  await assert.rejects(said(file), { message: 'no answer' });
  await assert.rejects(said(file), { message: 'no answer' });
  Reflect.deleteProperty(globalThis, 'serverIsDown');
  assert.deepEqual(await said(file), { body: 'one' });
  const before = loads();
  assert.deepEqual(await said(file), { body: 'one' });
  assert.equal(loads(), before);
});

test('a module whose load was given up is read again, with what it imports', async () => {
  const [top, bottom] = [fresh(), fresh()];
  write(`${bottom}.ts`, 'export const word: string = "one"; await new Promise(() => undefined);');
  const file = write(`${top}.ts`, speaking('word', `import { word } from './${bottom}.ts';`));
  void loader.load(file);
  await settle();
  loader.abandon();
  write(`${bottom}.ts`, 'export const word: string = "two";');
  assert.deepEqual(await said(file), { body: 'two' });
  const before = loads();
  assert.deepEqual(await said(file), { body: 'two' });
  assert.equal(loads(), before);
});

test('a module that comes to its end after its load was given up does not stand for what is loaded by then', async () => {
  const name = `${fresh()}.ts`;
  const gate = Promise.withResolvers<void>();
  Reflect.set(globalThis, 'gate', gate.promise);
  const file = write(name, speaking('"one"', 'await globalThis.gate;'));
  const first = loader.load(file);
  await settle();
  loader.abandon();
  write(name, speaking('"two"', 'await globalThis.gate;'));
  const second = said(file);
  gate.resolve();
  await first;
  assert.deepEqual(await second, { body: 'two' });
  write(name, speaking('"one"', 'await globalThis.gate;'));
  assert.deepEqual(await said(file), { body: 'one' });
});

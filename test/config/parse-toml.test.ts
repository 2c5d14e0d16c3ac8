import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toPlainValue } from '../../src/config/config-node.ts';
import { parseToml } from '../../src/config/parse-toml.ts';

function parse(text: string) {
  const { root, findings } = parseToml(text);
  return { value: root === null ? null : toPlainValue(root, new Map()), codes: findings.map(({ code }) => code) };
}

const READ: readonly (readonly [string, unknown, string])[] = [
  ['a.b.c = 1', { a: { b: { c: 1 } } }, 'dotted keys'],
  ['"a.b" = 1', { 'a.b': 1 }, 'a dot in quotes'],
  ['[a.b]\nc = 1\n[a]\nd = 2', { a: { b: { c: 1 }, d: 2 } }, 'a table after its own table'],
  ['[[a]]\nb = 1\n[[a]]\nb = 2', { a: [{ b: 1 }, { b: 2 }] }, 'a list of tables'],
  [
    '[[a]]\n[[a.b]]\nc = 1\n[[a.b]]\n[[a]]\n[a.b]\nd = 1',
    { a: [{ b: [{ c: 1 }, {}] }, { b: { d: 1 } }] },
    'lists within lists',
  ],
  ['[a]\n[a.b.c]\nd = 1', { a: { b: { c: { d: 1 } } } }, 'tables that only a longer name mentions'],
  ['a = {b = {c.d = 1}, e = [{}]}', { a: { b: { c: { d: 1 } }, e: [{}] } }, 'inline tables'],
  ['a = """\nx\ny"""', { a: 'x\ny' }, 'texts of several lines'],
  ['a = [1_000, 0x10, -1.5, true]', { a: [1000, 16, -1.5, true] }, 'numbers and flags'],
];

for (const [text, value, why] of READ) {
  test(`TOML: ${why}`, () => assert.deepEqual(parse(text), { value, codes: [] }));
}

const REFUSED = [
  { text: 'a = 1\na = 2', code: 'syntax-error', start: 6, why: 'a key comes twice' },
  { text: '[a]\n[a]', code: 'syntax-error', start: 5, why: 'a table comes twice' },
  { text: 'a = {b = 1}\n[a.c]', code: 'syntax-error', start: 13, why: 'an inline table is closed' },
  { text: 'a = ', code: 'syntax-error', start: 4, why: 'no value' },
  { text: 'a = yes', code: 'syntax-error', start: 4, why: 'a text without quotes' },
  { text: 'a = "x', code: 'syntax-error', start: 6, why: 'no closing quote' },
  { text: 'a: 1', code: 'syntax-error', start: 1, why: 'a colon for the equals sign' },
  { text: 'a = 1979-05-27', code: 'wrong-type', start: 4, why: 'no option is a date' },
  { text: 'x.__proto__.a = 1', code: 'reserved-key', start: 2, why: 'a reserved key' },
];

for (const { text, code, start, why } of REFUSED) {
  test(`TOML is refused at its place: ${why}`, () => {
    const { findings } = parseToml(text);
    assert.deepEqual(
      findings.map((finding) => ({ code: finding.code, start: finding.span.start })),
      [{ code, start }],
    );
  });
}

test('nesting has a limit', () => {
  assert.deepEqual(parse(`a = ${'['.repeat(80)}${']'.repeat(80)}`).codes, ['too-complex']);
  assert.deepEqual(parse(`${Array.from({ length: 80 }, () => 'a').join('.')} = 1`).codes, ['too-complex']);
  assert.deepEqual(parse(`[${Array.from({ length: 80 }, () => 'a').join('.')}]`).codes, ['too-complex']);
  assert.deepEqual(parse(`a = ${'['.repeat(50)}${']'.repeat(50)}`).codes, []);
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toPlainValue } from '../../src/config/config-node.ts';
import { parseYaml } from '../../src/config/parse-yaml.ts';

function parse(text: string) {
  const { root, findings } = parseYaml(text);
  return { value: root === null ? null : toPlainValue(root, new Map()), codes: findings.map(({ code }) => code) };
}

const READ: readonly (readonly [string, unknown, string])[] = [
  ['a: yes', { a: 'yes' }, 'yes is a text in YAML 1.2'],
  ['%YAML 1.1\n---\na: yes', { a: 'yes' }, 'also where the file asks for YAML 1.1'],
  ['a: 010', { a: 10 }, 'a leading zero is not octal'],
  ['404: a', { '404': 'a' }, 'keys are texts'],
  ['a: 2024-01-01', { a: '2024-01-01' }, 'a date is a text'],
  ['a: 0x10', { a: 16 }, 'the core schema has hexadecimal numbers'],
  ['{a, b: }', { a: null, b: null }, 'keys may have no value'],
  ['a: &x [1]\nb: *x', { a: [1], b: [1] }, 'aliases stand for their anchors'],
  ['a: &x 1\nb: &x 2\nc: *x', { a: 1, b: 2, c: 2 }, 'the last anchor before an alias counts'],
  ['<<: {a: 1}', { '<<': { a: 1 } }, 'merge keys are ordinary keys'],
];

for (const [text, value, why] of READ) {
  test(`YAML: ${why}`, () => assert.deepEqual(parse(text), { value, codes: [] }));
}

const REFUSED = [
  { text: 'a: 1\na: 2', code: 'duplicate-key', start: 5, why: 'a key comes twice' },
  { text: '1: a\n"1": b', code: 'duplicate-key', start: 5, why: 'a key comes twice in two spellings' },
  { text: 'a: !mine 1', code: 'syntax-error', start: 3, why: 'a tag of its own' },
  { text: 'a: !!binary aGk=', code: 'syntax-error', start: 3, why: 'a tag of another schema' },
  { text: 'a:\n\tb: 1', code: 'syntax-error', start: 3, why: 'a tab for indentation' },
  { text: 'a: 1\n  b: 2', code: 'syntax-error', start: 3, why: 'wrong indentation' },
  { text: 'a: "x', code: 'syntax-error', start: 5, why: 'no closing quote' },
  { text: 'a: [1', code: 'syntax-error', start: 5, why: 'no closing bracket' },
  { text: 'a: *x', code: 'syntax-error', start: 3, why: 'an alias without anchor' },
  { text: 'a: *x\nb: &x 1', code: 'syntax-error', start: 3, why: 'an alias before its anchor' },
  { text: 'a: 1\n---\nb: 2', code: 'syntax-error', start: 5, why: 'a second document' },
  { text: '[1]: a', code: 'syntax-error', start: 0, why: 'a key that is no text' },
  { text: 'a: @b', code: 'syntax-error', start: 3, why: 'a reserved character' },
  { text: 'a: {b: ${C}}', code: 'syntax-error', start: 8, why: 'braces within braces' },
  { text: 'a: b: c', code: 'syntax-error', start: 3, why: 'two keys on one line' },
];

for (const { text, code, start, why } of REFUSED) {
  test(`YAML is refused at its place: ${why}`, () => {
    const { findings } = parseYaml(text);
    assert.deepEqual(
      findings.map((finding) => ({ code: finding.code, start: finding.span.start })),
      [{ code, start }],
    );
  });
}

test('a small file cannot unfold into gigabytes', () => {
  const levels = Array.from({ length: 9 }, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`);
  assert.deepEqual(parse(['a0: &a0 [lol]', ...levels].join('\n')).codes, ['too-complex']);
});

test('an alias within its own anchor comes to an end', () => {
  for (const text of ['a: &x [*x]', 'a: &x { b: *x }', '&x [[*x]]'])
    assert.deepEqual(parse(text).codes, ['too-complex']);
});

test('nesting has a limit', () => {
  assert.deepEqual(parse(`${'['.repeat(80)}${']'.repeat(80)}`).codes, ['too-complex']);
  assert.deepEqual(parse(`${'['.repeat(50)}${']'.repeat(50)}`).codes, []);
});

test('a file with nothing but comments holds nothing', () => {
  for (const text of ['# a\n', '---\n# a\n', '--- \n...\n']) assert.deepEqual(parse(text), { value: null, codes: [] });
});

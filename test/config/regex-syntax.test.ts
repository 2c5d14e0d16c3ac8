import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRegex, type RegexNode } from '../../src/config/regex-syntax.ts';
import { matchSteps } from '../support/backtracking.ts';

/** Expressions with what the syntax has (ECMA-262 22.2.1, B.1.2), and texts to hold against them. */
const READ: readonly { source: string; texts: readonly string[]; why: string }[] = [
  { source: '^a|b$', texts: ['a', 'b', 'ac', 'cb', 'c'], why: 'alternatives' },
  { source: '^(?:|a)$', texts: ['', 'a', 'aa'], why: 'an empty alternative' },
  { source: '^a{2}b{1,}c{0,2}?$', texts: ['aab', 'aabbcc', 'abc', 'aabccc'], why: 'numbers of times' },
  { source: '^a*?b+?c??$', texts: ['b', 'aabb', 'abc', 'c'], why: 'repetitions that take little' },
  { source: '^(?<name>a)(b)(?:c)$', texts: ['abc', 'ab'], why: 'groups' },
  { source: '^[]$', texts: ['', 'a', ']'], why: 'a class of nothing' },
  { source: '^[^]$', texts: ['', 'a', '\n'], why: 'a class of everything' },
  { source: '^[\\]\\-a-c^]$', texts: [']', '-', 'b', '^', 'd', '\\'], why: 'escapes in a class' },
  { source: '^[(|)*]$', texts: ['(', '|', ')', '*', 'a'], why: 'signs in a class' },
  { source: '^.$', texts: ['a', '\n', '\r', '\u00e9'], why: 'any character but the end of a line' },
  { source: '^\\d\\D\\w\\W\\s\\S$', texts: ['1a_- x', '11_- x', '1a_-\u00a0x'], why: 'classes of characters' },
  { source: '^\\x41\\u0042\\cJ\\t\\0$', texts: ['AB\n\t\0', 'AB'], why: 'characters by their numbers' },
  { source: '^(a)\\2$', texts: ['a\u0002', 'aa'], why: 'an octal number, where no group has it' },
  { source: '^\\101\\8\\k\\-\\/$', texts: ['A8k-/', 'A'], why: 'signs that need no escape' },
  { source: '^a{b}{,2}x{$', texts: ['a{b}{,2}x{', 'ab'], why: 'braces that are none' },
  { source: '^a]}$', texts: ['a]}', 'a'], why: 'brackets that close nothing' },
];

for (const { source, texts, why } of READ) {
  test(`is read as the engine reads it: ${why}`, () => {
    const tree = parseRegex(source);
    assert.ok(tree !== null);
    for (const text of texts) {
      assert.equal(matchSteps(tree, text, 10_000).found, new RegExp(source).test(text), JSON.stringify(text));
    }
  });
}

function kindsOf(node: RegexNode): readonly string[] {
  if (node.kind === 'sequence') return node.parts.flatMap(kindsOf);
  if (node.kind === 'choice') return node.options.flatMap(kindsOf);
  return 'body' in node ? [node.kind, ...kindsOf(node.body)] : [node.kind];
}

for (const { source, kinds, why } of [
  { source: '(a)\\1', kinds: ['character', 'reference'], why: 'a reference to a group' },
  { source: '\\1(a)', kinds: ['reference', 'character'], why: 'a reference to a group that comes later' },
  { source: '(?<n>a)\\k<n>', kinds: ['character', 'reference'], why: 'a reference by name' },
  {
    source: '[(]\\((?:b)\\1',
    kinds: ['character', 'character', 'character', 'character'],
    why: 'a number without a group',
  },
  {
    source: '(?=a)(?!b)(?<=c)(?<!d)',
    kinds: ['look', 'character', 'look', 'character', 'look', 'character', 'look', 'character'],
    why: 'looks ahead and behind',
  },
  { source: '(?=a)*', kinds: ['repeat', 'look', 'character'], why: 'a look that is repeated' },
  { source: '^\\ba\\B$', kinds: ['boundary', 'boundary', 'character', 'boundary', 'boundary'], why: 'boundaries' },
]) {
  test(`is read as what it is: ${why}`, () => {
    const tree = parseRegex(source);
    assert.ok(tree !== null);
    assert.deepEqual(kindsOf(tree), kinds);
  });
}

for (const { source, why } of [
  { source: '(?i:a)', why: 'modifiers' },
  { source: '(?-i:a)', why: 'modifiers that are switched off' },
  { source: '\\c1', why: 'a control character without a letter' },
  { source: `${'('.repeat(101)}a${')'.repeat(101)}`, why: 'a hundred groups within one another' },
]) {
  test(`is not read: ${why}`, () => {
    new RegExp(source);
    assert.equal(parseRegex(source), null);
  });
}

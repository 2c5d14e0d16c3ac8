import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePatternError } from '../../src/routing/pattern.ts';

const GOOD = [
  '/',
  '/a',
  '/a/',
  '/**',
  '/**/**',
  '/{id}',
  '/{a}/{b-c_1}',
  '/*.js',
  '/?',
  '/%7Bid%7D',
  '/caf\u00e9',
  '^/',
  '^',
];

for (const pattern of GOOD) {
  test(`the pattern ${pattern} is read`, () => {
    assert.equal(compilePatternError(pattern), null);
  });
}

const BAD = [
  { pattern: '', error: /want "\/" at the start/, why: 'nothing' },
  { pattern: 'a', error: /want "\/" at the start/, why: 'no slash in front' },
  { pattern: '**', error: /want "\/" at the start/, why: 'no slash before the wildcard' },
  { pattern: '/a//b', error: /empty segment/, why: 'an empty segment' },
  { pattern: '/a**', error: /"\*\*" as a whole segment/, why: '`**` within a segment' },
  { pattern: '/***', error: /"\*\*" as a whole segment/, why: 'three stars' },
  { pattern: '/{}', error: /want \{name\}/, why: 'no name' },
  { pattern: '/{1a}', error: /want \{name\}/, why: 'a name that starts with a digit' },
  { pattern: '/{id}.json', error: /want \{name\}/, why: 'a name for a part of a segment' },
  { pattern: '/{id', error: /want \{name\}/, why: 'an open brace' },
  { pattern: '/{id...}', error: /want \{name\}/, why: 'another router\u2019s syntax' },
  { pattern: '/{id}/{id}', error: /\{id\} is there twice/, why: 'a name twice' },
  { pattern: '/a/../b', error: /dot segment/, why: 'a path that is never normal' },
  { pattern: '/%2e/b', error: /dot segment/, why: 'the same, encoded' },
  { pattern: '/a b', error: /cannot be in a path/, why: 'a space' },
  { pattern: '/a#b', error: /cannot be in a path/, why: 'a fragment' },
  { pattern: '/a\\b', error: /cannot be in a path/, why: 'a backslash' },
  { pattern: '/a%zz', error: /cannot be in a path/, why: 'a percent sign without hex digits' },
  { pattern: '/a%4*', error: /cannot be in a path/, why: 'a wildcard within a percent-encoding' },
  { pattern: '/\ud800', error: /cannot be in a path/, why: 'half a character' },
  { pattern: '^/(', error: /Unterminated group/, why: 'no regular expression' },
  { pattern: `/${'a'.repeat(1024)}`, error: /at most 1024 characters/, why: 'too long' },
];

for (const { pattern, error, why } of BAD) {
  test(`the pattern ${JSON.stringify(pattern.slice(0, 30))} is refused: ${why}`, () => {
    assert.match(compilePatternError(pattern) ?? '', error);
  });
}

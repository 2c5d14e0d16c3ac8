import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regexDanger } from '../../src/config/regex-safety.ts';

const SAFE = [
  '^/v[0-9]+/',
  '^/api/',
  '^/[?]{4}\\?$',
  '^/users/\\d+$',
  '^/(?:a|b)/c$',
  '^/users/(\\d+)/posts/(\\d+)$',
  '^/[^/]+\\.(?:png|jpg|gif)$',
  '^https://pr-\\d+\\.example\\.net$',
];

for (const source of SAFE) {
  test(`cannot run for long: ${source}`, () => assert.equal(regexDanger(source), null));
}

const DANGEROUS = [
  { source: '^/(a+)+$', why: 'a repetition within a repetition' },
  { source: '^/(a|a)*b', why: 'two alternatives for one text' },
  { source: '^/(.*)/(.*)/(.*)$', why: 'neighbours that take the same characters' },
  { source: '^/|a*b', why: 'a search from every place' },
  { source: `^${'a?'.repeat(60)}${'a'.repeat(60)}$`, why: 'many options for one text' },
];

for (const { source, why } of DANGEROUS) {
  test(`can run for long: ${why}`, () =>
    assert.match(regexDanger(source) ?? 'nothing', /time|too complex|optional parts/));
}

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import type * as recheck from 'recheck';
import { regexDanger } from '../../src/config/regex-safety.ts';
import { isWithoutChoice } from '../../src/config/regex-without-choice.ts';

const WITHOUT_CHOICE = ['^/v[0-9]+/', '^/users/(\\d+)/posts/[^/]+$', '^/(?:[a-z]+)/([0-9]+)\\.json$', '^/a\\$'];

for (const source of WITHOUT_CHOICE) {
  test(`is seen to have one way through a text: ${source}`, () => assert.ok(isWithoutChoice(source)));
}

const WITH_CHOICE = [
  '/a',
  '^/a|b',
  '^/a?',
  '^/(a+)+',
  '^/(?:a+)*$',
  '^/.*/.*/',
  '^/a+a+$',
  '^/[a-z]+x[0-9]+$',
  '^/\\d+\\w+$',
  '^/\\w+\\d$[0-9]+',
  '^/a+b*a+$',
  '^/(?=a)b',
  '^/(a)\\1',
  '^/a{9}',
];

for (const source of WITH_CHOICE) {
  test(`is left to the checker: ${source}`, () => assert.ok(!isWithoutChoice(source)));
}

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

/** Rows of pieces, safe or not. */
const piece = fc.tuple(
  fc.constantFrom('a', 'b', '/', '\\d', '\\w', '[ab]', '[^/]', '.', '\\.'),
  fc.constantFrom('', '', '+', '*'),
);
const row = fc
  .array(piece, { minLength: 1, maxLength: 6 })
  .map((pieces) => `^${pieces.map(([atom, quantifier]) => atom + quantifier).join('')}$`);

test('what is seen to have one way through a text is safe for the checker, too', () => {
  const { checkSync } = createRequire(import.meta.url)('recheck') as typeof recheck;
  process.env['RECHECK_SYNC_BACKEND'] = 'pure';
  fc.assert(
    fc.property(row, (source) => {
      if (isWithoutChoice(source)) assert.notEqual(checkSync(source, '').status, 'vulnerable', source);
    }),
    { numRuns: 300 },
  );
});

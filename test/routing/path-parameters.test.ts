import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pathParametersOf } from '../../src/routing/path-parameters.ts';
import { parsePattern } from '../../src/routing/pattern.ts';
import { matchesPath } from './reference-router.ts';

const PARAMETERS = [
  { pattern: '/a', path: '/a', want: {}, why: 'no names' },
  { pattern: '/{a}/x/{b}', path: '/1/x/2', want: { a: '1', b: '2' }, why: 'each its segment' },
  { pattern: '/{a}/**', path: '/1/2/3', want: { a: '1' }, why: 'before any number of segments' },
  { pattern: '/**/{a}', path: '/1/2/3', want: { a: '3' }, why: 'after any number of segments' },
  { pattern: '/**/x/{a}/**/{b}', path: '/1/x/2/x/3', want: { a: '2', b: '3' }, why: '`**` takes as little as it can' },
  { pattern: '/*.js/{a}', path: '/b.js/1', want: { a: '1' }, why: 'after a partly wild segment' },
  { pattern: '/{__proto__}', path: '/x', want: JSON.parse('{"__proto__":"x"}'), why: 'a name is only a name' },
  { pattern: '/{a}', path: '/', want: {}, why: 'a path that does not match' },
  { pattern: '^/(?<a>x)?y', path: '/y', want: {}, why: 'a group that took no part' },
  { pattern: '^/(?<a>x)', path: '/y', want: {}, why: 'a regular expression that does not match' },
];

for (const { pattern, path, want, why } of PARAMETERS) {
  test(`${pattern} on ${path}: ${why}`, () => {
    assert.deepEqual(pathParametersOf(parsePattern(pattern), path), want);
  });
}

test('every path that matches has a value for every name', () => {
  const segment = fc.constantFrom('{x}', '**', 'a', '*', 'a*', '?b');
  const patterns = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => {
    const texts = segments.filter((text, index) => text !== '**' || segments[index - 1] !== '**');
    return `/${texts.map((text, index) => text.replace('x', `x${index}`)).join('/')}`;
  });
  const paths = fc.array(fc.constantFrom('a', 'ab', 'b'), { maxLength: 7 }).map((texts) => `/${texts.join('/')}`);
  fc.assert(
    fc.property(patterns, paths, (pattern, path) => {
      const names = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const found = Object.keys(pathParametersOf(parsePattern(pattern), path));
      assert.deepEqual(found, matchesPath(pattern, path) ? names : []);
    }),
    { numRuns: 10_000 },
  );
});

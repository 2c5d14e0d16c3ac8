import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostPattern } from '../../src/routing/host-pattern.ts';

const BAD = [
  { host: '', why: 'empty' },
  { host: '*', why: 'a wildcard alone' },
  { host: '*.', why: 'a wildcard of nothing' },
  { host: 'a.*.test', why: 'a wildcard within' },
  { host: '*a.test', why: 'a part of a label' },
  { host: '*.*.test', why: 'two wildcards' },
  { host: '*.[::1]', why: 'a wildcard of an address' },
  { host: 'a.test:80', why: 'a port' },
  { host: 'a.test:', why: 'an empty port' },
  { host: 'http://a.test', why: 'a URL' },
  { host: 'm\u00fcnchen.test', why: 'a name that is not in its ASCII form' },
];

for (const { host, why } of BAD) {
  test(`the host "${host}" of a route is refused: ${why}`, () => {
    assert.throws(() => parseHostPattern(host));
  });
}

test('the host of a route is normalised like that of a request', () => {
  assert.deepEqual(parseHostPattern('*.A.Test.'), { kind: 'wildcard', suffix: '.a.test' });
  assert.deepEqual(parseHostPattern('A.Test.'), { kind: 'exact', name: 'a.test' });
});

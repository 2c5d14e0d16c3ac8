import assert from 'node:assert/strict';
import { test } from 'node:test';
import { didYouMean } from '../../src/config/did-you-mean.ts';

const KEYS = ['address', 'weight', 'tls', 'max_connections', 'read_timeout', 'write_timeout'];

const CASES: readonly (readonly [string, string | null, string])[] = [
  ['adress', 'address', 'a letter is missing'],
  ['addresss', 'address', 'a letter is too many'],
  ['weihgt', 'weight', 'two letters are swapped'],
  ['weigth', 'weight', 'two letters are swapped at the end'],
  ['Address', 'address', 'letter case is wrong'],
  ['max-connections', 'max_connections', 'a hyphen stands for an underscore'],
  ['maxConnections', 'max_connections', 'it is in camel case'],
  ['readtimeout', 'read_timeout', 'the nearer of two is chosen'],
  ['tsl', 'tls', 'short words may be swapped too'],
  ['port', null, 'nothing is near'],
  ['x', null, 'one letter is near to everything short'],
  ['', null, 'nothing is not a misspelling'],
  ['a'.repeat(100_000), null, 'a long text is not compared at all'],
];

for (const [text, expected, why] of CASES) {
  test(`"${text.slice(0, 20)}" ${expected === null ? 'is like no key' : `is like "${expected}"`}: ${why}`, () => {
    assert.equal(didYouMean(text, KEYS), expected);
  });
}

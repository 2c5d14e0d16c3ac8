import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cookieValue, setCookieValue } from '../../src/http/cookie.ts';

describe('the value of cookie "at"', () => {
  for (const { field, value, why } of [
    { field: 'at=x1', value: 'x1', why: 'the only one' },
    { field: 'a=b; at=x1; c=d', value: 'x1', why: 'one among others' },
    { field: 'a=b;at=x1;c=d', value: 'x1', why: 'the blank is missing' },
    { field: 'a=b;  \tat=x1 ; c', value: 'x1', why: 'more blanks than there should be' },
    { field: 'at=one; at=two', value: 'one', why: 'the first has the longest path' },
    { field: 'at=', value: '', why: 'an empty one is there' },
    { field: 'at=a=b', value: 'a=b', why: 'only the first = divides' },
    { field: 'at="x1"', value: '"x1"', why: 'quotes are part of it' },
    { field: 'AT=x1', value: undefined, why: 'names are case-sensitive' },
    { field: 'cat=x1; ata=x2', value: undefined, why: 'a name that ends or begins so is another one' },
    { field: 'a=at=x1', value: undefined, why: 'a value that looks so' },
    { field: 'at', value: undefined, why: 'no pair' },
    { field: 'at =x1', value: undefined, why: 'a blank is no part of a name' },
    { field: '; ;; =; =at; at=x1', value: 'x1', why: 'nonsense before it is passed over' },
    { field: '', value: undefined, why: 'nothing' },
    { field: ';'.repeat(10_000), value: undefined, why: 'nothing, ten thousand times' },
  ]) {
    test(`in ${JSON.stringify(field.slice(0, 40))} is ${value}: ${why}`, () => {
      assert.equal(cookieValue(field, 'at'), value);
    });
  }
});

test('a cookie is set for the whole host, without scripts, and not sent from other sites', () => {
  const value = setCookieValue({ name: 'at', maxAgeSeconds: null, secure: false }, 'x1');
  assert.equal(value, 'at=x1; Path=/; HttpOnly; SameSite=Lax');
});

test('a cookie may have an age, and be for HTTPS only', () => {
  const value = setCookieValue({ name: 'at', maxAgeSeconds: 3600, secure: true }, 'x1');
  assert.equal(value, 'at=x1; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure');
});

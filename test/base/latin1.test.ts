import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8Bytes } from '../../src/base/latin1.ts';

test('text in UTF-8 is one character a byte, and no two texts are one', () => {
  assert.equal(utf8Bytes('abc'), 'abc');
  assert.equal(utf8Bytes('\u00e9'), '\u00c3\u00a9');
  assert.equal(utf8Bytes('\u00c3\u00a9'), '\u00c3\u0083\u00c2\u00a9');
  assert.equal(utf8Bytes('\u0173'), '\u00c5\u00b3');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thrownText } from '../../src/base/thrown-text.ts';

class Unshowable extends Error {
  override get cause(): string {
    throw new Error('no');
  }
}

for (const { thrown, expected, why } of [
  { thrown: new Error('first oops'), expected: /^Error: first oops\n +at /, why: 'an error has its stack' },
  {
    thrown: new Error('outer', { cause: new Error('inner', { cause: 'innermost' }) }),
    expected: /^Error: outer\n.*\ncaused by Error: inner\n.*\ncaused by innermost$/s,
    why: 'causes say more than a "fetch failed"',
  },
  { thrown: 'some text', expected: /^some text$/, why: 'a text is what it is' },
  { thrown: undefined, expected: /^undefined$/, why: 'nothing' },
  { thrown: Symbol('sign'), expected: /^Symbol\(sign\)$/, why: 'a symbol' },
  {
    thrown: Object.create(null),
    expected: /^a value that cannot be shown \(object\)$/,
    why: 'no text can be made of it',
  },
  { thrown: new Unshowable(), expected: /^a value that cannot be shown \(object\)$/, why: 'looking at it throws' },
]) {
  test(`what was thrown becomes a text: ${why}`, () => assert.match(thrownText(thrown), expected));
}

test('the text of what was thrown is of bounded length, and so are causes that go round', () => {
  const error = new Error('x'.repeat(100_000));
  error.cause = error;
  assert.equal(thrownText(error).length, 8192);
});

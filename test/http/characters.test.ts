import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isToken, TOKEN_LOWER_CASE, trimBlanks } from '../../src/http/characters.ts';

/** `tchar` of RFC 9110 5.6.2, written apart. */
const TOKEN_CHARACTER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;

test('a byte is a token character or not, and those that are have their lower case', () => {
  assert.equal(TOKEN_LOWER_CASE.length, 256);
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    const valid = TOKEN_CHARACTER.test(character);
    assert.equal(TOKEN_LOWER_CASE[byte], valid ? character.toLowerCase().charCodeAt(0) : 0, `byte ${byte}`);
    assert.equal(isToken(character), valid, `byte ${byte}`);
    assert.equal(isToken(`a${character}b`), valid, `byte ${byte} between others`);
  }
});

test('a token has at least one character, and all of them are token characters', () => {
  assert.ok(isToken('X-Request-ID'));
  for (const text of ['', ' a', 'a ', 'a b', 'a:b', 'a\r\n', '\u0100', 'caf\u00e9', '\u{1f600}'])
    assert.ok(!isToken(text), text);
});

test('only SP and HTAB are trimmed', () => {
  for (const [text, trimmed] of [
    [' \t a\t b \t', 'a\t b'],
    [' \t ', ''],
    ['', ''],
    ['a', 'a'],
    ['\xa0a\xa0', '\xa0a\xa0'],
    ['\x0ba\r\n', '\x0ba\r\n'],
  ] as const) {
    assert.equal(trimBlanks(text), trimmed);
  }
});

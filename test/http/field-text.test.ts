import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueAmong } from '../../src/http/field-text.ts';

const LINES = 'Via: 1.1 photon\r\nVary:Origin\r\nX-Vary: no\r\nvary: \tAccept \r\nX-Empty:\r\nX-Colon: a: b\r\n';

for (const { name, value, why } of [
  { name: 'via', value: '1.1 photon', why: 'in any case' },
  { name: 'vary', value: 'Origin, Accept', why: 'several are one list, without blanks around' },
  { name: 'x-empty', value: '', why: 'an empty one is there' },
  { name: 'x-colon', value: 'a: b', why: 'the first colon ends the name' },
  { name: 'colon', value: undefined, why: 'the end of a name is none' },
  { name: 'accept', value: undefined, why: 'a value is no name' },
]) {
  test(`${name} among lines is ${JSON.stringify(value)}: ${why}`, () => assert.equal(valueAmong(LINES, name), value));
}

test('among no lines there is nothing', () => assert.equal(valueAmong('', 'via'), undefined));

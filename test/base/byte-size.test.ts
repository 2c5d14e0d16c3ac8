import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseByteSize } from '../../src/base/byte-size.ts';

const ACCEPTED: readonly (readonly [string, number])[] = [
  ['0', 0],
  ['65536', 65_536],
  ['100B', 100],
  ['64KB', 65_536],
  ['64KiB', 65_536],
  ['64k', 65_536],
  ['64 kb', 65_536],
  ['1MB', 1_048_576],
  ['1MiB', 1_048_576],
  ['2G', 2_147_483_648],
  ['1TiB', 1_099_511_627_776],
];

for (const [text, bytes] of ACCEPTED) {
  test(`the size "${text}" is ${bytes} bytes`, () => assert.equal(parseByteSize(text), bytes));
}

const REFUSED = [
  { text: '', why: 'it is empty' },
  { text: 'KB', why: 'it has no number' },
  { text: '-1', why: 'a size has no sign' },
  { text: '1.5MB', why: 'fractions are written in the next smaller unit' },
  { text: '64Kbit', why: 'bits are not bytes' },
  { text: '64KX', why: 'the unit is unknown' },
  { text: '0x10', why: 'sizes are decimal' },
  { text: '1e3', why: 'sizes have no exponent' },
  { text: '1I', why: 'an i alone is no unit' },
  { text: '9007199254740993', why: 'it does not fit into a safe integer' },
  { text: '9999999999999T', why: 'the product does not fit into a safe integer' },
];

for (const { text, why } of REFUSED) {
  test(`the size "${text}" is refused: ${why}`, () => {
    assert.throws(() => parseByteSize(text), { name: 'SyntaxError', message: /a size in bytes/ });
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur3, murmur3OfNumber } from '../../src/base/murmur3.ts';

/** Published with the reference implementation and by others that follow it. */
const VECTORS = [
  { text: '', seed: 0, hash: 0, why: 'nothing at all' },
  { text: '', seed: 1, hash: 0x514e28b7, why: 'a seed alone' },
  { text: '', seed: 0xffffffff, hash: 0x81f16f39, why: 'the largest seed' },
  { text: '\xff\xff\xff\xff', seed: 0, hash: 0x76293b50, why: 'bytes with the sign bit' },
  { text: '!Ce\x87', seed: 0, hash: 0xf55b516b, why: 'one block' },
  { text: '!Ce\x87', seed: 0x5082edee, hash: 0x2362f9de, why: 'one block with a seed' },
  { text: '!Ce', seed: 0, hash: 0x7e4a8634, why: 'a rest of three bytes' },
  { text: '!C', seed: 0, hash: 0xa0f7b07a, why: 'a rest of two' },
  { text: '!', seed: 0, hash: 0x72661cf4, why: 'a rest of one' },
  { text: '\0\0\0\0', seed: 0, hash: 0x2362f9de, why: 'a block of zeros' },
  { text: 'aaaa', seed: 0x9747b28c, hash: 0x5a97808a, why: 'a block of letters' },
  { text: 'Hello, world!', seed: 0x9747b28c, hash: 0x24884cba, why: 'blocks and a rest' },
  {
    text: 'The quick brown fox jumps over the lazy dog',
    seed: 0x9747b28c,
    hash: 0x2fa826cd,
    why: 'many blocks and a rest',
  },
];

for (const { text, seed, hash, why } of VECTORS) {
  test(`murmur3 of ${JSON.stringify(text)} with seed ${seed} is ${hash.toString(16)}: ${why}`, () => {
    assert.equal(murmur3(text, seed), hash);
  });
}

test('a number is hashed as its four bytes, the lowest first', () => {
  for (const number of [0, 1, 0x8765_4321, 0xffff_ffff, 2 ** 32 + 5]) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(number >>> 0);
    assert.equal(murmur3OfNumber(number, 77), murmur3(bytes.toString('latin1'), 77));
  }
});

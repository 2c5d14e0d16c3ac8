import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStrongTag, listedTags } from '../../src/http/entity-tag.ts';

for (const { tag, strong, why } of [
  { tag: '"abc"', strong: true, why: 'the usual' },
  { tag: '""', strong: true, why: 'an empty one is one' },
  { tag: '"a,b;c!"', strong: true, why: 'nearly everything may stand in it' },
  { tag: '"\xe9"', strong: true, why: 'obs-text' },
  { tag: 'W/"abc"', strong: false, why: 'weak' },
  { tag: 'abc', strong: false, why: 'no tag' },
  { tag: '"abc', strong: false, why: 'half a tag' },
  { tag: '"a b"', strong: false, why: 'no blanks' },
  { tag: '"a"b"', strong: false, why: 'no quotes' },
  { tag: '"a", "b"', strong: false, why: 'two' },
]) {
  test(`${tag} is ${strong ? 'a strong tag' : 'none'}: ${why}`, () => assert.equal(isStrongTag(tag), strong));
}

for (const { value, tags } of [
  { value: '"a"', tags: ['"a"'] },
  { value: 'W/"a", "b" ,"c,d"', tags: ['W/"a"', '"b"', '"c,d"'] },
  { value: '*', tags: [] },
  { value: '', tags: [] },
]) {
  test(`the tags in ${JSON.stringify(value)}`, () => assert.deepEqual(listedTags(value), tags));
}

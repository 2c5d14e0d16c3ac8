import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parameterValues, withoutParameter } from '../../src/http/query.ts';

describe('the values of a parameter', () => {
  for (const { query, values, why } of [
    { query: '', values: [], why: 'no query' },
    { query: 'k=1', values: ['1'], why: 'the parameter' },
    { query: 'a=1&k=2&b=3&k=4', values: ['2', '4'], why: 'every one, in order' },
    { query: 'k', values: [''], why: 'without a value' },
    { query: 'k=', values: [''], why: 'an empty value' },
    { query: 'k=a=b', values: ['a=b'], why: 'the first equals sign counts' },
    { query: 'K=1&kk=2&=3', values: [], why: 'names have a case and a length' },
    { query: '%6b=a%20b+c', values: ['a b c'], why: 'as forms write it' },
    { query: 'k=%zz', values: ['%zz'], why: 'a broken encoding stays as it is' },
    { query: '%zz=1', values: [], why: 'a name that is broken is no name' },
    { query: '&&k=1&', values: ['1'], why: 'empty pieces' },
  ]) {
    test(`k in "${query}": ${why}`, () => assert.deepEqual(parameterValues(query, 'k'), values));
  }
});

describe('a target without a parameter', () => {
  for (const { target, left } of [
    { target: '/a', left: '/a' },
    { target: '/a?', left: '/a?' },
    { target: '/a?k=1', left: '/a' },
    { target: '/a?k=1&b=2', left: '/a?b=2' },
    { target: '/a?b=2&%6B=1&c=%20+', left: '/a?b=2&c=%20+' },
    { target: '/k=1?kk=1', left: '/k=1?kk=1' },
  ]) {
    test(`${target} is ${left}`, () => assert.equal(withoutParameter(target, 'k'), left));
  }
});

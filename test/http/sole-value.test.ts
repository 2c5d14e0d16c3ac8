import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8Bytes } from '../../src/base/latin1.ts';
import { soleCookie, soleField, soleParameter } from '../../src/http/sole-value.ts';
import { requestHead } from '../wire/h1/heads.ts';

const headOf = (...lines: string[]) => requestHead(`GET / HTTP/1.1\r\n${['Host: a', ...lines].join('\r\n')}\r\n\r\n`);

describe('the only field of a name', () => {
  for (const { lines, value, why } of [
    { lines: ['X-Key: a'], value: 'a', why: 'it is there once' },
    { lines: ['x-KEY:  a b '], value: 'a b', why: 'in any case, without the blanks around it' },
    { lines: ['X-Key: a', 'X-Key: a'], value: undefined, why: 'it is there twice, though with one value' },
    { lines: ['X-Key: a, b'], value: 'a, b', why: 'a list is one value' },
    { lines: ['X-Key2: a', 'X_Key: b'], value: undefined, why: 'others are none of its name' },
    { lines: ['X-Key:'], value: '', why: 'it is empty' },
  ]) {
    test(why, () => assert.equal(soleField(headOf(...lines), 'x-key'), value));
  }

  test('is found where the gateway knows its name', () => {
    assert.equal(soleField(headOf('User-Agent: x'), 'user-agent'), 'x');
  });
});

describe('the only parameter of a name', () => {
  for (const { query, name = 'k', value } of [
    { query: 'k=a', value: 'a' },
    { query: 'x=1&k=a&y', value: 'a' },
    { query: '%6b=%61', value: 'a' },
    { query: '%6B=a+b', value: 'a b' },
    { query: 'k=a%2Bb', value: 'a+b' },
    { query: 'k', value: '' },
    { query: 'k=', value: '' },
    { query: 'k=a=b', value: 'a=b' },
    { query: 'k=%zz%4', value: '%zz%4' },
    { query: 'k=%C3%A9', value: '\u00c3\u00a9' },
    { query: '%C3%A9=1', name: '\u00e9', value: '1' },
    { query: 'k=%C5%B3', value: '\u00c5\u00b3' },
    { query: 'k=%FF%25', value: '\u00ff%' },
    { query: 'k=a&k=b', value: undefined },
    { query: 'k=a&%6b=a', value: undefined },
    { query: 'k=a&k', value: undefined },
    { query: 'K=a', value: undefined },
    { query: '&&=', value: undefined },
    { query: 'kk=a&xk=b', value: undefined },
    { query: 'x?k=a', value: undefined },
    { query: '', value: undefined },
  ]) {
    test(`"${name}" in "${query}" is ${value === undefined ? 'not there' : `"${value}"`}`, () => {
      assert.equal(soleParameter(query, utf8Bytes(name)), value);
    });
  }
});

describe('the only cookie of a name', () => {
  for (const { lines, value, why } of [
    { lines: ['Cookie: sid=a'], value: 'a', why: 'alone' },
    { lines: ['Cookie: x=1;sid=a ;\ty=2'], value: 'a', why: 'among others, with blanks or without' },
    { lines: ['Cookie: sid="a"'], value: '"a"', why: 'in quotes, which are part of it' },
    { lines: ['Cookie: sid=a=b'], value: 'a=b', why: 'with an equals sign in it' },
    { lines: ['Cookie: x=1', 'cookie: sid=a'], value: 'a', why: 'in the second of two fields' },
    { lines: ['Cookie: sid=a; sid=b'], value: undefined, why: 'twice' },
    { lines: ['Cookie: sid=a', 'Cookie: sid=b'], value: undefined, why: 'once in each of two fields' },
    { lines: ['Cookie: SID=a; xsid=b; sid'], value: undefined, why: 'names that are not it' },
    { lines: [], value: undefined, why: 'no Cookie at all' },
  ]) {
    test(why, () => assert.equal(soleCookie(headOf(...lines), 'sid'), value));
  }
});

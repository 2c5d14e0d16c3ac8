import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { utf8Bytes } from '../../src/base/latin1.ts';
import { parameterValues, withoutParameter } from '../../src/http/query.ts';
import { soleParameter } from '../../src/http/sole-value.ts';

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
    { query: 'k=%zz%61', values: ['%zza'], why: 'a broken encoding stands for itself, and nothing else with it' },
    { query: 'k=%C5%B3', values: ['\u00c5\u00b3'], why: 'bytes, one character each' },
    { query: 'k=%FF%fe', values: ['\u00ff\u00fe'], why: 'also those that are no UTF-8' },
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

describe('a parameter with a name that is not ASCII', () => {
  const name = utf8Bytes('schl\u00fcssel');
  test('is found by its bytes', () => {
    assert.deepEqual(parameterValues('schl%C3%BCssel=1&schl%FCssel=2', name), ['1']);
  });
  test('is taken out', () => {
    assert.equal(withoutParameter('/a?s%63hl%c3%bcssel=1&schl%FCssel=2', name), '/a?schl%FCssel=2');
  });
});

/** Bytes, and one way to write them in a query. */
const spelled = fc
  .array(fc.tuple(fc.nat({ max: 255 }), fc.nat({ max: 2 })), { minLength: 1, maxLength: 6 })
  .map((characters) => ({
    bytes: characters.map(([byte]) => String.fromCharCode(byte)).join(''),
    written: characters.map(([byte, way]) => spell(byte, way)).join(''),
  }));

function spell(byte: number, way: number): string {
  if (way === 0 && byte === 0x20) return '+';
  const plain = String.fromCharCode(byte);
  if (way === 0 && /[\w.~:-]/.test(plain)) return plain;
  const digits = byte.toString(16).padStart(2, '0');
  return `%${way === 1 ? digits : digits.toUpperCase()}`;
}

test('however a parameter is written, everybody reads the same bytes, and no other', () => {
  fc.assert(
    fc.property(spelled, spelled, spelled, (name, value, other) => {
      const query = `${name.written}=${value.written}`;
      assert.deepEqual(parameterValues(query, name.bytes), [value.bytes]);
      assert.equal(soleParameter(query, name.bytes), value.bytes);
      assert.equal(withoutParameter(`/?${query}`, name.bytes), '/');
      if (other.bytes === name.bytes) return;
      assert.deepEqual(parameterValues(query, other.bytes), []);
      assert.equal(soleParameter(query, other.bytes), undefined);
      assert.equal(withoutParameter(`/?${query}`, other.bytes), `/?${query}`);
    }),
    { numRuns: 2000 },
  );
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSaneRequestId, RequestIdGenerator } from '../../src/http/request-id.ts';

describe('a request id', () => {
  test('is 24 hexadecimal digits', () => {
    const ids = new RequestIdGenerator();
    for (let count = 0; count < 1000; count++) assert.match(ids.next(), /^[0-9a-f]{24}$/);
  });

  test('is made once: half a million of one generator differ', () => {
    const ids = new RequestIdGenerator();
    const seen = new Set(Array.from({ length: 500_000 }, () => ids.next()));
    assert.equal(seen.size, 500_000);
  });

  test('of another generator begins with another random number', () => {
    const prefixes = new Set(Array.from({ length: 1000 }, () => new RequestIdGenerator().next().slice(0, 16)));
    assert.equal(prefixes.size, 1000);
  });

  test('does not tell how many were made before it', () => {
    const firsts = new Set(Array.from({ length: 1000 }, () => new RequestIdGenerator().next().slice(16)));
    assert.ok(firsts.size > 990, `${firsts.size} different beginnings`);
    const ids = new RequestIdGenerator();
    const [first, second] = [ids.next(), ids.next()].map((id) => Number.parseInt(id.slice(16), 16)) as [number, number];
    assert.ok(Math.abs(second - first) > 1000, 'neighbours are far apart');
  });
});

describe('an id of somebody else', () => {
  for (const id of [
    'a',
    '0123456789abcdef',
    'A-b_c.d~e:f@g=h+i/j',
    '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
    'x'.repeat(128),
  ]) {
    test(`is taken over when it is a sane token: ${id.slice(0, 40)}`, () => assert.ok(isSaneRequestId(id)));
  }
  for (const { id, why } of [
    { id: '', why: 'nothing' },
    { id: 'x'.repeat(129), why: 'too long' },
    { id: 'a b', why: 'a blank' },
    { id: 'a,b', why: 'a list' },
    { id: 'a"b', why: 'a quote' },
    { id: 'a\r\nb', why: 'a line end' },
    { id: 'a\n', why: 'a line end at its end' },
    { id: 'a\x1b[0m', why: 'a control byte' },
    { id: 'caf\xe9', why: 'not ASCII' },
    { id: '<a>', why: 'markup' },
    { id: '{a}', why: 'a placeholder' },
    { id: '%0a', why: 'an escape' },
  ]) {
    test(`is not taken over: ${why}`, () => assert.ok(!isSaneRequestId(id)));
  }
});

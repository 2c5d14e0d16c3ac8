import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastText } from '../../src/base/last-text.ts';

function counting(make: (text: string) => string) {
  const made: string[] = [];
  const last = new LastText((text) => {
    made.push(text);
    return make(text);
  });
  return { last, made };
}

test('what is made of a text is kept until another text comes', () => {
  const { last, made } = counting((text) => `<${text}>`);
  const texts = ['', '', 'caf\xe9', 'caf\xe9', 'other', 'caf\xe9'];
  assert.deepEqual(
    texts.map((text) => last.of(text)),
    ['<>', '<>', '<caf\xe9>', '<caf\xe9>', '<other>', '<caf\xe9>'],
  );
  assert.deepEqual(made, ['', 'caf\xe9', 'other', 'caf\xe9']);
});

test('a text of which nothing can be made leaves the one before', () => {
  const { last, made } = counting((text) => {
    if (text === 'bad') throw new Error('no');
    return text;
  });
  last.of('good');
  assert.throws(() => last.of('bad'), /no/);
  assert.throws(() => last.of('bad'), /no/);
  assert.equal(last.of('good'), 'good');
  assert.deepEqual(made, ['good', 'bad', 'bad']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../src/base/duration.ts';

const ACCEPTED: readonly (readonly [string, number])[] = [
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h 30m', 5_400_000],
  ['1h30m', 5_400_000],
  ['100ms', 100],
  ['1s 5ms', 1_005],
  ['2d', 172_800_000],
  ['0s', 0],
  ['007s', 7_000],
];

for (const [text, ms] of ACCEPTED) {
  test(`the duration "${text}" is ${ms} ms`, () => assert.equal(parseDuration(text), ms));
}

const REFUSED = [
  { text: '', why: 'it is empty' },
  { text: '30', why: 'it has no unit' },
  { text: 's', why: 'it has no number' },
  { text: '-5s', why: 'time does not run backwards' },
  { text: '1.5s', why: 'fractions are written in the next smaller unit' },
  { text: '5 s', why: 'number and unit belong together' },
  { text: '5S', why: 'units are in lower case' },
  { text: '5 minutes', why: 'units are not words' },
  { text: '30m 1h', why: 'the longer unit comes first' },
  { text: '1s 1s', why: 'a unit comes once' },
  { text: ' 1s', why: 'blanks in front are a mistake' },
  { text: '999999999999999d', why: 'it does not fit into a safe integer' },
];

for (const { text, why } of REFUSED) {
  test(`the duration "${text}" is refused: ${why}`, () => {
    assert.throws(() => parseDuration(text), { name: 'SyntaxError', message: /a duration such as/ });
  });
}

test('a duration written from its parts is their sum', () => {
  const part = fc.nat({ max: 1_000 });
  fc.assert(
    fc.property(part, part, part, part, part, (d, h, m, s, ms) => {
      assert.equal(
        parseDuration(`${d}d ${h}h ${m}m ${s}s ${ms}ms`),
        d * 86_400_000 + h * 3_600_000 + m * 60_000 + s * 1_000 + ms,
      );
    }),
  );
});

test('what formatDuration writes is read as the same duration', () => {
  assert.equal(formatDuration(5_400_000), '1h 30m');
  assert.equal(formatDuration(0), '0s');
  fc.assert(fc.property(fc.nat(), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
});

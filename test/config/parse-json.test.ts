import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toPlainValue } from '../../src/config/config-node.ts';
import { parseJson } from '../../src/config/parse-json.ts';

/** The value and whether there were findings; JSON.parse is the second opinion. */
function parse(text: string) {
  const { root, findings } = parseJson(text);
  return { value: root === null ? undefined : toPlainValue(root, new Map()), codes: findings.map(({ code }) => code) };
}

function parseBySecondOpinion(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const SAMPLES = [
  '{"a": [1, -0, 0.5, 1e3, 1E-2, true, false, null, "x"]}',
  ' \t\r\n[ ] ',
  '"\\u0041\\ud83d\\ude00\\"\\\\\\/\\b\\f\\n\\r\\t\u2028"',
  '12',
];

for (const text of SAMPLES) {
  test(`JSON is read as JSON.parse reads it: ${text.slice(0, 20)}`, () => {
    assert.deepEqual(parse(text), { value: JSON.parse(text), codes: [] });
  });
}

const REFUSED = [
  { text: '{"a": 1,}', why: 'a comma at the end', at: 8 },
  { text: '[1,]', why: 'a comma at the end', at: 3 },
  { text: '{"a": 1} // x', why: 'a comment', at: 9 },
  { text: "{'a': 1}", why: 'single quotes', at: 1 },
  { text: '{a: 1}', why: 'a key without quotes', at: 1 },
  { text: '{"a" 1}', why: 'no colon', at: 5 },
  { text: '{"a": 1 "b": 2}', why: 'no comma', at: 8 },
  { text: '[1 2]', why: 'no comma', at: 3 },
  { text: '{"a": 01}', why: 'a leading zero', at: 7 },
  { text: '{"a": .5}', why: 'no digit before the point', at: 6 },
  { text: '{"a": 1.}', why: 'no digit after the point', at: 7 },
  { text: '{"a": +1}', why: 'a plus sign', at: 6 },
  { text: '{"a": NaN}', why: 'no JSON number', at: 6 },
  { text: '{"a": "x', why: 'no closing quote', at: 6 },
  { text: '{"a": "\\x41"}', why: 'an unknown escape', at: 6 },
  { text: '{"a": "\n"}', why: 'a line break in a string', at: 6 },
  { text: '{"a": 1}{', why: 'more after the end', at: 8 },
  { text: '{"a": 1', why: 'no closing brace', at: 7 },
  { text: '\u00a0{}', why: 'a blank that JSON does not have', at: 0 },
];

for (const { text, why, at } of REFUSED) {
  test(`JSON is refused at its place: ${why}`, () => {
    const { root, findings } = parseJson(text);
    assert.equal(root, null);
    assert.deepEqual(
      findings.map(({ code, span }) => ({ code, at: span.start })),
      [{ code: 'syntax-error', at }],
    );
    assert.equal(parseBySecondOpinion(text), undefined);
  });
}

test('a key that comes twice is reported, which JSON.parse would not do', () => {
  const { findings } = parseJson('{"a": {"b": 1, "b": 2}}');
  assert.deepEqual(
    findings.map(({ code, span, path }) => ({ code, span, path })),
    [{ code: 'duplicate-key', span: { start: 15, end: 18 }, path: ['a', 'b'] }],
  );
});

test('nesting has a limit', () => {
  for (const text of [`${'['.repeat(100_000)}`, `${'{"a":'.repeat(100_000)}`])
    assert.deepEqual(parse(text).codes, ['too-complex']);
  assert.deepEqual(parse(`${'['.repeat(50)}${']'.repeat(50)}`).codes, []);
});

const alphabet = fc.constantFrom(...'{}[]:,"\\ \n0123456789.eE+-truefalsn\u0001', '"a"', '{"', '":', '\\u00', '1.5');

test('whatever JSON.parse reads is read the same, and nothing else is', () => {
  const text = fc.oneof(
    fc.json(),
    fc.array(alphabet, { maxLength: 20 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (json) => {
      const { value, codes } = parse(json);
      if (codes.some((code) => code !== 'syntax-error')) return;
      assert.deepEqual(value, parseBySecondOpinion(json));
    }),
    { numRuns: 1_500 },
  );
});

test('every value is at the place that its span says', () => {
  const text = '{"a": [12, "x"], "b": true}';
  const { root } = parseJson(text);
  assert.ok(root?.kind === 'mapping');
  const list = root.entries.get('a');
  assert.ok(list?.value.kind === 'list');
  const spans = [list.keySpan, list.value.span, ...list.value.items.map(({ span }) => span)];
  assert.deepEqual(
    spans.map(({ start, end }) => text.slice(start, end)),
    ['"a"', '[12, "x"]', '12', '"x"'],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OptionsSchema, SchemaResult } from '../../src/middleware/custom/define-middleware.ts';
import { optionsFor } from '../../src/middleware/custom/options.ts';

/** What becomes of options, whatever they are, with a schema that answers so. */
function optionsBy(answer: SchemaResult<unknown> | Promise<SchemaResult<unknown>>): unknown {
  const schema: OptionsSchema = { '~standard': { version: 1, vendor: 'test', validate: () => answer } };
  return optionsFor({ name: 'mine', schema, create: () => ({}) }, { a: 1 });
}

test('options are what the schema makes of them', () => {
  assert.deepEqual(optionsBy({ value: { a: 2 } }), { a: 2 });
});

test('options without a schema are taken as they are', () => {
  assert.deepEqual(optionsFor({ name: 'mine', create: () => ({}) }, { a: 1 }), { a: 1 });
});

for (const { answer, error, why } of [
  {
    answer: { issues: [{ message: 'no' }] },
    error: /^Error: the options of "mine" do not fit: no$/,
    why: 'as a whole',
  },
  {
    answer: {
      issues: [
        { message: 'no', path: ['a', { key: 0 }] },
        { message: 'nor this', path: ['b'] },
      ],
    },
    error: /do not fit: a\.0: no; b: nor this$/,
    why: 'in two places',
  },
  { answer: Promise.resolve({ value: 1 }), error: /must answer at once, not with a promise$/, why: 'not yet' },
  {
    // biome-ignore lint/suspicious/noThenProperty: that is the case.
    answer: { value: 1, then: () => undefined } as unknown as SchemaResult<unknown>,
    error: /must answer at once, not with a promise$/,
    why: 'not yet, by a promise of its own',
  },
]) {
  test(`options that the schema does not take are refused: ${why}`, () => {
    assert.throws(() => optionsBy(answer), error);
  });
}

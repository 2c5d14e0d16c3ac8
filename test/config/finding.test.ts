import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DIAGNOSTIC_MEANINGS } from '../../src/config/finding.ts';

const folder = new URL('../../src/config/', import.meta.url);
const TABLE = /DIAGNOSTIC_MEANINGS = \{.*?\n\}/s;
/** Everything but the table of meanings itself. */
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(name, folder), 'utf8').replace(TABLE, ''));

for (const [code, meaning] of Object.entries(DIAGNOSTIC_MEANINGS)) {
  test(`the code ${code} can occur and has a meaning in one sentence`, () => {
    assert.ok(sources.some((source) => source.includes(`'${code}'`)));
    assert.match(meaning, /^[A-Z][^\n]+\.$/);
  });
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { diagnose } from '../../scripts/docs/diagnose.ts';
import { ERROR_EXAMPLES } from '../../scripts/docs/error-examples.ts';
import { MISTAKES } from '../../scripts/docs/mistakes.ts';
import { referencePages } from '../../scripts/docs/pages.ts';

for (const { path, text } of referencePages()) {
  test(`${path} is what the source says; "npm run docs" writes it anew`, () => {
    assert.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text);
  });
}

for (const [code, { lines, mend }] of Object.entries(ERROR_EXAMPLES)) {
  test(`the page about errors shows ${code} as it happens, and how to mend it`, () => {
    assert.match(mend, /^[A-Z`].+[.`]$/s);
    if (lines === null) return;
    const codes = diagnose(`${lines.join('\n')}\n`, 'photon.yaml').map((diagnostic) => diagnostic.code);
    assert.ok(
      codes.some((each) => each === code),
      `got ${codes.join(', ') || 'nothing'}`,
    );
  });
}

/** Besides the error itself, what it makes wrong in turn. */
const MAX_ERRORS_PER_MISTAKE = 2;

for (const { title, file, text } of MISTAKES) {
  test(`a common mistake is told about in one place, or two: ${title}`, () => {
    const errors = diagnose(text, file).filter(({ severity }) => severity === 'error');
    assert.ok(errors.length >= 1 && errors.length <= MAX_ERRORS_PER_MISTAKE, `${errors.length} errors`);
    for (const { line, frame } of errors) assert.ok(line >= 1 && frame !== null);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { diagnosticsToJson, formatDiagnostics, wantsColor } from '../../src/config/format-diagnostics.ts';
import { BACKENDS, diagnosticsOf, lines, ROUTES, SERVER } from './documents.ts';

const DIAGNOSTICS = diagnosticsOf(
  lines(
    SERVER,
    '  workers: "4"',
    BACKENDS,
    ROUTES,
    '    bakend: web',
    '  - { path: /b, id: x }',
    '  - { path: /c, id: x }',
  ),
);

test('colours change nothing but the colours', () => {
  const plain = formatDiagnostics(DIAGNOSTICS);
  const coloured = formatDiagnostics(DIAGNOSTICS, { color: true });
  assert.notEqual(coloured, plain);
  assert.equal(stripVTControlCharacters(coloured), plain);
  assert.match(coloured, /\u001b\[31m/);
});

test('a hint, a near name and another place each have a line', () => {
  const text = formatDiagnostics(DIAGNOSTICS);
  assert.match(text, /\n {2}= help: write it without quotes\n/);
  assert.match(text, /\n {2}= did you mean "backend"\?\n/);
  assert.match(text, /\n {2}= it is here first: photon\.yaml:12:21$/);
});

test('tools get a list with every field', () => {
  assert.deepEqual(JSON.parse(diagnosticsToJson(DIAGNOSTICS)), DIAGNOSTICS);
});

const WISHES = [
  { env: {}, isTerminal: true, color: true, why: 'a terminal' },
  { env: {}, isTerminal: false, color: false, why: 'a pipe' },
  { env: { TERM: 'dumb' }, isTerminal: true, color: false, why: 'a terminal that shows none' },
  { env: { NO_COLOR: '1' }, isTerminal: true, color: false, why: 'NO_COLOR' },
  { env: { NO_COLOR: '' }, isTerminal: true, color: true, why: 'an empty NO_COLOR, which counts as unset' },
  { env: { FORCE_COLOR: '1' }, isTerminal: false, color: true, why: 'FORCE_COLOR' },
  { env: { FORCE_COLOR: '0' }, isTerminal: true, color: false, why: 'FORCE_COLOR=0' },
  { env: { FORCE_COLOR: '1', NO_COLOR: '1' }, isTerminal: true, color: false, why: 'NO_COLOR over FORCE_COLOR' },
];

for (const { env, isTerminal, color, why } of WISHES) {
  test(`${color ? 'colours' : 'no colours'} for ${why}`, () => {
    assert.equal(wantsColor(env, isTerminal), color);
  });
}

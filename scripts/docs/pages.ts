import { readFileSync } from 'node:fs';
import { DIAGNOSTIC_MEANINGS, type DiagnosticCode } from '../../src/config/finding.ts';
import { formatDiagnostics } from '../../src/config/format-diagnostics.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { PLACEHOLDERS } from '../../src/config/placeholders.ts';
import { diagnose } from './diagnose.ts';
import { ERROR_EXAMPLES } from './error-examples.ts';
import { MISTAKES, type Mistake } from './mistakes.ts';
import { optionTables } from './option-tables.ts';

/** A page of the documentation, or the JSON Schema, that is made from the source. */
export interface Page {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** The pages as they have to be. */
export function referencePages(): readonly Page[] {
  return [
    {
      path: 'docs/configuration.md',
      text: fill('configuration.md', { OPTIONS: optionTables(), MISTAKES: mistakes(), PLACEHOLDERS: placeholders() }),
    },
    { path: 'docs/errors.md', text: fill('errors.md', { CODES: codes() }) },
    { path: 'docs/photon.schema.json', text: `${JSON.stringify(configJsonSchema())}\n` },
  ];
}

/** The text around what is generated stands beside this file; `<!-- NAME -->` is where a part goes. */
function fill(name: string, parts: Readonly<Record<string, string>>): string {
  const text = readFileSync(new URL(`text/${name}`, import.meta.url), 'utf8');
  return Object.entries(parts).reduce(
    (page, [part, value]) => page.replace(`<!-- ${part} -->`, () => value.trim()),
    text,
  );
}

function placeholders(): string {
  const rows = Object.entries(PLACEHOLDERS).map(([name, meaning]) => `| \`{${name}}\` | ${meaning} |`);
  return ['| written | becomes |', '|---|---|', ...rows].join('\n');
}

function mistakes(): string {
  return MISTAKES.map(formatMistake).join('\n');
}

/** Only what is wrong: the warnings would be about something else. */
function formatMistake({ title, file, text }: Mistake): string {
  const errors = diagnose(text, file).filter(({ severity }) => severity === 'error');
  return [`### ${title}`, '', '```text', formatDiagnostics(errors), '```', ''].join('\n');
}

function codes(): string {
  // Sound: the keys of the table are the codes.
  return (Object.keys(DIAGNOSTIC_MEANINGS) as DiagnosticCode[]).map(formatCode).join('\n');
}

function formatCode(code: DiagnosticCode): string {
  const { lines, mend } = ERROR_EXAMPLES[code];
  const shown = lines === null ? [] : ['```text', formatDiagnostics(examplesOf(code, lines)), '```', ''];
  return [`## ${code}`, '', DIAGNOSTIC_MEANINGS[code], '', ...shown, mend, ''].join('\n');
}

function examplesOf(code: DiagnosticCode, lines: readonly string[]) {
  return diagnose(`${lines.join('\n')}\n`, 'photon.yaml')
    .filter((diagnostic) => diagnostic.code === code)
    .slice(0, 1);
}

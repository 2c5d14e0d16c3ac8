import type { Paint } from './terminal.ts';

/** The lines that diagnostics are written in (`formatDiagnostics`), and what stands out in each. */
const STYLES = [
  { line: /^(error\[[\w-]+\])(.*)$/, first: ['red', 'bold'], second: 'bold' },
  { line: /^(warning\[[\w-]+\])(.*)$/, first: ['yellow', 'bold'], second: 'bold' },
  { line: /^(\s*-->)(.*)$/, first: 'blue', second: null },
  { line: /^(\s+\|)( +\^+)$/, first: 'blue', second: 'red' },
  { line: /^(\s*\d* +\|)(.*)$/, first: 'blue', second: null },
  { line: /^(\s+=)( did you mean .*)$/, first: 'blue', second: 'green' },
] as const;

/** Colours the text of diagnostics. */
export function paintDiagnostics(text: string, paint: Paint): string {
  return text
    .split('\n')
    .map((line) => paintLine(line, paint))
    .join('\n');
}

function paintLine(line: string, paint: Paint): string {
  for (const { line: pattern, first, second } of STYLES) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const [, head = '', rest = ''] = match;
    return paint(first as Parameters<Paint>[0], head) + (second === null ? rest : paint(second, rest));
  }
  return line;
}

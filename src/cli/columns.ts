import { printable } from './terminal.ts';

const GAP = '  ';
/** No column is made narrower than this to fit. */
const MIN_WIDTH = 8;

/**
 * Lines of aligned columns, without blanks at their ends. Where they are wider than `width`, the widest columns are cut, with
 * `...` in the place of what is gone.
 */
export function alignColumns(rows: readonly (readonly string[])[], width: number | null): readonly string[] {
  const clean = rows.map((row) => row.map(printable));
  const count = Math.max(0, ...clean.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    clean.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  if (width !== null) narrow(widths, width - GAP.length * (count - 1));
  return clean.map((row) => {
    const cells = row.map((cell, column) => cut(cell, widths[column] as number).padEnd(widths[column] as number));
    return cells.join(GAP).trimEnd();
  });
}

/** Takes from the widest column, one character at a time, until all fit. */
function narrow(widths: number[], room: number): void {
  for (let sum = widths.reduce((total, width) => total + width, 0); sum > room; sum--) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= MIN_WIDTH) return;
    widths[widest] = (widths[widest] as number) - 1;
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}

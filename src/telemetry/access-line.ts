import type { AccessRecord } from './access-record.ts';
import { combinedLine } from './combined-line.ts';
import { jsonLine } from './json-line.ts';
import type { QueryPolicy } from './redact.ts';

export interface AccessLineOptions {
  readonly format: 'json' | 'combined';
  readonly query: QueryPolicy;
}

/** Writes a record as one line of printable ASCII, with its line feed. */
export type AccessLine = (record: AccessRecord) => string;

/** No line is longer: every text at its limit, every character of it escaped as `\u0000`, and what stands between. */
export const MAX_LINE_BYTES = 48 * 1024;

/** Makes the formatter for one configuration. */
export function compileAccessLine(options: AccessLineOptions): AccessLine {
  return options.format === 'json' ? jsonLine(options.query) : combinedLine(options.query);
}

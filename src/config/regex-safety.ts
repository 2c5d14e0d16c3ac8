import { createRequire } from 'node:module';
import type * as recheck from 'recheck';
import { isWithoutChoice } from './regex-without-choice.ts';

/** How long the look at one expression may take. */
const TIMEOUT_MS = 10_000;

/**
 * How many parts may be there or not, or be repeated from so many to so many times. Each may double the ways through a
 * text; the checker asks only how the time grows with the text, and takes 2^60 steps at most for no growth at all.
 */
const MAX_OPTIONAL_PARTS = 12;
const OPTIONAL = /(?<!\()\?|\{\d+,\d*\}/g;
const ESCAPE_OR_CLASS = /\\.|\[(?:\\.|[^\\\]])*\]/g;

const verdicts = new Map<string, string | null>();

/** Why an expression that compiles may take very long on some text; null when it cannot. */
export function regexDanger(source: string): string | null {
  if (isWithoutChoice(source)) return null;
  if (optionalPartsOf(source) > MAX_OPTIONAL_PARTS) return `it has more than ${MAX_OPTIONAL_PARTS} optional parts`;
  const known = verdicts.get(source);
  if (known !== undefined) return known;
  const verdict = askRecheck(source);
  verdicts.set(source, verdict);
  return verdict;
}

function optionalPartsOf(source: string): number {
  return source.replace(ESCAPE_OR_CLASS, 'x').match(OPTIONAL)?.length ?? 0;
}

function askRecheck(source: string): string | null {
  // Reading the checker takes a tenth of a second, and hardly any configuration needs it.
  const { checkSync } = createRequire(import.meta.url)('recheck') as typeof recheck;
  // Without this it would start a process or a thread of its own.
  process.env['RECHECK_SYNC_BACKEND'] = 'pure';
  const result = checkSync(source, '', { timeout: TIMEOUT_MS });
  if (result.status === 'safe') return null;
  if (result.status === 'unknown') return 'it is too complex to tell how long it can take';
  return `it can take ${result.complexity.type === 'exponential' ? 'exponential' : 'polynomial'} time, because a part of a text can match in several ways`;
}

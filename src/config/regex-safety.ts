import { createRequire } from 'node:module';
import type * as recheck from 'recheck';
import { parseRegex } from './regex-syntax.ts';
import { isEndless, takesLinearTime } from './regex-time.ts';
import { beginsAtStart, waysThrough } from './regex-ways.ts';
import { isWithoutChoice } from './regex-without-choice.ts';

/** How long the look at one expression may take. */
const TIMEOUT_MS = 10_000;

/**
 * So many ways through one text may be tried: for a text of a hundred characters that takes a few milliseconds. The checker below asks only how the
 * time grows with the text, and takes 2^60 steps at most for no growth at all.
 */
const MAX_WAYS = 4096;

/** Why an expression is refused, and what to do. */
export interface RegexDanger {
  /** Goes on a sentence about the expression: "which ...". */
  readonly reason: string;
  readonly help: string;
}

const verdicts = new Map<string, RegexDanger | null>();

/** Why an expression that compiles may take very long on some text; null when it cannot. */
export function regexDanger(source: string): RegexDanger | null {
  if (isWithoutChoice(source)) return null;
  const known = verdicts.get(source);
  if (known !== undefined) return known;
  const verdict = judge(source);
  verdicts.set(source, verdict);
  return verdict;
}

function judge(source: string): RegexDanger | null {
  const tree = parseRegex(source);
  if (tree === null)
    return { reason: 'has modifiers, or groups nested too deeply to judge it', help: 'write it without' };
  if (takesLinearTime(tree)) return null;
  if (waysThrough(tree) > MAX_WAYS) return MANY_WAYS;
  // Few ways through what has an end are few steps.
  return beginsAtStart(tree) && !isEndless(tree) ? null : askRecheck(source);
}

const MANY_WAYS: RegexDanger = {
  reason: `can try more than ${MAX_WAYS} ways to match one text, because its repetitions and alternatives multiply`,
  help: 'write repetitions within one another as one, "(a{1,3}){1,9}" as "a{1,27}", and let each part end with a character that it cannot have',
};

const ONE_WAY =
  'let no two neighbours, and no repetition and what is in it, match the same characters: "[^/]+" in the place of ".*"';

function askRecheck(source: string): RegexDanger | null {
  // Reading the checker takes a tenth of a second, and hardly any configuration needs it.
  const { checkSync } = createRequire(import.meta.url)('recheck') as typeof recheck;
  // Without this it would start a process or a thread of its own.
  process.env['RECHECK_SYNC_BACKEND'] = 'pure';
  const result = checkSync(source, '', { timeout: TIMEOUT_MS });
  if (result.status === 'safe') return null;
  if (result.status === 'unknown') return { reason: 'is too complex to tell how long it can take', help: ONE_WAY };
  const growth = result.complexity.type === 'exponential' ? 'exponential' : 'polynomial';
  return { reason: `can take ${growth} time, because a part of a text can match in several ways`, help: ONE_WAY };
}

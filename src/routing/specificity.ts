/**
 * How specific a route is. The most specific route that matches wins, whatever the order in the file:
 *
 *   1. the higher `priority`
 *   2. an exact host, then a wildcard host, then none
 *   3. the paths segment by segment: literal, then partly wild (more literal characters first), then `{name}` or `*`,
 *      then the end of the pattern, then the open end of a regular expression, then `**`
 *
 * A regular expression counts as its literal prefix: whole segments of it as literals, a piece of one as partly wild.
 *
 * The end of a pattern stands before `**` so that `/a` wins over `/a/**`, and after the others so that a pattern that
 * ends in `**` loses against one that goes on after it.
 */

import type { HostPattern } from './host-pattern.ts';
import type { Pattern, Segment } from './pattern.ts';
import type { LiteralPrefix } from './regex-prefix.ts';

export interface Specificity {
  readonly priority: number;
  readonly hostStep: number;
  readonly pathSteps: readonly number[];
}

const HOST_STEP = { exact: 0, wildcard: 1, every: 2 } as const satisfies Record<HostPattern['kind'], number>;

const LITERAL = 0;
/** Minus the number of literal characters, of which there are fewer than lie between two steps. */
const PARTLY_WILD = 10_000;
const ONE_SEGMENT = 20_000;
const END = 30_000;
const OPEN_END = 40_000;
const ANY_SEGMENTS = 50_000;

export function specificityOf(priority: number | null, host: HostPattern, pattern: Pattern): Specificity {
  const pathSteps = pattern.kind === 'regex' ? regexSteps(pattern.prefix) : [...pattern.segments.map(segmentStep), END];
  return { priority: priority ?? 0, hostStep: HOST_STEP[host.kind], pathSteps };
}

function segmentStep(segment: Segment): number {
  switch (segment.kind) {
    case 'literal':
      return LITERAL;
    case 'glob':
      return PARTLY_WILD - segment.literalCount;
    case 'one':
      return ONE_SEGMENT;
    case 'any':
      return ANY_SEGMENTS;
  }
}

function regexSteps({ text, endsSegment }: LiteralPrefix): number[] {
  const segments = text.slice(1).split('/');
  const piece = endsSegment ? '' : (segments.pop() as string);
  const steps: number[] = segments.map(() => LITERAL);
  if (piece !== '') steps.push(PARTLY_WILD - piece.length);
  return [...steps, OPEN_END];
}

/** Negative if `a` is more specific than `b`, 0 if they are equally specific. */
export function compareSpecificity(a: Specificity, b: Specificity): number {
  return b.priority - a.priority || a.hostStep - b.hostStep || compareSteps(a.pathSteps, b.pathSteps);
}

function compareSteps(a: readonly number[], b: readonly number[]): number {
  // Every list of steps ends in one that no other list goes on after, so neither is the beginning of the other.
  const different = a.findIndex((step, index) => step !== b[index]);
  return different < 0 ? 0 : (a[different] as number) - (b[different] as number);
}

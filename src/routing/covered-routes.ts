import { matchesGlob } from './glob.ts';
import type { HostPattern } from './host-pattern.ts';
import type { Pattern, Segment } from './pattern.ts';
import { groupEndsOf, type RankedRule, rankRules } from './ranking.ts';
import type { RouteRule } from './route-rule.ts';

/** With how many others one route is compared at most, so that 10,000 routes take no minute. */
const MAX_COMPARED = 200;

/**
 * For each route, the index of an earlier-ranked one that takes every request which would match it; null when none is
 * found. What is found is certain; not everything is found: a route that only several others take together is left out,
 * and a regular expression is compared by its text.
 */
export function findCoveredRoutes(rules: readonly RouteRule[]): readonly (number | null)[] {
  const ranked = rankRules(rules);
  const groupEnds = groupEndsOf(ranked);
  const covered: (number | null)[] = rules.map(() => null);
  const sameShape = new Map<string, number[]>();
  const priorities = new Set(ranked.map(({ specificity }) => specificity.priority));
  const wild: number[] = [];
  for (const [rank, candidate] of ranked.entries()) {
    const shape = shapeOf(candidate);
    const alike = sameShape.get(shape) ?? [];
    const takesAll = (other: number) =>
      takesAllOf(ranked[other] as RankedRule, candidate, rank < (groupEnds[other] ?? 0));
    // Without priorities only routes of one shape can be both as specific and as general.
    const by = alike.find(takesAll) ?? (priorities.size > 1 ? wild.find(takesAll) : undefined);
    if (by !== undefined) covered[candidate.index] = (ranked[by] as RankedRule).index;
    if (alike.length < MAX_COMPARED) alike.push(rank);
    sameShape.set(shape, alike);
    if (wild.length < MAX_COMPARED && !isLiteral(candidate.pattern)) wild.push(rank);
  }
  return covered;
}

/** Routes whose paths differ in more than the wildcards within segments are never equally specific and alike. */
function shapeOf({ pattern }: RankedRule): string {
  if (pattern.kind === 'regex') return pattern.source;
  return pattern.segments
    .map((segment) => (segment.kind === 'literal' ? `/${segment.text}` : `/${segment.kind}?`))
    .join('');
}

function isLiteral(pattern: Pattern): boolean {
  return pattern.kind === 'segments' && pattern.segments.every(({ kind }) => kind === 'literal');
}

/**
 * Where two are equally specific, the later one still gets the methods that the earlier one does not take. Otherwise the
 * earlier one decides alone, be it with 405.
 */
function takesAllOf(earlier: RankedRule, later: RankedRule, inOneGroup: boolean): boolean {
  return (
    hostCovers(earlier.host, later.host) &&
    pathCovers(earlier.pattern, later.pattern) &&
    predicatesCover(earlier.rule, later.rule) &&
    (!inOneGroup || methodsCover(earlier.rule.methods, later.rule.methods))
  );
}

function hostCovers(a: HostPattern, b: HostPattern): boolean {
  if (a.kind === 'every') return true;
  if (a.kind === 'exact') return b.kind === 'exact' && a.name === b.name;
  if (b.kind === 'wildcard') return a.suffix === b.suffix;
  return b.kind === 'exact' && b.name.slice(b.name.indexOf('.')) === a.suffix;
}

/** GET implies HEAD. */
function methodsCover(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null) return true;
  return b?.every((method) => a.includes(method) || (method === 'HEAD' && a.includes('GET'))) ?? false;
}

function predicatesCover(a: RouteRule, b: RouteRule): boolean {
  return (
    Object.entries(a.match.headers).every(([name, value]) => isWithin(wantedOf(b.match.headers, name), value)) &&
    Object.entries(a.match.query).every(([name, value]) => isWithin(wantedOf(b.match.query, name), value))
  );
}

function wantedOf(predicates: Readonly<Record<string, string | true>>, name: string): string | true | undefined {
  return Object.hasOwn(predicates, name) ? predicates[name] : undefined;
}

function isWithin(narrow: string | true | undefined, wide: string | true): boolean {
  return narrow !== undefined && (wide === true || narrow === wide);
}

function pathCovers(a: Pattern, b: Pattern): boolean {
  if (a.kind === 'regex') return b.kind === 'regex' && a.source === b.source;
  if (b.kind === 'regex') return a.segments.length === 1 && a.segments[0]?.kind === 'any';
  return segmentsCover(a.segments, b.segments);
}

/**
 * Whether every path that fits `b` fits `a`. Row by row: `reach[j]` tells whether the segments of `a` so far cover the
 * first `j` of `b`.
 */
function segmentsCover(a: readonly Segment[], b: readonly Segment[]): boolean {
  const [first, other] = [a[0], b[0]];
  if (first?.kind === 'literal' && other?.kind === 'literal' && first.text !== other.text) return false;
  let reach: readonly boolean[] = [true, ...b.map(() => false)];
  for (const wide of a) {
    const next: boolean[] = [];
    for (let j = 0; j <= b.length; j++) {
      const narrow = b[j - 1];
      if (wide.kind === 'any') next[j] = reach[j] === true || next[j - 1] === true;
      else next[j] = narrow !== undefined && reach[j - 1] === true && segmentCovers(wide, narrow);
    }
    reach = next;
  }
  return reach[b.length] === true;
}

function segmentCovers(wide: Segment, narrow: Segment): boolean {
  if (narrow.kind === 'any' || wide.kind === 'any') return false;
  // A glob has a character that must be there, or it would be "*".
  if (wide.kind === 'one') return narrow.kind !== 'literal' || narrow.text !== '';
  if (narrow.kind === 'one') return false;
  if (wide.kind === 'literal') return narrow.kind === 'literal' && wide.text === narrow.text;
  return wide.text === narrow.text || (narrow.kind === 'literal' && globMatches(wide.text, narrow.text));
}

function globMatches(glob: string, text: string): boolean {
  const bytes = Buffer.from(glob, 'latin1');
  return matchesGlob(bytes, 0, bytes.length, text, 0, text.length);
}

import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import type { RouteRule } from './route-rule.ts';
import { compareSpecificity, type Specificity, specificityOf } from './specificity.ts';

/** A route with its patterns read. Its place in the list that `rankRules` gives is its rank; 0 is tried first. */
export interface RankedRule {
  /** Place in the configuration. */
  readonly index: number;
  readonly rule: RouteRule;
  readonly host: HostPattern;
  readonly pattern: Pattern;
  readonly specificity: Specificity;
}

/**
 * The routes in the order in which they are to be tried. Among equally specific ones: those with a list of methods
 * first, then those with more predicates, then those that stand first.
 * @throws Error for a pattern or host that cannot be read
 */
export function rankRules(rules: readonly RouteRule[]): RankedRule[] {
  return rules
    .map(readRule)
    .sort((a, b) => compareSpecificity(a.specificity, b.specificity) || compareWithinGroup(a, b));
}

/**
 * For each rank, the first rank after its group. A group is a run of equally specific routes: where the first of them
 * that matches does not take the method, another one of the group may, but no route outside of it.
 */
export function groupEndsOf(ranked: readonly RankedRule[]): number[] {
  const ends: number[] = [];
  let end = ranked.length;
  for (let rank = ranked.length - 1; rank >= 0; rank -= 1) {
    const next = ranked[rank + 1];
    const isLast = next !== undefined && compareSpecificity((ranked[rank] as RankedRule).specificity, next.specificity);
    if (isLast) end = rank + 1;
    ends[rank] = end;
  }
  return ends;
}

/** What can make one route come before another, in the order in which it is looked at. */
export type RankingReason = 'priority' | 'host' | 'path' | 'methods' | 'predicates' | 'order';

/** What makes `a` come before `b`, or `b` before `a`. */
export function rankingReason(a: RankedRule, b: RankedRule): RankingReason {
  if (a.specificity.priority !== b.specificity.priority) return 'priority';
  if (a.specificity.hostStep !== b.specificity.hostStep) return 'host';
  if (compareSpecificity(a.specificity, b.specificity) !== 0) return 'path';
  if ((a.rule.methods === null) !== (b.rule.methods === null)) return 'methods';
  return countPredicates(a.rule) === countPredicates(b.rule) ? 'order' : 'predicates';
}

function readRule(rule: RouteRule, index: number): RankedRule {
  const host = parseHostPattern(rule.host);
  const pattern = parsePattern(rule.path);
  return { index, rule, host, pattern, specificity: specificityOf(rule.priority, host, pattern) };
}

function compareWithinGroup(a: RankedRule, b: RankedRule): number {
  const byMethods = Number(a.rule.methods === null) - Number(b.rule.methods === null);
  return byMethods || countPredicates(b.rule) - countPredicates(a.rule) || a.index - b.index;
}

function countPredicates({ match }: RouteRule): number {
  return Object.keys(match.headers).length + Object.keys(match.query).length;
}

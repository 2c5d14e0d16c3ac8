/**
 * Routing as the rules say it, with no thought for speed: rank all routes, take the first that matches. The model that
 * the router is held against. It shares no code with it.
 */
import type { RouteRule } from '../../src/routing/route-rule.ts';

export interface ModelRequest {
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The place of the route, `not found`, or the methods that `Allow` names. */
export type ModelAnswer = number | 'not found' | readonly string[];

export function referenceFind(rules: readonly RouteRule[], request: ModelRequest): ModelAnswer {
  const matching = rules
    .map((rule, index) => ({ rule, index }))
    .filter(({ rule }) => matchesHost(rule.host, request.host))
    .filter(({ rule }) => matchesPath(rule.path, request.path))
    .filter(({ rule }) => matchesPredicates(rule, request));
  const best = matching.toSorted((a, b) => compareRules(a.rule, b.rule) || a.index - b.index)[0];
  if (best === undefined) return 'not found';
  const equals = matching.filter(({ rule }) => comparePlaces(rule, best.rule) === 0);
  const takers = equals.filter(({ rule }) => methodsOf(rule)?.includes(request.method) ?? true);
  const winner = takers.toSorted((a, b) => compareRules(a.rule, b.rule) || a.index - b.index)[0];
  return winner?.index ?? [...new Set(equals.flatMap(({ rule }) => methodsOf(rule) ?? []))].sort();
}

function methodsOf({ methods }: RouteRule): readonly string[] | null {
  return methods?.includes('GET') ? [...methods, 'HEAD'] : methods;
}

function matchesHost(pattern: string | null, host: string): boolean {
  if (pattern === null) return true;
  const [first, ...rest] = host.split('.');
  return pattern === host || (first !== '' && rest.length > 0 && pattern === ['*', ...rest].join('.'));
}

export function matchesPath(pattern: string, path: string): boolean {
  if (pattern.startsWith('^')) return new RegExp(pattern).test(path);
  return matchesSegments(pattern.slice(1).split('/'), path.slice(1).split('/'));
}

function matchesSegments(patterns: readonly string[], segments: readonly string[]): boolean {
  const [pattern, ...others] = patterns;
  if (pattern === undefined) return segments.length === 0;
  if (pattern === '**') {
    return (
      segments.keys().some((skipped) => matchesSegments(others, segments.slice(skipped))) || matchesSegments(others, [])
    );
  }
  const [segment, ...rest] = segments;
  return segment !== undefined && matchesSegment(pattern, segment) && matchesSegments(others, rest);
}

function matchesSegment(pattern: string, segment: string): boolean {
  if (pattern === '*' || pattern.startsWith('{')) return segment !== '';
  const source = pattern
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/[*?]/g, (wildcard) => (wildcard === '*' ? '(?:%..|[^%])*' : '(?:%..|[^%])'));
  return new RegExp(`^${source}$`).test(segment);
}

function matchesPredicates({ match }: RouteRule, { headers, query }: ModelRequest): boolean {
  const parameters = new URLSearchParams(query);
  const hasHeaders = Object.entries(match.headers).every(([name, want]) =>
    want === true ? headers[name] !== undefined : headers[name] === want,
  );
  return (
    hasHeaders &&
    Object.entries(match.query).every(([name, want]) =>
      want === true ? parameters.has(name) : parameters.has(name, want),
    )
  );
}

/** Negative if `a` is tried before `b`. */
function compareRules(a: RouteRule, b: RouteRule): number {
  return (
    comparePlaces(a, b) ||
    Number(a.methods === null) - Number(b.methods === null) ||
    predicateCount(b) - predicateCount(a)
  );
}

function predicateCount({ match }: RouteRule): number {
  return Object.keys(match.headers).length + Object.keys(match.query).length;
}

/** Compares what makes routes equally specific or not: priority, host, path. */
function comparePlaces(a: RouteRule, b: RouteRule): number {
  return (b.priority ?? 0) - (a.priority ?? 0) || hostClass(a.host) - hostClass(b.host) || comparePaths(a.path, b.path);
}

function hostClass(host: string | null): number {
  if (host === null) return 2;
  return host.startsWith('*') ? 1 : 0;
}

function comparePaths(a: string, b: string): number {
  const [left, right] = [pathClasses(a), pathClasses(b)];
  const place = left.findIndex((text, index) => text !== right[index]);
  return place < 0 ? 0 : (left[place] as string) < (right[place] as string) ? -1 : 1;
}

/** A text per segment; the one that sorts first is the more specific. */
function pathClasses(pattern: string): string[] {
  if (pattern.startsWith('^')) {
    // The model's regular expressions are literal up to the first "[" or "$".
    const prefix = pattern.slice(1).replace(/\[.*/, '').replace(/\$$/, '/');
    const segments = prefix.slice(1).split('/');
    const piece = segments.pop() as string;
    const whole = segments.map(() => 'a literal');
    return [...whole, ...(piece === '' ? [] : [`b glob ${999 - piece.length}`]), 'e open'];
  }
  const classes = pattern
    .slice(1)
    .split('/')
    .map((segment) => {
      if (segment === '**') return 'f any';
      if (segment === '*' || segment.startsWith('{')) return 'c one';
      return /[*?]/.test(segment) ? `b glob ${999 - segment.replace(/[*?]/g, '').length}` : 'a literal';
    });
  // Two "**" in a row mean what one means.
  return [...classes.filter((text, place) => text !== 'f any' || classes[place - 1] !== text), 'd end'];
}

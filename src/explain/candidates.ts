import type { RouteConfig } from '../config/config.ts';
import { isSecretPath } from '../config/secrets.ts';
import { type RankedRule, type RankingReason, rankingReason } from '../routing/ranking.ts';
import type { RouteRule } from '../routing/route-rule.ts';
import type { RoutedRequest } from '../routing/routed-request.ts';
import { ROUTE_NOT_FOUND, Router } from '../routing/router.ts';
import { buildRouterTables } from '../routing/router-tables.ts';

/** What a route asks of a request, in the order in which it is asked; `rank`: it takes the request, but another comes first. */
export type FailedTest = 'host' | 'path' | 'header' | 'query' | 'method' | 'rank';

/** A route, and how it stands to the request. */
export interface Candidate {
  /** From 1: the place in the order in which routes are tried. */
  readonly rank: number;
  readonly id: string;
  readonly host: string | null;
  readonly path: string;
  readonly methods: readonly string[] | null;
  /** The first test that failed; null for the route that took the request. */
  readonly failed: FailedTest | null;
  /** One line for people. */
  readonly reason: string;
}

const MAX_SHOWN = 10;

/** How far a failed test takes a route away from the request; a path does so by how much of it differs. */
const DISTANCE = { host: 2, path: 2, header: 1, query: 1, method: 1 } as const;

interface Tested {
  readonly ranked: RankedRule;
  readonly rank: number;
  readonly failures: readonly { readonly test: keyof typeof DISTANCE; readonly reason: string }[];
  readonly distance: number;
}

/**
 * The routes nearest to a request, in the order in which they are tried, and how many more there are. Each test is put to the
 * data path's own router, over one route that asks nothing but this.
 *
 * `ranked`: the rules of `routes` by rank. `taken`: place in the configuration of the route that the router found, or null.
 */
export function explainCandidates(
  ranked: readonly RankedRule[],
  routes: readonly RouteConfig[],
  request: RoutedRequest,
  taken: number | null,
): { readonly shown: readonly Candidate[]; readonly others: number } {
  const tests = new RouteTests(request);
  const tested = ranked.map((each, rank) => testRoute(tests, each, rank, request.path));
  const decider = tested.find(({ ranked: { index }, failures }) =>
    taken === null ? failures.every(({ test }) => test === 'method') : index === taken,
  );
  const nearest = tested
    .toSorted((a, b) => Number(b === decider) - Number(a === decider) || a.distance - b.distance || a.rank - b.rank)
    .slice(0, MAX_SHOWN)
    .sort((a, b) => a.rank - b.rank);
  const shown = nearest.map((each): Candidate => {
    // Sound: rules are ranked from this very list.
    const { id, host, path, methods } = routes[each.ranked.index] as RouteConfig;
    return { rank: each.rank + 1, id, host, path, methods, ...verdictOn(each, decider, routes, taken) };
  });
  return { shown, others: tested.length - shown.length };
}

function verdictOn(
  { ranked, failures }: Tested,
  decider: Tested | undefined,
  routes: readonly RouteConfig[],
  taken: number | null,
): Pick<Candidate, 'failed' | 'reason'> {
  const [first] = failures;
  if (first !== undefined) return { failed: first.test, reason: first.reason };
  if (ranked.index === taken) return { failed: null, reason: 'takes the request' };
  // Sound: a route that takes the request is not the one found only where another was, or refused the method.
  const above = decider as Tested;
  const { id } = routes[above.ranked.index] as RouteConfig;
  if (taken === null) return { failed: 'rank', reason: `would take it, but ${id} has this path under other methods` };
  return {
    failed: 'rank',
    reason: `would take it, but ${id} comes first: ${WHY_FIRST[rankingReason(above.ranked, ranked)]}`,
  };
}

const WHY_FIRST: Readonly<Record<RankingReason, string>> = {
  priority: 'its priority is higher',
  host: 'its host is more specific',
  path: 'its path is more specific',
  methods: 'it lists its methods',
  predicates: 'it asks for more fields or parameters',
  order: 'it stands earlier in the file',
};

function testRoute(tests: RouteTests, ranked: RankedRule, rank: number, path: string): Tested {
  const { rule } = ranked;
  const failures: Tested['failures'][number][] = [];
  if (!tests.host(rule)) failures.push({ test: 'host', reason: `the host is not ${rule.host}` });
  if (!tests.path(rule)) failures.push({ test: 'path', reason: 'the path does not match' });
  for (const [kind, word] of [
    ['headers', 'header'],
    ['query', 'query'],
  ] as const) {
    for (const [name, value] of Object.entries(rule.match[kind])) {
      if (!tests.predicate(kind, name, value))
        failures.push({ test: word, reason: wantedPredicate(word, name, value) });
    }
  }
  if (!tests.method(rule)) failures.push({ test: 'method', reason: `the method is not ${rule.methods?.join(', ')}` });
  const distance = failures.reduce(
    (sum, { test }) => sum + DISTANCE[test] * (test === 'path' ? 0.5 + differenceOf(rule.path, path) / 2 : 1),
    0,
  );
  return { ranked, rank, failures, distance };
}

function wantedPredicate(word: 'header' | 'query', name: string, value: string | true): string {
  const what = word === 'header' ? `the header ${name}` : `the query parameter ${name}`;
  if (value === true) return `${what} is missing`;
  return isSecretPath([name]) ? `${what} has not the value wanted` : `${what} is not ${JSON.stringify(value)}`;
}

/** From 0 to 1: how much of a path a pattern does not begin like. */
function differenceOf(pattern: string, path: string): number {
  const text = pattern.replace(/^\^/, '');
  let shared = 0;
  while (shared < text.length && text[shared] === path[shared]) shared += 1;
  return 1 - shared / Math.max(text.length, path.length);
}

/** Asks the router about one thing at a time. What many routes have in common is asked once. */
class RouteTests {
  readonly #request: RoutedRequest;
  readonly #answers = new Map<string, boolean>();

  constructor(request: RoutedRequest) {
    this.#request = request;
  }

  host({ host }: RouteRule): boolean {
    return host === null || this.#ask(`host ${host}`, { ...EVERYTHING, host });
  }

  path({ path }: RouteRule): boolean {
    return this.#ask(`path ${path}`, { ...EVERYTHING, path });
  }

  method({ methods }: RouteRule): boolean {
    return methods === null || this.#ask(`method ${methods.join(' ')}`, { ...EVERYTHING, methods });
  }

  predicate(kind: 'headers' | 'query', name: string, value: string | true): boolean {
    const match = { ...EVERYTHING.match, [kind]: { [name]: value } };
    return this.#ask(`${kind} ${name} ${JSON.stringify(value)}`, { ...EVERYTHING, match });
  }

  #ask(question: string, rule: RouteRule): boolean {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = new Router(buildRouterTables([rule])).find(this.#request) > ROUTE_NOT_FOUND;
    this.#answers.set(question, answer);
    return answer;
  }
}

/** A route that takes every request. */
const EVERYTHING: RouteRule = {
  path: '/**',
  methods: null,
  host: null,
  priority: null,
  match: { headers: {}, query: {} },
};

import type { RouteRule } from '../../src/routing/route-rule.ts';
import type { RoutedRequest } from '../../src/routing/routed-request.ts';
import { Router } from '../../src/routing/router.ts';
import { buildRouterTables } from '../../src/routing/router-tables.ts';

type Predicates = Readonly<Record<string, string | true>>;

interface RuleSettings extends Partial<Omit<RouteRule, 'path' | 'match'>> {
  readonly headers?: Predicates;
  readonly query?: Predicates;
}

/** A route with nothing but a path, or with what is given. */
export function makeRule(path: string, { headers = {}, query = {}, ...settings }: RuleSettings = {}): RouteRule {
  return { path, methods: null, host: null, priority: null, match: { headers, query }, ...settings };
}

interface RequestSettings extends Partial<Omit<RoutedRequest, 'path' | 'headerValue' | 'ownValue'>> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A GET of a path without a host, or with what is given. */
export function makeRequest(path: string, { headers = {}, ...settings }: RequestSettings = {}): RoutedRequest {
  const value = (name: string) => headers[name];
  return { host: '', path, query: '', method: 'GET', headerValue: value, ownValue: value, ...settings };
}

/** A router for routes in the order of the configuration; a text stands for a route with nothing but that path. */
export function makeRouter(...rules: readonly (RouteRule | string)[]): Router {
  return new Router(buildRouterTables(rules.map((rule) => (typeof rule === 'string' ? makeRule(rule) : rule))));
}

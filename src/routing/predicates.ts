import { utf8Bytes } from '../base/latin1.ts';
import { isRewritten } from '../http/hop-by-hop.ts';
import { formBytes } from '../http/query.ts';
import type { RouteRule } from './route-rule.ts';
import type { RoutedRequest } from './routed-request.ts';

/** A name and a value as bytes, one character each, as requests have them. */
interface Predicate {
  readonly name: string;
  /** Null: any value will do. */
  readonly value: string | null;
}

/** A predicate on a field. */
interface HeaderPredicate extends Predicate {
  /** The gateway writes the field: what clients claim in it counts for nothing. */
  readonly rewritten: boolean;
}

/** The conditions of one route on fields and query parameters. All must hold. */
export interface RoutePredicates {
  readonly headers: readonly HeaderPredicate[];
  readonly query: readonly Predicate[];
}

/** Null if the route has none. */
export function predicatesOf({ match }: RouteRule): RoutePredicates | null {
  const headers = listPredicates(match.headers).map((each) => ({ ...each, rewritten: isRewritten(each.name) }));
  const query = listPredicates(match.query);
  return headers.length + query.length > 0 ? { headers, query } : null;
}

function listPredicates(values: Readonly<Record<string, string | true>>): Predicate[] {
  return Object.entries(values).map(([name, value]) => ({
    name: utf8Bytes(name),
    value: value === true ? null : utf8Bytes(value),
  }));
}

export function predicatesHold(predicates: RoutePredicates, request: RoutedRequest): boolean {
  for (const { name, value, rewritten } of predicates.headers) {
    const found = rewritten ? request.ownValue(name) : request.headerValue(name);
    if (found === undefined || (value !== null && found !== value)) return false;
  }
  for (const { name, value } of predicates.query) {
    if (!queryHas(request.query, name, value)) return false;
  }
  return true;
}

/**
 * Whether a query, read as `application/x-www-form-urlencoded` the way upstreams will, has the parameter, with this value
 * in at least one place.
 */
function queryHas(query: string, name: string, value: string | null): boolean {
  for (let start = 0; start < query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    if (pairIs(query.slice(start, end), name, value)) return true;
    start = end + 1;
  }
  return false;
}

function pairIs(pair: string, name: string, value: string | null): boolean {
  const equals = pair.indexOf('=');
  const nameEnd = equals < 0 ? pair.length : equals;
  if (pair === '' || formBytes(pair.slice(0, nameEnd)) !== name) return false;
  return value === null || value === (equals < 0 ? '' : formBytes(pair.slice(equals + 1)));
}

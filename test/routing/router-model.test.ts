import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RouteRule } from '../../src/routing/route-rule.ts';
import { ROUTE_METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND, Router } from '../../src/routing/router.ts';
import { buildRouterTables } from '../../src/routing/router-tables.ts';
import { type ModelAnswer, type ModelRequest, referenceFind } from './reference-router.ts';

const oneOf = fc.constantFrom;

const patternSegment = oneOf('a', 'b', 'ab', 'abc', '*', '{id}', '**', 'a*', '*b', '?', 'a?c', 'a*c*', '%20*', '*?');
const regex = oneOf('^/a[b/]', '^/a/[^/]+$', '^/ab[c]?$', '^/[ab]', '^/a/b$', '^/a/b[/]?', '^/', '^[^c]*$');
const pattern = fc.oneof(
  { weight: 9, arbitrary: fc.array(patternSegment, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

/** No `{id}` twice in a pattern, no two `**` in a row (which mean one), sometimes a slash at the end. */
const path = fc.tuple(pattern, regex, fc.boolean()).map(([segments, source, endsInSlash]) => {
  if (segments === null) return source;
  const texts = segments
    .map((text, index) => (text === '{id}' ? `{id${index}}` : text))
    .filter((text, index) => text !== '**' || segments[index - 1] !== '**');
  return endsInSlash || texts.length === 0 ? `/${[...texts, ''].join('/')}` : `/${texts.join('/')}`;
});

const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 4 }).map((value) => value);
const often = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T) => fc.option(arbitrary, { freq: 3, nil: otherwise });

const methodList = oneOf(['GET'], ['POST'], ['GET', 'POST'], ['HEAD'], ['PURGE', 'GET']);

const rule: fc.Arbitrary<RouteRule> = fc.record({
  path,
  methods: fc.option(methodList, { freq: 2 }),
  host: rarely(oneOf('a.test', 'b.test', '*.test', '*.a.test')),
  priority: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: oneOf(-1, 0, 1, 2) }),
  match: fc.record({
    headers: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: oneOf({ x: '1' }, { x: true as const }) },
    ),
    query: fc.oneof(
      { weight: 4, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: oneOf({ q: '1' }, { q: true as const }) },
    ),
  }),
});

const requestSegment = oneOf('a', 'b', 'ab', 'abc', 'ac', 'c', '%20', 'a%20c', '', 'a%2Fb');
const request: fc.Arbitrary<ModelRequest> = fc.record({
  host: oneOf('a.test', 'b.test', 'c.test', 'x.a.test', 'test', '', 'y.x.a.test'),
  path: fc.array(requestSegment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`),
  query: often(oneOf('q=1', 'q=2', 'r=1', 'q', '%71=%31', 'q=2&q=1'), ''),
  method: oneOf('GET', 'POST', 'HEAD', 'PURGE', 'DELETE'),
  headers: often(oneOf<Readonly<Record<string, string>>>({ x: '1' }, { x: '2' }), {}),
});

function find(router: Router, { headers, ...rest }: ModelRequest): ModelAnswer {
  const value = (name: string) => headers[name];
  const routed = { ...rest, headerValue: value, ownValue: value };
  const answer = router.find(routed);
  if (answer === ROUTE_NOT_FOUND) return 'not found';
  if (answer !== ROUTE_METHOD_NOT_ALLOWED) return answer;
  return router.allowedMethods(routed).split(', ');
}

function agree(rules: readonly RouteRule[], requests: readonly ModelRequest[]): void {
  const router = new Router(structuredClone(buildRouterTables(rules)));
  for (const each of requests) {
    assert.deepEqual(find(router, each), referenceFind(rules, each), JSON.stringify({ request: each, rules }, null, 1));
  }
}

test('the router answers as ranking all routes and taking the first that matches does', () => {
  const routeSet = fc.array(rule, { minLength: 1, maxLength: 24 });
  const requests = fc.array(request, { minLength: 20, maxLength: 20 });
  fc.assert(fc.property(routeSet, requests, agree), { numRuns: 1500 });
});

test('it does so with hundreds of routes that share most of their paths', () => {
  const routeSet = fc.array(rule, { minLength: 200, maxLength: 400, size: 'max' });
  const requests = fc.array(request, { minLength: 30, maxLength: 30, size: 'max' });
  fc.assert(fc.property(routeSet, requests, agree), { numRuns: 25, endOnFailure: true });
});

test('it does so with patterns of many `**`', () => {
  const segment = oneOf('**', 'a', 'b', '*', 'a*');
  const anyPath = fc.array(segment, { minLength: 1, maxLength: 9 }).map((segments) => {
    const texts = segments.filter((text, index) => text !== '**' || segments[index - 1] !== '**');
    return `/${texts.join('/')}`;
  });
  const anyRule = fc.record({ path: anyPath, query: rarely(oneOf('1', '2')) }).map(
    ({ path: text, query }): RouteRule => ({
      path: text,
      methods: null,
      host: null,
      priority: null,
      match: { headers: {}, query: query === null ? {} : { q: query } },
    }),
  );
  const anyRequest = fc.record({
    host: fc.constant(''),
    path: fc.array(oneOf('a', 'b', 'ab'), { maxLength: 9 }).map((segments) => `/${segments.join('/')}`),
    query: oneOf('', 'q=1'),
    method: fc.constant('GET'),
    headers: fc.constant({}),
  });
  const routeSet = fc.array(anyRule, { minLength: 1, maxLength: 12 });
  const requests = fc.array(anyRequest, { minLength: 20, maxLength: 20 });
  fc.assert(fc.property(routeSet, requests, agree), { numRuns: 1500 });
});

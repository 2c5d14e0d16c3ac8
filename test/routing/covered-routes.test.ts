import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCoveredRoutes } from '../../src/routing/covered-routes.ts';
import type { RouteRule } from '../../src/routing/route-rule.ts';
import { referenceFind } from './reference-router.ts';

const NO_MATCH = { headers: {}, query: {} };

function rule(path: string, rest: Partial<RouteRule> = {}): RouteRule {
  return { path, methods: null, host: null, priority: null, match: NO_MATCH, ...rest };
}

const CASES: readonly {
  readonly why: string;
  readonly rules: readonly RouteRule[];
  readonly covered: readonly (number | null)[];
}[] = [
  { why: 'the same path again', rules: [rule('/a'), rule('/a')], covered: [null, 0] },
  { why: 'a parameter by another name', rules: [rule('/{a}'), rule('/{b}')], covered: [null, 0] },
  { why: 'a general route without priority is no harm', rules: [rule('/**'), rule('/a')], covered: [null, null] },
  { why: 'a general route with priority', rules: [rule('/**', { priority: 1 }), rule('/a/*')], covered: [null, 0] },
  {
    why: '"**" takes what stands before it, too',
    rules: [rule('/a/**', { priority: 1 }), rule('/a')],
    covered: [null, 0],
  },
  { why: 'other methods of one path', rules: [rule('/a', { methods: ['GET'] }), rule('/a')], covered: [null, null] },
  {
    why: 'fewer methods of one path, HEAD with GET',
    rules: [rule('/a', { methods: ['GET', 'POST'] }), rule('/a', { methods: ['HEAD'] })],
    covered: [null, 0],
  },
  {
    why: 'a method list of a more specific route answers 405 for the others',
    rules: [rule('/a', { methods: ['GET'], priority: 1 }), rule('/a')],
    covered: [null, 0],
  },
  {
    why: 'another host',
    rules: [rule('/a', { host: 'a.example' }), rule('/a', { host: 'b.example' })],
    covered: [null, null],
  },
  {
    why: 'a host that a wildcard takes',
    rules: [rule('/a', { host: '*.example', priority: 1 }), rule('/a', { host: 'a.example' })],
    covered: [null, 0],
  },
  {
    why: 'a deeper host than a wildcard takes',
    rules: [rule('/a', { host: '*.example', priority: 1 }), rule('/a', { host: 'a.b.example' })],
    covered: [null, null],
  },
  {
    why: 'a condition that the other one has not',
    rules: [rule('/a', { match: { headers: { x: true }, query: {} } }), rule('/a')],
    covered: [null, null],
  },
  {
    why: 'a condition that is part of the other one',
    rules: [
      rule('/a', { match: { headers: { x: true }, query: {} }, methods: ['GET'] }),
      rule('/a', { match: { headers: { x: '1' }, query: {} }, methods: ['GET'], priority: -1 }),
    ],
    covered: [null, 0],
  },
  {
    why: 'two "**" in a row mean what one means, so that both are as specific',
    rules: [rule('/**/**', { methods: ['GET', 'POST'] }), rule('/**', { methods: ['GET'] })],
    covered: [null, 0],
  },
  { why: 'one expression twice', rules: [rule('^/a[0-9]'), rule('^/a[0-9]')], covered: [null, 0] },
  {
    why: '"*" does not take the empty segment',
    rules: [rule('/a/*', { priority: 1 }), rule('/a/')],
    covered: [null, null],
  },
];

for (const { why, rules, covered } of CASES) {
  test(`which routes never get a request: ${why}`, () => {
    assert.deepEqual(findCoveredRoutes(rules), covered);
  });
}

const segment = fc.constantFrom('a', 'b', 'ab', '*', '**', '{x}', 'a*', '?');
const path = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => `/${segments.join('/')}`)
  .filter((text) => text.split('{x}').length < 3);
const anyRule = fc.record({
  path,
  methods: fc.constantFrom(null, ['GET'], ['POST'], ['GET', 'POST']),
  host: fc.constantFrom(null, 'a.example', '*.example'),
  priority: fc.constantFrom(null, null, 1),
  match: fc.constantFrom(NO_MATCH, { headers: { x: true as const }, query: {} }, { headers: { x: '1' }, query: {} }),
});
const anyRequest = fc.record({
  host: fc.constantFrom('a.example', 'b.example', 'other'),
  path: fc
    .array(fc.constantFrom('a', 'b', 'ab', 'abc', ''), { minLength: 1, maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`),
  query: fc.constant(''),
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
  headers: fc.constantFrom({}, { x: '1' }, { x: '2' }),
});

test('no request ever reaches a route that is said to be covered', () => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { minLength: 2, maxLength: 6 }),
      fc.array(anyRequest, { minLength: 20, maxLength: 20 }),
      (rules, requests) => {
        const covered = findCoveredRoutes(rules);
        for (const request of requests) {
          const found = referenceFind(rules, request);
          if (typeof found === 'number') assert.equal(covered[found], null);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { predicatesHold, predicatesOf, type RoutePredicates } from '../../src/routing/predicates.ts';
import { makeRequest, makeRule } from './rule.ts';

function holds(wanted: Readonly<Record<string, string | true>>, query: string): boolean {
  const predicates = predicatesOf(makeRule('/', { query: wanted })) as RoutePredicates;
  return predicatesHold(predicates, makeRequest('/', { query }));
}

const QUERIES = [
  { wanted: { v: '2' }, query: 'v=2', want: true, why: 'the one parameter' },
  { wanted: { v: '2' }, query: 'a=1&v=2&b=3', want: true, why: 'one of several' },
  { wanted: { v: '2' }, query: 'v=1&v=2', want: true, why: 'the second of its name' },
  { wanted: { v: '2' }, query: 'v=22', want: false, why: 'a longer value' },
  { wanted: { v: '2' }, query: 'vv=2', want: false, why: 'a longer name' },
  { wanted: { v: '2' }, query: 'V=2', want: false, why: 'names are case-sensitive' },
  { wanted: { v: '2' }, query: '%76=%32', want: true, why: 'percent-encoded, as an upstream would read it' },
  { wanted: { v: 'a b' }, query: 'v=a+b', want: true, why: 'a plus is a space' },
  { wanted: { v: 'a=b' }, query: 'v=a=b', want: true, why: 'only the first equals sign separates' },
  { wanted: { v: '%zz' }, query: 'v=%zz', want: true, why: 'what is no percent-encoding stands for itself' },
  { wanted: { v: '\u0173' }, query: 'v=%C5%B3', want: true, why: 'the bytes of the text in UTF-8' },
  { wanted: { v: 's' }, query: 'v=%C5%B3', want: false, why: 'characters are not cut down to bytes' },
  { wanted: { v: '\ufffd' }, query: 'v=%FF', want: false, why: 'nothing stands in for bytes that are no UTF-8' },
  { wanted: { '\u00fc': '1' }, query: '%C3%BC=1', want: true, why: 'a name that is not ASCII' },
  { wanted: { v: true as const }, query: 'v', want: true, why: 'present without a value' },
  { wanted: { v: true as const }, query: 'v=', want: true, why: 'present with an empty value' },
  { wanted: { v: '' }, query: 'v', want: true, why: 'no value is the empty one' },
  { wanted: { v: true as const }, query: '', want: false, why: 'no query' },
  { wanted: { v: true as const }, query: 'a=v', want: false, why: 'a value is no name' },
  { wanted: { '?v': true as const }, query: '?v=%41', want: true, why: 'a second question mark is part of the name' },
  { wanted: { v: '2', w: '3' }, query: 'v=2', want: false, why: 'all of them must hold' },
];

for (const { wanted, query, want, why } of QUERIES) {
  test(`the query "${query}" ${want ? 'meets' : 'fails'} ${JSON.stringify(wanted)}: ${why}`, () => {
    assert.equal(holds(wanted, query), want);
  });
}

test('queries are read as the URL standard reads forms', () => {
  const piece = fc.constantFrom('a', 'b', '=', '&', '+', '%61', '%', '%3D', '?', '');
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(
      text,
      fc.constantFrom('a', 'ab', 'b', ' ', '='),
      fc.constantFrom('a', '', 'b', '='),
      (query, name, value) => {
        const standard = new URLSearchParams(`&${query}`);
        assert.equal(holds({ [name]: true }, query), standard.has(name));
        assert.equal(holds({ [name]: value }, query), standard.has(name, value));
      },
    ),
    { numRuns: 5000 },
  );
});

for (const { value, want, why } of [
  { value: 'caf\u00c3\u00a9', want: true, why: 'the bytes of the text in UTF-8' },
  { value: 'caf\u00e9', want: false, why: 'another byte' },
]) {
  test(`a header with text that is not ASCII is compared by its bytes: ${why}`, () => {
    const predicates = predicatesOf(makeRule('/', { headers: { 'x-place': 'caf\u00e9' } })) as RoutePredicates;
    assert.equal(predicatesHold(predicates, makeRequest('/', { headers: { 'x-place': value } })), want);
  });
}

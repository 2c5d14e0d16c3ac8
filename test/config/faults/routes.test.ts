import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKENDS, diagnosticsOf, lines, ROUTES, SERVER } from '../documents.ts';
import { route, testRefusals, twoBackends } from './fault.ts';

testRefusals([
  { why: 'a backend that is not there', text: route('backend: wbe'), place: 'unknown-backend routes[0].backend 10:14' },
  {
    why: 'no backend where there are two',
    text: lines(SERVER, twoBackends, ROUTES),
    place: 'missing-key routes[0].backend 11:5',
  },
  {
    why: 'two routes with one id',
    text: route('id: a').concat('  - { path: /b, id: a }\n'),
    place: 'duplicate-id routes[1].id 11:21',
  },
  { why: 'an empty id', text: route('id: ""'), place: 'bad-value routes[0].id 10:9' },
  { why: 'an id with a line break', text: route('id: "a\\nb"'), place: 'bad-value routes[0].id 10:9' },
  {
    why: 'a path without a slash',
    text: lines(SERVER, BACKENDS, 'routes:', '  - path: api'),
    place: 'bad-value routes[0].path 9:11',
  },
  {
    why: 'a regular expression that does not compile',
    text: lines(SERVER, BACKENDS, 'routes:', '  - path: "^/(a"'),
    place: 'bad-value routes[0].path 9:11',
  },
  {
    why: 'a method in lower case',
    text: route('methods: [ GET, post ]'),
    place: 'bad-value routes[0].methods[1] 10:21',
  },
  {
    why: 'a method that is no token',
    text: route('methods: [ "GET POST" ]'),
    place: 'bad-value routes[0].methods[0] 10:16',
  },
  {
    why: 'a method that is always refused',
    text: route('methods: [ TRACE ]'),
    place: 'bad-value routes[0].methods[0] 10:16',
  },
  { why: 'an empty list of methods', text: route('methods: []'), place: 'bad-value routes[0].methods 10:14' },
  { why: 'a host with a port', text: route('host: "a.example:80"'), place: 'bad-value routes[0].host 10:11' },
  { why: 'a star before an address', text: route('host: "*.[::1]"'), place: 'bad-value routes[0].host 10:11' },
  { why: 'a star in the middle of a host', text: route('host: a.*.example'), place: 'bad-value routes[0].host 10:11' },
  {
    why: 'a header name that is no token',
    text: route('match: { headers: { "X Y": a } }'),
    place: 'bad-value routes[0].match.headers["X Y"] 10:25',
  },
  {
    why: 'a line break in a header value',
    text: route('match: { headers: { X: "a\\r\\nb" } }'),
    place: 'bad-value routes[0].match.headers.X 10:28',
  },
  {
    why: 'a number as a header value',
    text: route('match: { headers: { X: 2 } }'),
    place: 'wrong-type routes[0].match.headers.X 10:28',
  },
  {
    why: 'false for "is present"',
    text: route('match: { query: { q: false } }'),
    place: 'wrong-type routes[0].match.query.q 10:26',
  },
  {
    why: 'one header in two spellings',
    text: route('match: { headers: { X-A: "1", x-a: "2" } }'),
    place: 'duplicate-header routes[0].match.headers.x-a 10:35',
  },
  {
    why: 'a prefix without a slash',
    text: route('strip_prefix: api'),
    place: 'bad-value routes[0].strip_prefix 10:19',
  },
  { why: 'a bad upstream host', text: route('upstream_host: "a b"'), place: 'bad-value routes[0].upstream_host 10:20' },
  { why: 'a negative number of retries', text: route('retries: -1'), place: 'bad-value routes[0].retries 10:14' },
]);

const REFUSED_ENTRIES = ['[ [] ]', '[ 1 ]', '[ {} ]', '[ { a: {}, b: {} } ]', '[ { a: 1 } ]', 'auth'];

for (const entry of REFUSED_ENTRIES) {
  test(`a route cannot have the middleware ${entry}`, () => {
    const codes = diagnosticsOf(route(`middleware: ${entry}`)).map(({ code }) => code);
    assert.ok(codes.includes('wrong-type') || codes.includes('bad-value'), String(codes));
  });
}

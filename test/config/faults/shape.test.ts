// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKENDS, diagnosticsOf, lines, placesOf, ROUTES, SERVER } from '../documents.ts';
import { route, server, testRefusals, top, twoBackends, upstream } from './fault.ts';

testRefusals([
  { why: 'an unknown key at the top', text: top('rotues: []'), place: 'unknown-key rotues 10:1' },
  { why: 'an unknown key of the server', text: server('worker: 2'), place: 'unknown-key server.worker 3:3' },
  {
    why: 'an unknown key of an upstream',
    text: upstream('wieght: 2'),
    place: 'unknown-key load_balancing.backends.web.upstreams[0].wieght 8:11',
  },
  { why: 'an unknown key of a route', text: route('timeuot: 3s'), place: 'unknown-key routes[0].timeuot 10:5' },
  { why: 'no listener', text: lines('server: {}', BACKENDS, ROUTES), place: 'missing-key server.http_addr 1:9' },
  { why: 'no server', text: lines(BACKENDS, ROUTES), place: 'missing-key server 1:1' },
  { why: 'no routes', text: lines(SERVER, BACKENDS), place: 'missing-key routes 1:1' },
  {
    why: 'no backends',
    text: lines(SERVER, 'load_balancing: {}', ROUTES),
    place: 'missing-key load_balancing.backends 3:1',
  },
  { why: 'an empty list of routes', text: lines(SERVER, BACKENDS, 'routes: []'), place: 'bad-value routes 8:9' },
  {
    why: 'an empty mapping of backends',
    text: lines(SERVER, 'load_balancing: { backends: {} }', ROUTES),
    place: 'bad-value load_balancing.backends 3:29',
  },
  {
    why: 'a backend without upstreams',
    text: lines(SERVER, 'load_balancing: { backends: { web: { upstreams: [] } } }', ROUTES),
    place: 'bad-value load_balancing.backends.web.upstreams 3:49',
  },
  { why: 'a list for a mapping', text: lines('server: []', BACKENDS, ROUTES), place: 'wrong-type server 1:9' },
  { why: 'nothing for a mapping', text: lines('server:', BACKENDS, ROUTES), place: 'wrong-type server 1:8' },
  { why: 'a text for the document', text: 'hello\n', place: 'wrong-type  1:1' },
]);

test('everything that is wrong is reported at once, in the order of the file', () => {
  const text = lines(
    ['server:', '  http_addr: nowhere', '  worker: 2', '  max_target: ${SIZE}'],
    ['load_balancing:', '  backends:', '    web:', '      upstreams: [ { address: a:80, weight: 0 } ]'],
    ['routes:', '  - { path: api, backend: wbe, id: a }', '  - { path: /b, id: a, middleware: [ auth ] }'],
  );
  assert.deepEqual(placesOf(diagnosticsOf(text)), [
    'bad-value server.http_addr 2:14',
    'unknown-key server.worker 3:3',
    'unset-variable server.max_target 4:15',
    'no-weight load_balancing.backends.web.upstreams 8:18',
    'bad-value routes[0].path 10:13',
    'unknown-backend routes[0].backend 10:27',
    'duplicate-id routes[1].id 11:21',
    'missing-block routes[1].middleware[0] 11:38',
  ]);
});

test('a misspelt word is answered with the one that is near', () => {
  const text = lines(SERVER, twoBackends, 'routes:', '  - { path: /, backend: wbe }').replace(
    'load_balancing:',
    'load_balancing:\n  algorithm: roundrobin',
  );
  assert.deepEqual(
    diagnosticsOf(text).flatMap(({ didYouMean }) => didYouMean ?? []),
    ['round_robin', 'web'],
  );
});

test('a misspelt key that is required is one mistake, not two', () => {
  const text = lines(SERVER, BACKENDS, 'routes:', '  - pth: /a').replace('address', 'adress');
  const diagnostics = diagnosticsOf(text);
  assert.deepEqual(placesOf(diagnostics), [
    'unknown-key load_balancing.backends.web.upstreams[0].adress 7:11',
    'unknown-key routes[0].pth 9:5',
  ]);
  assert.deepEqual(
    diagnostics.map(({ didYouMean }) => didYouMean),
    ['address', 'path'],
  );
});

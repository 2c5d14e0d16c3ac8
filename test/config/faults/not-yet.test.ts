// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the configuration has a substitution that looks like one
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { lines, placesOf, SERVER } from '../documents.ts';
import { type Fault, route } from './fault.ts';

test('what has no effect yet is a warning at the place where it is asked for', () => {
  const text = lines(
    SERVER,
    ['  upgrade_sock: /run/a.sock', '  error_pages: { 404: a.html }'],
    ['load_balancing:', '  algorithm: random', '  backends:', '    web:', '      upstreams: [ { address: a:80 } ]'],
    ['      health_check: { path: /up }'],
    ['routes:', '  - path: /**', '    retries: 3', '    cache: { ttl: 5s }'],
    ['health_check: { interval: 3s }', 'metrics: { prometheus: true }', 'cache: { enabled: true }'],
  );
  const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} });
  assert.ok(warnings.every(({ code, severity }) => code === 'not-active-yet' && severity === 'warning'));
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['server.error_pages', 'routes[0].cache', 'metrics', 'cache'],
  );
});

const NOT_STARTABLE: readonly Fault[] = [
  {
    why: 'WebSockets',
    text: route('websocket: { enabled: true }'),
    place: 'not-available-yet routes[0].websocket.enabled 10:18',
  },
];

for (const { why, text, place } of NOT_STARTABLE) {
  test(`loads with a warning that says it does not start: ${why}, which is not there yet`, () => {
    const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: {} });
    assert.deepEqual(placesOf(warnings), [place]);
    assert.match(warnings[0]?.message ?? '', /does not start/);
  });
}

test('asking for what happens anyway is no reason to warn', () => {
  const text = lines(
    SERVER,
    ['load_balancing:', '  algorithm: round_robin', '  backends:', '    web:', '      algorithm: round_robin'],
    ['      upstreams: [ { address: a:80, tls: false, weight: 2 } ]'],
    ['      health_check: { enabled: false }'],
    ['routes:', '  - path: /**', '    retries: 0', '    middleware: []', '    websocket: { enabled: false }'],
    ['    cache: { enabled: false }', 'health_check: { enabled: "${OFF}" }', 'metrics: { prometheus: false }'],
    ['cache: { enabled: false, max_entries: 5 }'],
  );
  const { warnings } = parseConfig(text, { file: 'a.yaml', format: 'yaml', env: { OFF: 'false' } });
  assert.deepEqual(warnings, []);
});

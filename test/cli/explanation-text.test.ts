import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeExplanation } from '../../src/cli/explanation-text.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { Explainer } from '../../src/explain/explainer.ts';
import { parseInquiry } from '../../src/explain/inquiry.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';

/*
 * The page on the command line shows whole explanations, and is played (test/house); these are the lines that it does not
 * show.
 */

const DOCUMENT = {
  server: { http_addr: ':8080' },
  load_balancing: {
    algorithm: 'least_connections',
    backends: { web: { upstreams: [{ address: '127.0.0.1:3001', tls: true, send_proxy_protocol: 'v2' }] } },
  },
  routes: [
    {
      id: 'a-route-with-a-rather-long-name',
      path: '/a/**',
      middleware: ['compress', { headers: { nosniff: false } }],
      cache: { enabled: true },
    },
  ],
};

function describe(url: string, out = new CapturedTerminal(), document: object = DOCUMENT): readonly string[] {
  const { config } = parseConfig(JSON.stringify(document), { file: 'a.json', format: 'json', env: {} });
  const inquiry = parseInquiry({ method: 'GET', url, headers: [], from: '192.0.2.1' });
  return describeExplanation(new Explainer(config).explain(inquiry), out).split('\n');
}

const LINES = [
  { line: 'middleware  compress', why: 'the first of the stages' },
  { line: '            headers {"nosniff":false}', why: 'what the route wants different' },
  { line: 'cache       ttl 5m (not active yet in this version)', why: 'a cache that stores nothing yet' },
  { line: 'deadline    none', why: 'no timeout' },
  {
    line: 'backend     web, least_connections',
    why: 'the algorithm that chooses',
  },
  { line: 'upstreams   127.0.0.1:3001  tls  100 %  connect 5s  read 30s  write 30s', why: 'TLS to the upstream' },
  { line: '  (PROXY header, v2)', why: 'what goes before the head' },
];

for (const { line, why } of LINES) {
  test(`it says "${line.trim()}": ${why}`, () => {
    const lines = describe('/a/b');
    assert.ok(lines.includes(line), lines.join('\n'));
  });
}

test('it says what is hashed, which cookie counts, and who is chosen by that', () => {
  const backend = { algorithm: 'consistent_hash', key: 'cookie:user', sticky: { cookie: 'at' } };
  const upstreams = [{ address: '127.0.0.1:3001' }];
  const document = { ...DOCUMENT, load_balancing: { backends: { web: { ...backend, upstreams } } } };
  const lines = describe('/a/b', new CapturedTerminal(), document);
  for (const line of [
    'backend     web, consistent_hash by cookie:user, sticky by the cookie at',
    'chosen      127.0.0.1:3001, by the hash of ip, as there is no cookie:user',
  ]) {
    assert.ok(lines.includes(line), lines.join('\n'));
  }
});

test('a scheme that nobody listens for takes one line', () => {
  assert.deepEqual(describe('https://a.test/a'), ['GET /a: no listener speaks https', '']);
});

test('the table of routes fits a terminal', () => {
  const lines = describe('/b', new CapturedTerminal(60)).map((line) => line.replace(/\u001b\[\d+m/g, ''));
  const table = lines.slice(lines.findIndex((line) => line.includes('RANK')));
  assert.ok(table.length >= 2 && table.every((line) => line.length <= 60), table.join('\n'));
});

test('what would obey the terminal is not passed on to it', () => {
  const routes = [{ id: 'a', path: '/a', host: 'a.test' }];
  const lines = describe('/caf\u{e9}\u009b31m', new CapturedTerminal(), { ...DOCUMENT, routes });
  assert.doesNotMatch(lines.join(''), /\u009b/);
});

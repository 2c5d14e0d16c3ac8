import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { routes } from '../../src/cli/commands/routes.ts';
import { CapturedTerminal } from '../support/captured-terminal.ts';

const directory = mkdtempSync(join(tmpdir(), 'photon-cli-'));
after(() => rmSync(directory, { recursive: true }));

const path = join(directory, 'config.json');
const backends = { web: { upstreams: [{ address: '127.0.0.1:1' }] } };
writeFileSync(
  path,
  JSON.stringify({
    server: { http_addr: ':1' },
    load_balancing: { backends },
    routes: [
      { id: 'site', path: '/**', timeout: '1m 30s' },
      { id: 'user', path: '/users/{id}', methods: ['GET', 'PUT'], host: 'a.test' },
      { id: 'beta', path: '/users/{id}', match: { headers: { 'X-Beta': '1', 'X-Token': 's3' }, query: { q: true } } },
      { id: 'first', path: '/**', priority: 3, match: { headers: { 'X-Debug': true } } },
    ],
  }),
);

async function table(columns = 0): Promise<readonly string[]> {
  const out = new CapturedTerminal(columns);
  assert.equal(await routes(path, { format: 'text' }, out), 0);
  return out.lines;
}

test('routes stand in the order in which they are tried, each column aligned, and secrets are left out', async () => {
  assert.deepEqual(await table(), [
    'RANK  ID     PRIORITY  HOST    PATH         METHODS  MATCH                    BACKEND  TIMEOUT',
    '1     first  3         -       /**          -        x-debug                  web      -',
    '2     user   -         a.test  /users/{id}  GET,PUT  -                        web      -',
    '3     beta   -         -       /users/{id}  -        x-beta=1 x-token=... ?q  web      -',
    '4     site   -         -       /**          -        -                        web      1m 30s',
  ]);
});

test('no line is wider than the terminal', async () => {
  const lines = (await table(80)).map((line) => line.replace(/\u001b\[\d+m/g, ''));
  assert.ok(
    lines.every((line) => line.length <= 80),
    lines.join('\n'),
  );
  assert.match(lines.join('\n'), /\.\.\./);
});

test('as JSON every field of every route is there', async () => {
  const out = new CapturedTerminal();
  await routes(path, { format: 'json' }, out);
  assert.doesNotMatch(out.text, /s3/);
  const [first, second] = JSON.parse(out.text) as readonly object[];
  assert.deepEqual(first, {
    rank: 1,
    id: 'first',
    host: null,
    path: '/**',
    methods: null,
    match: { headers: { 'x-debug': true }, query: {} },
    priority: 3,
    backend: 'web',
    timeoutMs: null,
    middleware: [],
  });
  assert.deepEqual(second, {
    rank: 2,
    id: 'user',
    host: 'a.test',
    path: '/users/{id}',
    methods: ['GET', 'PUT'],
    match: { headers: {}, query: {} },
    priority: null,
    backend: 'web',
    timeoutMs: null,
    middleware: [],
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketsWanted } from '../../src/config/buckets-wanted.ts';
import { parseConfig } from '../../src/config/parse-config.ts';

function wantedBy(rate_limiting: object, lists: readonly unknown[][], ofServer: readonly unknown[] = []): number {
  const text = JSON.stringify({
    server: { http_addr: ':8080', middleware: ofServer },
    load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:1' }] } } },
    routes: lists.map((middleware, index) => ({ path: `/${index}`, middleware })),
    middleware: { rate_limiting },
  });
  return bucketsWanted(parseConfig(text, { file: 'a.json', format: 'json', env: {} }).config);
}

const block = { requests_per_second: 1, max_keys: 5000 };
const own = { rate_limit: { burst: 1 } };

test('what many routes take from the block is one limit', () => {
  assert.equal(wantedBy(block, [['rate_limit'], ['rate_limit'], []], ['rate_limit']), 5000);
});

test('each route that changes it has a limit of its own', () => {
  assert.equal(wantedBy(block, [['rate_limit'], [own], [own]]), 15_000);
});

test('several limits of one block each have so many keys', () => {
  const limits = [{ requests_per_second: 1 }, { requests_per_second: 2, key: 'header:X' }];
  assert.equal(wantedBy({ ...block, limits }, [['rate_limit']]), 15_000);
  assert.equal(wantedBy({ limits, max_keys: 5000 }, [['rate_limit']]), 10_000);
});

test('thousands of limits together get no more than four million, save where one wants more', () => {
  const many = Array.from({ length: 1000 }, () => [own]);
  assert.equal(wantedBy({ requests_per_second: 1 }, many), 4_000_000);
  assert.equal(wantedBy({ requests_per_second: 1, max_keys: 9_000_000 }, many), 9_000_000);
});

test('without rate limits none are wanted', () => {
  assert.equal(wantedBy({ requests_per_second: 1 }, [[]]), 0);
});

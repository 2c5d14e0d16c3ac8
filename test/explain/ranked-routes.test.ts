import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/parse-config.ts';
import { Explainer } from '../../src/explain/explainer.ts';
import { parseInquiry } from '../../src/explain/inquiry.ts';
import { rankedRoutes } from '../../src/explain/ranked-routes.ts';

/** Every middleware with options that it needs. */
const OPTIONS = {
  headers: {},
  transform: { request_headers: { set: { 'X-One': 'two' } } },
  rewrite: { replace_prefix: { from: '/one', to: '/two' } },
  respond: { status: 204 },
  redirect: { host: 'b.example', status: 308 },
  body_limit: { max_size: '10KB' },
  authentication: { auth_type: 'api_key', api_key: { keys: [{ key: 'a-long-key-for-one', consumer: 'one' }] } },
  rate_limiting: { requests_per_second: 12, limits: [{ requests_per_second: 34, key: 'consumer' }] },
  cors: { allowed_origins: ['https://a.example'] },
  ip_filter: { deny: ['10.0.0.0/8'] },
  compress: {},
};

for (const { why, server, ofRoute } of [
  { why: 'all of it at the route', server: [], ofRoute: Object.keys(OPTIONS) },
  {
    why: 'some of it for every route',
    server: ['headers', 'compress', 'cors'],
    ofRoute: ['transform', 'ip_filter', 'body_limit', 'cors'],
  },
]) {
  test(`routes show their middleware in the order in which requests pass it: ${why}`, () => {
    const document = {
      server: { http_addr: '127.0.0.1:8080', middleware: server },
      load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:3001' }] } } },
      middleware: OPTIONS,
      routes: [{ path: '/**', backend: 'web', middleware: ofRoute }],
    };
    const { config } = parseConfig(JSON.stringify(document), { file: 'a.json', format: 'json', env: {} });
    const inquiry = parseInquiry({ method: 'GET', url: 'http://a.test:8080/', headers: [], from: '192.0.2.1' });
    const { route } = new Explainer(config).explain(inquiry);
    const passed = new Set(route?.middleware.map(({ name }) => name));
    assert.deepEqual(rankedRoutes(config)[0]?.middleware, [...passed]);
    assert.equal(passed.size, new Set([...server, ...ofRoute]).size);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../src/config/parse-config.ts';

/** The fragments that people find in descriptions of Photon, and where in a minimal file each of them goes. */
interface Fragment {
  readonly why: string;
  /** Keys from the root, or from a list; empty for fragments that are written from the root. */
  readonly into: readonly (string | number)[];
  readonly lines: readonly string[];
}

const BACKEND = ['load_balancing', 'backends', 'web'];
const UPSTREAM = [...BACKEND, 'upstreams', 0];

const FRAGMENTS: readonly Fragment[] = [
  {
    why: 'a whole file',
    into: [],
    lines: [
      'server: { http_addr: "0.0.0.0:8081" }',
      'load_balancing:',
      '  backends:',
      '    web:',
      '      algorithm: "round_robin"',
      '      upstreams: [{ address: "127.0.0.1:4001", weight: 1 }, { address: "127.0.0.1:4002", weight: 1 }]',
      'routes:',
      '  - { id: "one", path: "/one/**", backend: "web", methods: ["GET", "POST"], timeout: "20s", retries: 3 }',
      'cache: { enabled: true, max_entries: 900, default_ttl: "200s", max_body_size: 2000000, cache_with_query_params: false }',
      'health_check: { interval: "11s", timeout: "6s" }',
      'metrics: { prometheus: true, metrics_addr: "127.0.0.1:9191", metrics_path: "/m", detailed_metrics: true }',
    ],
  },
  { why: 'the socket of an upgrade', into: ['server'], lines: ['upgrade_sock: "/tmp/another_upgrade.sock"'] },
  ...['round_robin', 'least_connections', 'ip_hash', 'random'].map((algorithm) => ({
    why: `the algorithm ${algorithm}`,
    into: BACKEND,
    lines: [`algorithm: "${algorithm}"`],
  })),
  {
    why: 'weights',
    into: BACKEND,
    lines: [
      'algorithm: "weighted_round_robin"',
      'upstreams:',
      '  - address: "one:8080"',
      '    weight: 5',
      '  - address: "two:8080"',
      '    weight: 2 # the smaller share',
    ],
  },
  { why: 'checks over TCP', into: BACKEND, lines: ['health_check:', '  check_type: "tcp"', '  interval: "12s"'] },
  ...['http', 'https'].map((type) => ({
    why: `checks over ${type}`,
    into: BACKEND,
    lines: ['health_check:', `  check_type: "${type}"`, '  path: "/up"', '  expected_status: 204', '  interval: "16s"'],
  })),
  {
    why: 'checks over HTTP for all backends',
    into: [],
    lines: ['health_check:', '  check_type: "http"', '  path: "/up"', '  expected_status: 200', '  interval: "16s"'],
  },
  ...['ip', 'header:X-API-Key', 'header:User-Agent'].map((key) => ({
    why: `a rate limit by ${key}`,
    into: [],
    lines: [
      'middleware:',
      '  rate_limiting:',
      '    requests_per_second: 9000',
      '    burst: 18000',
      `    key: "${key}"`,
    ],
  })),
  {
    why: 'tokens',
    into: [],
    lines: [
      'middleware:',
      '  authentication:',
      '    auth_type: "jwt"',
      '    jwt:',
      '      secret: "a-secret-for-nobody"',
      '      algorithm: "HS256"',
      '      header: "Authorization"',
    ],
  },
  {
    why: 'API keys, with a header and a parameter and no key at all',
    into: [],
    lines: [
      'middleware:',
      '  authentication:',
      '    auth_type: "api_key"',
      '    api_key:',
      '      header: "X-API-Key"',
      '      query: "api_key"',
    ],
  },
  {
    why: 'both, the one that is not asked for among them',
    into: [],
    lines: [
      'middleware:',
      '  authentication:',
      '    auth_type: "jwt"',
      '    jwt: { secret: "a-secret-for-nobody" }',
      '    api_key: { header: "X-API-Key" }',
    ],
  },
  {
    why: 'other origins',
    into: [],
    lines: [
      'middleware:',
      '  cors:',
      '    allowed_origins: ["https://shop.example"]',
      '    allowed_methods: ["GET", "POST", "PUT", "DELETE"]',
      '    allowed_headers: ["Content-Type", "Authorization"]',
    ],
  },
  {
    why: 'a route with WebSockets',
    into: ['routes'],
    lines: [
      '- id: "talk"',
      '  path: "/ws/talk/**"',
      '  methods: ["GET"]',
      '  backend: "web"',
      '  websocket:',
      '    enabled: true',
      '    protocols: ["talk-protocol", "echo-protocol"]',
      '    timeout: "200s"',
      '    idle_timeout: "50s"',
      '    max_message_size: 32768',
    ],
  },
  {
    why: 'a route with WebSockets behind authentication',
    into: [],
    lines: [
      'middleware: { authentication: { auth_type: "api_key", api_key: { header: "X-API-Key" } } }',
      'routes:',
      '  - id: "talk"',
      '    path: "/ws/talk/**"',
      '    methods: ["GET"]',
      '    backend: "web"',
      '    middleware: ["auth"] # before the upgrade',
      '    websocket: { enabled: true, timeout: "500s", idle_timeout: "100s", max_message_size: 500000 }',
    ],
  },
  { why: 'a large cache', into: [], lines: ['cache:', '  max_entries: 40000', '  max_body_size: 3000000'] },
  { why: 'a long life in the cache', into: [], lines: ['cache:', '  default_ttl: "1200s"'] },
  { why: 'queries in the cache', into: [], lines: ['cache:', '  cache_with_query_params: true'] },
  {
    why: 'a limit of connections',
    into: BACKEND,
    lines: ['upstreams:', '  - address: "app:8080"', '    max_connections: 90', '    weight: 1'],
  },
  {
    why: 'keepalive and timeouts of an upstream',
    into: UPSTREAM,
    lines: [
      'tcp_keepalive:',
      '  enabled: true',
      '  idle: "50s"',
      '  interval: "9s"',
      '  count: 8',
      'connection_timeout: "20s"',
      'read_timeout: "20s"',
      'write_timeout: "20s"',
    ],
  },
  {
    why: 'timeouts and retries',
    into: [],
    lines: [
      'server: { connection_timeout: "20s", max_connections: 9000 }',
      'routes:',
      '  - path: "/api/**"',
      '    timeout: "50s"',
      '    retries: 2',
      'health_check:',
      '  interval: "9s"',
      '  timeout: "4s"',
      '  failure_threshold: 4',
      '  success_threshold: 3',
    ],
  },
];

interface Plain {
  [key: string]: unknown;
}

function minimalFile(): Plain {
  return {
    server: { http_addr: '127.0.0.1:8080' },
    load_balancing: { backends: { web: { upstreams: [{ address: '127.0.0.1:3000' }] } } },
    routes: [{ path: '/**' }],
  };
}

/** Mappings are merged, items appended; what is at the root replaces lists that are there. */
function put(target: Plain | unknown[], part: unknown): void {
  if (Array.isArray(target)) target.push(...(part as unknown[]));
  else {
    for (const [key, value] of Object.entries(part as Plain)) {
      const present = target[key];
      if (isMapping(present) && isMapping(value)) put(present, value);
      else target[key] = value;
    }
  }
}

function isMapping(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

for (const { why, into, lines } of FRAGMENTS) {
  test(`a fragment loads where it belongs, in ${into.join('.') || 'the file'}: ${why}`, () => {
    const document = minimalFile();
    const target = into.reduce<unknown>((value, key) => (value as Plain)[key], document);
    put(target as Plain, parse(lines.join('\n')));
    const { warnings } = parseConfig(stringify(document), { file: 'photon.yaml', format: 'yaml', env: {} });
    const codes = new Set(warnings.map(({ code }) => code));
    for (const expected of [
      'not-active-yet',
      'not-available-yet',
      'no-effect',
      'weak-secret',
      'no-credentials',
    ] as const)
      codes.delete(expected);
    assert.deepEqual([...codes], []);
  });
}

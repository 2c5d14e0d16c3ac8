import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { ConfigFormat } from '../../src/config/parse-text.ts';
import {
  BACKENDS,
  diagnosticsOf,
  isDeepFrozen,
  lines,
  parseYamlConfig,
  placesOf,
  ROUTES,
  SERVER,
} from './documents.ts';

const FORMATS: readonly ConfigFormat[] = ['yaml', 'json', 'toml'];

function parseFixture(format: ConfigFormat) {
  const file = fileURLToPath(new URL(`fixtures/full.${format}`, import.meta.url));
  return parseConfig(readFileSync(file, 'utf8'), { file, format, env: {} });
}

test('a listener, a backend and a route are a whole configuration', () => {
  const config = parseYamlConfig(lines(SERVER, BACKENDS, ROUTES));
  assert.deepEqual(config.server.httpAddr, [{ host: '127.0.0.1', port: 8080, path: null, text: '127.0.0.1:8080' }]);
  assert.deepEqual(
    config.backends.map(({ name, algorithm }) => ({ name, algorithm })),
    [{ name: 'web', algorithm: 'round_robin' }],
  );
  assert.deepEqual(
    config.routes.map(({ id, path, backend, methods, timeoutMs }) => ({ id, path, backend, methods, timeoutMs })),
    [{ id: '/**', path: '/**', backend: 'web', methods: null, timeoutMs: null }],
  );
});

test('what is left out has the documented default', () => {
  const { server, backends, routes, metrics, accessLog, cache, healthCheck } = parseYamlConfig(
    lines(SERVER, BACKENDS, ROUTES),
  );
  assert.ok(server.workers >= 1);
  assert.deepEqual(
    { ...server, httpAddr: [], workers: 0 },
    {
      httpAddr: [],
      httpsAddr: [],
      tls: [],
      clientCertificates: null,
      httpToHttps: false,
      tlsTicketKeys: null,
      workers: 0,
      connectionTimeoutMs: 30_000,
      keepaliveTimeoutMs: 75_000,
      maxConnections: 10_000,
      upgradeSock: null,
      pidFile: null,
      trustedProxies: [],
      proxyProtocol: false,
      maxHeaderBytes: 32_768,
      maxHeaders: 100,
      maxTargetBytes: 8_192,
      maxBodyBytes: null,
      bodyTimeoutMs: 30_000,
      middlewareTimeoutMs: 30_000,
      sendTimeoutMs: 30_000,
      reloadTimeoutMs: 60_000,
      shutdownTimeoutMs: 30_000,
      workerTimeoutMs: 5000,
      mergeSlashes: true,
      middleware: [],
      errorPages: null,
    },
  );
  assert.deepEqual(backends[0]?.upstreams[0], {
    address: 'a:80',
    key: 'a:80',
    host: 'a',
    alternative: null,
    port: 80,
    path: null,
    service: null,
    authority: 'a:80',
    weight: 1,
    maxConnections: null,
    tcpKeepalive: { enabled: true, idleMs: 60_000, intervalMs: 10_000, count: 9 },
    sendProxyProtocol: null,
    connectionTimeoutMs: 5_000,
    readTimeoutMs: 30_000,
    writeTimeoutMs: 30_000,
    tls: false,
    sniHostname: 'a',
    tlsVerify: true,
    tlsCa: null,
    tlsCertificate: null,
  });
  assert.deepEqual(backends[0]?.circuitBreaker, {
    enabled: true,
    failureThreshold: 5,
    failureRate: null,
    windowMs: 30_000,
    minRequests: 20,
    openTimeoutMs: 60_000,
    successThreshold: 3,
  });
  assert.deepEqual(
    backends.map(({ retryBudget, retryBackoff, sticky, slowStartMs, queue }) => ({
      retryBudget,
      retryBackoff,
      sticky,
      slowStartMs,
      queue,
    })),
    [
      {
        retryBudget: { share: 0.2, minPerSecond: 3 },
        retryBackoff: { initialMs: 25, maxMs: 250 },
        sticky: null,
        slowStartMs: null,
        queue: { size: 64, timeoutMs: 1_000 },
      },
    ],
  );
  assert.equal(routes[0]?.retries, 1);
  assert.equal(routes[0]?.upstreamHost, 'preserve');
  assert.deepEqual(metrics, {
    prometheus: true,
    metricsAddr: { host: '127.0.0.1', port: 9090, path: null, text: '127.0.0.1:9090' },
    metricsPath: '/metrics',
    detailedMetrics: true,
  });
  assert.deepEqual(accessLog, { enabled: true, format: 'json', file: null, sample: 1, query: 'none' });
  assert.deepEqual(cache, {
    enabled: false,
    maxEntries: 10_000,
    maxMemoryBytes: 268_435_456,
    defaultTtlMs: 300_000,
    maxBodyBytes: 1_048_576,
    cacheWithQueryParams: false,
    storeSetCookie: false,
    debugHeaders: true,
  });
  assert.deepEqual(healthCheck, {
    enabled: false,
    checkType: 'tcp',
    path: '/health',
    expectedStatus: [{ min: 200, max: 200 }],
    expectedBody: null,
    headers: {},
    host: null,
    reuse: false,
    intervalMs: 10_000,
    timeoutMs: 5_000,
    failureThreshold: 3,
    successThreshold: 2,
  });
});

test('every option reaches the configuration', () => {
  const { config } = parseFixture('yaml');
  const [web, api] = config.backends;
  const ipFilter = {
    name: 'ip_filter',
    module: null,
    options: { allow: ['10.0.0.0/8', 'fd00::/8'], deny: ['10.6.6.6'] },
    overrides: {},
  };
  const audit = {
    name: 'audit',
    module: fileURLToPath(new URL('fixtures/audit.ts', import.meta.url)),
    options: { level: 1, tags: ['a', 'b'] },
    overrides: {},
  };
  const [everything, regex] = config.routes;
  assert.deepEqual(
    config.server.httpAddr.map(({ host, port, path }) => ({ host, port, path })),
    [
      { host: '127.0.0.1', port: 8080, path: null },
      { host: '::1', port: 8080, path: null },
      { host: '', port: 0, path: '/run/photon-http.sock' },
    ],
  );
  assert.deepEqual(
    { ...config.server, httpAddr: [] },
    {
      httpAddr: [],
      httpsAddr: [{ host: '127.0.0.1', port: 8443, path: null, text: '127.0.0.1:8443' }],
      tls: [
        {
          hosts: [],
          certFile: 'cert.pem',
          keyFile: 'key.pem',
          option: { cert: 'server.tls_cert', key: 'server.tls_key' },
        },
        {
          hosts: ['api.example.com', '*.shop.example.com'],
          certFile: 'api.pem',
          keyFile: 'api.key',
          option: { cert: 'server.tls[0].cert', key: 'server.tls[0].key' },
        },
      ],
      clientCertificates: { caFile: 'clients.pem', required: false },
      httpToHttps: 443,
      tlsTicketKeys: '/run/ticket-keys',
      workers: 3,
      connectionTimeoutMs: 31_000,
      keepaliveTimeoutMs: 76_000,
      maxConnections: 9_999,
      upgradeSock: '/run/photon-upgrade.sock',
      pidFile: '/run/photon.pid',
      trustedProxies: ['10.0.0.0/8', '::1'],
      proxyProtocol: true,
      maxHeaderBytes: 33 * 1024,
      maxHeaders: 101,
      maxTargetBytes: 9 * 1024,
      maxBodyBytes: 10 * 1024 * 1024,
      bodyTimeoutMs: 32_000,
      middlewareTimeoutMs: 34_000,
      sendTimeoutMs: 33_000,
      reloadTimeoutMs: 34_000,
      shutdownTimeoutMs: 0,
      workerTimeoutMs: 20_000,
      mergeSlashes: false,
      middleware: [ipFilter, audit],
      errorPages: { '404': 'not-found.html', '5xx': 'error.html' },
    },
  );
  assert.deepEqual(web, {
    name: 'web',
    algorithm: 'consistent_hash',
    key: 'header:X-User',
    panicThreshold: 0.5,
    upstreams: [
      {
        address: '127.0.0.1:3001',
        key: '127.0.0.1:3001',
        host: '127.0.0.1',
        alternative: null,
        port: 3001,
        path: null,
        service: null,
        authority: '127.0.0.1:3001',
        weight: 3,
        maxConnections: 100,
        tcpKeepalive: { enabled: false, idleMs: 61_000, intervalMs: 11_000, count: 8 },
        sendProxyProtocol: 'v2',
        connectionTimeoutMs: 6_000,
        readTimeoutMs: 90_000,
        writeTimeoutMs: 32_000,
        tls: true,
        sniHostname: 'web.internal',
        tlsVerify: false,
        tlsCa: 'ca.pem',
        tlsCertificate: { certFile: 'web.pem', keyFile: 'web.key' },
      },
      {
        address: 'unix:/run/web.sock',
        key: 'unix:/run/web.sock',
        host: '',
        alternative: null,
        port: 0,
        path: '/run/web.sock',
        service: null,
        authority: 'localhost',
        weight: 0,
        maxConnections: null,
        tcpKeepalive: { enabled: true, idleMs: 60_000, intervalMs: 10_000, count: 9 },
        sendProxyProtocol: null,
        connectionTimeoutMs: 5_000,
        readTimeoutMs: 30_000,
        writeTimeoutMs: 30_000,
        tls: false,
        sniHostname: '',
        tlsVerify: true,
        tlsCa: null,
        tlsCertificate: null,
      },
    ],
    healthCheck: {
      enabled: true,
      checkType: 'http',
      path: '/up',
      expectedStatus: [
        { min: 204, max: 204 },
        { min: 300, max: 399 },
      ],
      expectedBody: 'all well',
      headers: { 'x-check': 'photon' },
      host: 'up.internal:8080',
      reuse: true,
      intervalMs: 15_000,
      timeoutMs: 6_000,
      failureThreshold: 4,
      successThreshold: 1,
    },
    circuitBreaker: {
      enabled: false,
      failureThreshold: 6,
      failureRate: 0.25,
      windowMs: 20_000,
      minRequests: 30,
      openTimeoutMs: 61_000,
      successThreshold: 4,
    },
    retryBudget: { share: 0.1, minPerSecond: 5 },
    retryBackoff: { initialMs: 10, maxMs: 1_000 },
    sticky: { cookie: 'photon_upstream', ttlMs: 3_600_000, secure: true },
    slowStartMs: 45_000,
    queue: { size: 10, timeoutMs: 2_000 },
  });
  assert.equal(api?.algorithm, 'least_connections');
  assert.deepEqual(api?.healthCheck, config.healthCheck);
  assert.deepEqual(everything, {
    id: 'everything',
    path: '/api/{version}/**',
    methods: ['GET', 'POST', 'PURGE'],
    host: '*.example.com',
    backend: 'api',
    timeoutMs: 5_400_000,
    retries: 3,
    stripPrefix: '/api',
    upstreamHost: { name: 'app.internal:8080' },
    priority: -5,
    match: { headers: { 'x-version': '2', 'x-debug': true }, query: { Preview: true, lang: 'de' } },
    middleware: everything?.middleware,
    websocket: {
      enabled: false,
      protocols: ['chat'],
      timeoutMs: 300_000,
      idleTimeoutMs: 60_000,
      maxMessageBytes: 65_536,
      origins: ['https://example.com'],
    },
    cache: {
      enabled: true,
      ttlMs: 10_000,
      maxBodyBytes: 1_024,
      cacheWithQueryParams: true,
      storeSetCookie: true,
      methods: ['GET'],
    },
  });
  assert.equal(regex?.upstreamHost, 'upstream');
  assert.deepEqual(
    everything?.middleware.map(({ name }) => name),
    [
      'cors',
      'rate_limiting',
      'rate_limiting',
      'authentication',
      'body_limit',
      'redirect',
      'respond',
      'rewrite',
      'transform',
      'headers',
      'compress',
      'audit',
    ],
  );
  assert.deepEqual(config.healthCheck, {
    enabled: false,
    checkType: 'https',
    path: '/healthz',
    expectedStatus: [{ min: 201, max: 201 }],
    expectedBody: 'fine',
    headers: { 'x-check': '1' },
    host: 'check.internal',
    reuse: true,
    intervalMs: 20_000,
    timeoutMs: 7_000,
    failureThreshold: 5,
    successThreshold: 6,
  });
  assert.deepEqual(config.metrics, {
    prometheus: false,
    metricsAddr: { host: '127.0.0.1', port: 9191, path: null, text: '127.0.0.1:9191' },
    metricsPath: '/m',
    detailedMetrics: false,
  });
  assert.deepEqual(config.accessLog, {
    enabled: false,
    format: 'combined',
    file: '/var/log/photon/access.log',
    sample: 0.25,
    query: 'masked',
  });
  assert.deepEqual(config.cache, {
    enabled: true,
    maxEntries: 50,
    maxMemoryBytes: 67_108_864,
    defaultTtlMs: 0,
    maxBodyBytes: 2_097_152,
    cacheWithQueryParams: true,
    storeSetCookie: true,
    debugHeaders: false,
  });
  assert.deepEqual(config.tracing, {
    enabled: true,
    endpoint: 'https://collector.example.com/v1/traces',
    headers: { authorization: 'Bearer abc' },
    serviceName: 'edge',
    sampleRate: 0.5,
    timeoutMs: 3_000,
  });
});

test('the same document in YAML, JSON and TOML is the same configuration with the same warnings', () => {
  const [yaml, ...others] = FORMATS.map(parseFixture);
  for (const other of others) {
    assert.deepEqual(other.config, yaml?.config);
    assert.deepEqual(
      other.warnings.map(({ code, path }) => `${code} ${path}`).toSorted(),
      yaml?.warnings.map(({ code, path }) => `${code} ${path}`).toSorted(),
    );
  }
});

test('a configuration is frozen all the way down and survives the way into a worker', () => {
  for (const format of FORMATS) {
    const { config } = parseFixture(format);
    assert.ok(isDeepFrozen(config));
    assert.deepEqual(structuredClone(config), config);
  }
});

test('a route without id is called by its path, with a number where that is taken', () => {
  const config = parseYamlConfig(
    lines(
      SERVER,
      BACKENDS,
      'routes:',
      '  - path: /a',
      '  - path: /a',
      '  - path: /b',
      '  - { path: /c, id: /b }',
      '  - path: /a',
    ),
  );
  assert.deepEqual(
    config.routes.map(({ id }) => id),
    ['/a', '/a#2', '/b#2', '/b', '/a#3'],
  );
});

test('a health_check block of its own switches the checks of a backend on and inherits the rest', () => {
  const backends = [...BACKENDS, '      health_check: { path: /up }', '    other: { upstreams: [{ address: b:80 }] }'];
  const route = ['routes:', '  - { path: /**, backend: web }'];
  const alone = parseYamlConfig(lines(SERVER, backends, route));
  assert.deepEqual(
    alone.backends.map(({ healthCheck }) => healthCheck.enabled),
    [true, false],
  );
  const both = parseYamlConfig(lines(SERVER, backends, route, 'health_check: { interval: 3s, check_type: http }'));
  assert.deepEqual(
    both.backends.map(({ healthCheck: { enabled, intervalMs, path, checkType } }) => ({
      enabled,
      intervalMs,
      path,
      checkType,
    })),
    [
      { enabled: true, intervalMs: 3_000, path: '/up', checkType: 'http' },
      { enabled: true, intervalMs: 3_000, path: '/health', checkType: 'http' },
    ],
  );
});

test('keys that every object has are ordinary names', () => {
  const config = parseYamlConfig(
    lines(
      SERVER,
      ['load_balancing:', '  backends:', '    constructor:', '      upstreams: [{ address: a:80 }]'],
      [
        'routes:',
        '  - path: /**',
        '    match: { headers: { constructor: x, toString: true }, query: { hasOwnProperty: y } }',
      ],
    ),
  );
  assert.equal(config.routes[0]?.backend, 'constructor');
  assert.deepEqual(config.routes[0]?.match.headers, { constructor: 'x', tostring: true });
  assert.deepEqual(placesOf(diagnosticsOf(lines(SERVER, BACKENDS, ROUTES, 'constructor: 1', 'toString: 2'))), [
    'unknown-key constructor 10:1',
    'unknown-key toString 11:1',
  ]);
});

for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
  test(`no middleware is called ${name}`, () => {
    const codes = diagnosticsOf(lines(SERVER, BACKENDS, ROUTES, `    middleware: [${name}]`)).map(({ code }) => code);
    assert.ok(codes.includes('unknown-middleware'), codes.join());
    const block = diagnosticsOf(lines(SERVER, BACKENDS, ROUTES, `middleware: { ${name}: {} }`)).map(({ code }) => code);
    assert.ok(block.includes('unknown-key') || block.includes('reserved-key'), block.join());
  });
}

const POLLUTIONS: Readonly<Record<ConfigFormat, string>> = {
  yaml: lines(SERVER, BACKENDS, ROUTES, '__proto__: { polluted: true }'),
  json: '{"server": {"http_addr": ":1"}, "__proto__": {"polluted": true}}',
  toml: 'routes = []\n[__proto__]\npolluted = true\n[server.__proto__.x]\na = 1\n',
};

for (const format of FORMATS) {
  test(`the key __proto__ is refused in ${format} and changes nothing`, () => {
    const diagnostics = diagnosticsOf(POLLUTIONS[format], { format });
    assert.ok(diagnostics.some(({ code }) => code === 'reserved-key'));
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });
}

test('the router may refuse a pattern, with its own words', () => {
  const checkRoutePattern = (pattern: string) => (pattern.includes('***') ? 'three stars mean nothing' : null);
  const [diagnostic, ...others] = diagnosticsOf(
    lines(SERVER, BACKENDS, 'routes:', '  - path: /a/***', '  - path: /b'),
    {
      checkRoutePattern,
    },
  );
  assert.equal(diagnostic?.code, 'bad-value');
  assert.match(diagnostic?.message ?? '', /routes\[0\]\.path: three stars mean nothing/);
  assert.deepEqual(others, []);
});

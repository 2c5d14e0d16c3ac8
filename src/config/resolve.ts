import { availableParallelism } from 'node:os';
import type {
  BackendConfig,
  CertificateConfig,
  Config,
  HealthCheckConfig,
  ListenAddress,
  RouteConfig,
  RouteMiddleware,
  ServerConfig,
  UpstreamConfig,
} from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { ConfigDocument } from './schema.ts';

type BackendBlock = ConfigDocument['load_balancing']['backends'][string];
type UpstreamBlock = BackendBlock['upstreams'][number];
type RouteBlock = ConfigDocument['routes'][number];

/** Turns a validated document into the configuration: one block's defaults out of another, names of our own, frozen. */
export function resolveConfig(document: ConfigDocument): Config {
  const { metrics, cache, access_log: accessLog } = document;
  const healthCheck = resolveHealthCheck(document.health_check);
  const backends = Object.entries(document.load_balancing.backends).map(([name, block]) =>
    resolveBackend(name, block, document, healthCheck),
  );
  return deepFreeze({
    server: resolveServer(document.server),
    backends,
    routes: resolveRoutes(document.routes, backends[0]?.name ?? ''),
    metrics: {
      prometheus: metrics.prometheus,
      metricsAddr: metrics.metrics_addr,
      metricsPath: metrics.metrics_path,
      detailedMetrics: metrics.detailed_metrics,
    },
    accessLog: {
      enabled: accessLog.enabled,
      format: accessLog.format,
      file: accessLog.output === 'stdout' ? null : accessLog.output,
      sample: accessLog.sample,
      query: accessLog.query,
    },
    cache: {
      enabled: cache.enabled,
      maxEntries: cache.max_entries,
      maxMemoryBytes: cache.max_memory,
      defaultTtlMs: cache.default_ttl,
      maxBodyBytes: cache.max_body_size,
      cacheWithQueryParams: cache.cache_with_query_params,
      debugHeaders: cache.debug_headers,
    },
    healthCheck,
    middleware: document.middleware,
  });
}

function resolveServer(server: ConfigDocument['server']): ServerConfig {
  return {
    httpAddr: resolveListeners(server.http_addr),
    httpsAddr: resolveListeners(server.https_addr),
    tls: resolveCertificates(server),
    clientCertificates:
      server.client_ca === undefined ? null : { caFile: server.client_ca, required: server.client_auth === 'required' },
    httpToHttps: server.http_to_https,
    ticketKeysFile: server.tls_ticket_keys ?? null,
    workers: server.workers ?? availableParallelism(),
    connectionTimeoutMs: server.connection_timeout,
    keepaliveTimeoutMs: server.keepalive_timeout,
    maxConnections: server.max_connections,
    upgradeSock: server.upgrade_sock ?? null,
    pidFile: server.pid_file ?? null,
    trustedProxies: server.trusted_proxies,
    proxyProtocol: server.proxy_protocol,
    maxHeaderBytes: server.max_header_size,
    maxHeaders: server.max_headers,
    maxTargetBytes: server.max_target,
    maxBodyBytes: server.max_body_size ?? null,
    bodyTimeoutMs: server.body_timeout,
    sendTimeoutMs: server.send_timeout,
    shutdownTimeoutMs: server.shutdown_timeout,
    mergeSlashes: server.merge_slashes,
    errorPages: server.error_pages ?? null,
  };
}

/** The single pair comes first, and so is the default. */
function resolveCertificates(server: ConfigDocument['server']): readonly CertificateConfig[] {
  const listed = server.tls.map(({ hosts, cert, key }, index) => ({
    hosts: hosts.map((host) => host.toLowerCase()),
    certFile: cert,
    keyFile: key,
    option: { cert: `server.tls[${index}].cert`, key: `server.tls[${index}].key` },
  }));
  const { tls_cert: certFile, tls_key: keyFile } = server;
  if (certFile === undefined || keyFile === undefined) return listed;
  return [{ hosts: [], certFile, keyFile, option: { cert: 'server.tls_cert', key: 'server.tls_key' } }, ...listed];
}

function resolveListeners(value: ListenAddress | ListenAddress[] | undefined): readonly ListenAddress[] {
  return value === undefined ? [] : [value].flat();
}

function resolveHealthCheck(block: ConfigDocument['health_check']): HealthCheckConfig {
  return {
    enabled: block.enabled,
    checkType: block.check_type,
    path: block.path,
    expectedStatus: block.expected_status,
    intervalMs: block.interval,
    timeoutMs: block.timeout,
    failureThreshold: block.failure_threshold,
    successThreshold: block.success_threshold,
  };
}

/** What a backend leaves out comes from the block at the top; a block of its own switches the checks on. */
function resolveBackendHealthCheck(block: BackendBlock['health_check'], global: HealthCheckConfig): HealthCheckConfig {
  if (block === undefined) return global;
  return {
    enabled: block.enabled ?? true,
    checkType: block.check_type ?? global.checkType,
    path: block.path ?? global.path,
    expectedStatus: block.expected_status ?? global.expectedStatus,
    intervalMs: block.interval ?? global.intervalMs,
    timeoutMs: block.timeout ?? global.timeoutMs,
    failureThreshold: block.failure_threshold ?? global.failureThreshold,
    successThreshold: block.success_threshold ?? global.successThreshold,
  };
}

function resolveBackend(
  name: string,
  block: BackendBlock,
  document: ConfigDocument,
  healthCheck: HealthCheckConfig,
): BackendConfig {
  const breaker = block.circuit_breaker;
  return {
    name,
    algorithm: block.algorithm ?? document.load_balancing.algorithm,
    key: block.key,
    panicThreshold: block.panic_threshold,
    upstreams: block.upstreams.map(resolveUpstream),
    healthCheck: resolveBackendHealthCheck(block.health_check, healthCheck),
    circuitBreaker: {
      enabled: breaker.enabled,
      failureThreshold: breaker.failure_threshold,
      failureRate: breaker.failure_rate ?? null,
      windowMs: breaker.window,
      openTimeoutMs: breaker.open_timeout,
      successThreshold: breaker.success_threshold,
    },
  };
}

function resolveUpstream(block: UpstreamBlock): UpstreamConfig {
  const { text, host, port, path } = block.address;
  const keepalive = block.tcp_keepalive;
  return {
    address: text,
    host,
    port,
    path,
    weight: block.weight,
    maxConnections: block.max_connections ?? null,
    tcpKeepalive: {
      enabled: keepalive.enabled,
      idleMs: keepalive.idle,
      intervalMs: keepalive.interval,
      count: keepalive.count,
    },
    sendProxyProtocol: block.send_proxy_protocol ?? null,
    connectTimeoutMs: block.connection_timeout,
    readTimeoutMs: block.read_timeout,
    writeTimeoutMs: block.write_timeout,
    tls: block.tls,
    sniHostname: block.sni_hostname ?? host,
    tlsVerify: block.tls_verify,
    tlsCa: block.tls_ca ?? null,
    tlsCertificate:
      block.tls_cert === undefined || block.tls_key === undefined
        ? null
        : { certFile: block.tls_cert, keyFile: block.tls_key },
  };
}

/**
 * A route without an id is called by its path. Where that name is taken, by an id that somebody chose or by an earlier
 * route on the same path, it gets the first free of `path#2`, `path#3` and so on.
 */
function resolveRoutes(blocks: readonly RouteBlock[], onlyBackend: string): readonly RouteConfig[] {
  const taken = new Set(blocks.flatMap(({ id }) => (id === undefined ? [] : [id])));
  const nextNumber = new Map<string, number>();
  return blocks.map((block) => {
    const id = block.id ?? freeName(block.path, taken, nextNumber);
    taken.add(id);
    return resolveRoute(block, id, block.backend ?? onlyBackend);
  });
}

function freeName(name: string, taken: ReadonlySet<string>, nextNumber: Map<string, number>): string {
  if (!taken.has(name)) return name;
  let number = nextNumber.get(name) ?? 2;
  while (taken.has(`${name}#${number}`)) number++;
  nextNumber.set(name, number + 1);
  return `${name}#${number}`;
}

function resolveRoute(block: RouteBlock, id: string, backend: string): RouteConfig {
  const { websocket, cache } = block;
  return {
    id,
    path: block.path,
    methods: block.methods === undefined ? null : [...new Set(block.methods)],
    host: block.host ?? null,
    backend,
    timeoutMs: block.timeout ?? null,
    retries: block.retries,
    stripPrefix: block.strip_prefix ?? null,
    upstreamHost: block.upstream_host,
    priority: block.priority ?? null,
    match: { headers: block.match.headers, query: block.match.query },
    middleware: block.middleware.flatMap(resolveRouteMiddleware),
    websocket: {
      enabled: websocket.enabled,
      protocols: websocket.protocols ?? null,
      timeoutMs: websocket.timeout ?? null,
      idleTimeoutMs: websocket.idle_timeout ?? null,
      maxMessageBytes: websocket.max_message_size ?? null,
      origins: websocket.origins ?? null,
    },
    cache: {
      enabled: cache.enabled ?? null,
      ttlMs: cache.ttl ?? null,
      maxBodyBytes: cache.max_body_size ?? null,
      cacheWithQueryParams: cache.cache_with_query_params ?? null,
      methods: cache.methods ?? null,
    },
  };
}

function resolveRouteMiddleware(entry: RouteBlock['middleware'][number]): readonly RouteMiddleware[] {
  if (typeof entry === 'string') return [{ name: entry, overrides: {} }];
  return Object.entries(entry).map(([name, overrides]) => ({ name, overrides }));
}

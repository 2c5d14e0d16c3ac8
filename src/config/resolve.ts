import { availableParallelism } from 'node:os';
import type { CertificateConfig, Config, RouteConfig, ServerConfig } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { MiddlewareChains } from './middleware-chains.ts';
import { resolveBackend, resolveHealthCheck } from './resolve-backend.ts';
import type { ConfigDocument } from './schema/document.ts';

type RouteBlock = ConfigDocument['routes'][number];

/** Turns a validated document into the configuration: one block's defaults out of another, names of our own, frozen. */
export function resolveConfig(
  document: ConfigDocument,
  chains: MiddlewareChains,
  notAvailableYet: readonly string[],
): Config {
  const { metrics, cache, tracing, access_log: accessLog } = document;
  const { resolver } = document.load_balancing;
  const healthCheck = resolveHealthCheck(document.health_check);
  const backends = Object.entries(document.load_balancing.backends).map(([name, block]) =>
    resolveBackend(name, block, document, healthCheck),
  );
  return deepFreeze({
    server: resolveServer(document.server, chains),
    backends,
    resolver: resolver ?? null,
    routes: resolveRoutes(document.routes, chains, backends[0]?.name ?? ''),
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
      storeSetCookie: cache.store_set_cookie,
      debugHeaders: cache.debug_headers,
    },
    tracing: {
      enabled: tracing.enabled,
      endpoint: tracing.endpoint,
      headers: tracing.headers,
      serviceName: tracing.service_name,
      sampleRate: tracing.sample_rate,
      timeoutMs: tracing.timeout,
    },
    healthCheck,
    notAvailableYet,
    userFiles: chains.userFiles,
  });
}

function resolveServer(server: ConfigDocument['server'], chains: MiddlewareChains): ServerConfig {
  return {
    httpAddr: server.http_addr ?? [],
    httpsAddr: server.https_addr ?? [],
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
    middlewareTimeoutMs: server.middleware_timeout,
    sendTimeoutMs: server.send_timeout,
    reloadTimeoutMs: server.reload_timeout,
    shutdownTimeoutMs: server.shutdown_timeout,
    workerTimeoutMs: server.worker_timeout,
    mergeSlashes: server.merge_slashes,
    middleware: chains.ofServer,
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

/**
 * A route without an id is called by its path. Where that name is taken, by an id that somebody chose or by an earlier
 * route on the same path, it gets the first free of `path#2`, `path#3` and so on.
 */
function resolveRoutes(
  blocks: readonly RouteBlock[],
  chains: MiddlewareChains,
  onlyBackend: string,
): readonly RouteConfig[] {
  const taken = new Set(blocks.flatMap(({ id }) => (id === undefined ? [] : [id])));
  const nextNumber = new Map<string, number>();
  return blocks.map((block, index) => {
    const id = block.id ?? freeName(block.path, taken, nextNumber);
    taken.add(id);
    return { ...resolveRoute(block, id, block.backend ?? onlyBackend), middleware: chains.ofRoutes[index] ?? [] };
  });
}

function freeName(name: string, taken: ReadonlySet<string>, nextNumber: Map<string, number>): string {
  if (!taken.has(name)) return name;
  let number = nextNumber.get(name) ?? 2;
  while (taken.has(`${name}#${number}`)) number++;
  nextNumber.set(name, number + 1);
  return `${name}#${number}`;
}

function resolveRoute(block: RouteBlock, id: string, backend: string): Omit<RouteConfig, 'middleware'> {
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
      storeSetCookie: cache.store_set_cookie ?? null,
      methods: cache.methods ?? null,
    },
  };
}

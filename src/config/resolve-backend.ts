import type { BackendConfig, HealthCheckConfig, UpstreamConfig } from './config.ts';
import type { ConfigDocument } from './schema/document.ts';

type BackendBlock = ConfigDocument['load_balancing']['backends'][string];
type UpstreamBlock = BackendBlock['upstreams'][number];

/** The settings at the top, which backends take over. */
export function resolveHealthCheck(block: ConfigDocument['health_check']): HealthCheckConfig {
  return {
    enabled: block.enabled,
    checkType: block.check_type,
    path: block.path,
    expectedStatus: block.expected_status,
    intervalMs: block.interval,
    timeoutMs: block.timeout,
    failureThreshold: block.failure_threshold,
    successThreshold: block.success_threshold,
    expectedBody: block.expected_body ?? null,
    headers: block.headers ?? {},
    host: block.host ?? null,
    reuse: block.reuse,
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
    expectedBody: block.expected_body ?? global.expectedBody,
    headers: block.headers ?? global.headers,
    host: block.host ?? global.host,
    reuse: block.reuse ?? global.reuse,
  };
}

export function resolveBackend(
  name: string,
  block: BackendBlock,
  document: ConfigDocument,
  healthCheck: HealthCheckConfig,
): BackendConfig {
  const { circuit_breaker: breaker, sticky } = block;
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
      minRequests: breaker.min_requests,
      openTimeoutMs: breaker.open_timeout,
      successThreshold: breaker.success_threshold,
    },
    retryBudget: { share: block.retry_budget.share, minPerSecond: block.retry_budget.min_per_second },
    retryBackoff: { initialMs: block.retry_backoff.initial, maxMs: block.retry_backoff.max },
    sticky: sticky === undefined ? null : { cookie: sticky.cookie, ttlMs: sticky.ttl ?? null, secure: sticky.secure },
    slowStartMs: block.slow_start ?? null,
    queue: { size: block.queue.size, timeoutMs: block.queue.timeout },
  };
}

function resolveUpstream(block: UpstreamBlock): UpstreamConfig {
  const { text, host, port, path, service } = block.address;
  const keepalive = block.tcp_keepalive;
  return {
    address: text,
    key: text,
    host,
    alternative: null,
    port,
    path,
    service,
    authority: authorityOf(block.address),
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
    sniHostname: block.sni_hostname ?? nameOf(block.address),
    tlsVerify: block.tls_verify,
    tlsCa: block.tls_ca ?? null,
    tlsCertificate:
      block.tls_cert === undefined || block.tls_key === undefined
        ? null
        : { certFile: block.tls_cert, keyFile: block.tls_key },
  };
}

function authorityOf(address: UpstreamBlock['address']): string {
  if (address.path !== null) return 'localhost';
  return address.service === null ? address.text : nameOf(address);
}

/**
 * What the server is called, without a port (RFC 6066 3: and without a dot at the end). That of a service is the domain that offers
 * it: the targets are only what DNS says, and whoever can forge its answers must not choose whom we trust.
 */
function nameOf({ host, service }: UpstreamBlock['address']): string {
  const name = service === null ? host : service.replace(/^_[^.]+\._[^.]+\./, '');
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

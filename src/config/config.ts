/*
 * What the gateway runs on: the configuration after parsing, validation, defaults and the resolution of references.
 * Plain data, frozen all the way down, so that it can be cloned into a worker thread as it is.
 * Durations are in milliseconds (`...Ms`), sizes in bytes (`...Bytes`).
 */

import type { StatusRange } from './http-option-types.ts';
import type { BuiltIn, BuiltInOptions } from './schema/middleware/block.ts';

/** A place to listen at. */
export interface ListenAddress {
  /** An IP literal without brackets, or a name. Empty: every address of the machine, IPv4 and IPv6. */
  readonly host: string;
  /** 0 lets the system choose; also 0 for a unix socket. */
  readonly port: number;
  /** Path of a unix socket; null for TCP. */
  readonly path: string | null;
  /** The address as written in the configuration. */
  readonly text: string;
}

export interface ServerConfig {
  readonly httpAddr: readonly ListenAddress[];
  readonly httpsAddr: readonly ListenAddress[];
  /** The certificates for HTTPS; the first one answers clients that ask for no name of the others. */
  readonly tls: readonly CertificateConfig[];
  /** Null: clients are not asked for certificates. */
  readonly clientCertificates: { readonly caFile: string; readonly required: boolean } | null;
  /** What is said to plain HTTP: nothing, or the way to HTTPS, by its own port or by one that stands in front of it. */
  readonly httpToHttps: boolean | number;
  /** Null: in the runtime directory. */
  readonly ticketKeysFile: string | null;
  /** Number of worker threads, at least 1. */
  readonly workers: number;
  /** A client must deliver a whole request head within it. */
  readonly connectionTimeoutMs: number;
  /** How long a connection may be idle between two requests. */
  readonly keepaliveTimeoutMs: number;
  /** Over all workers. */
  readonly maxConnections: number;
  readonly upgradeSock: string | null;
  readonly pidFile: string | null;
  /** IP addresses and CIDR ranges. */
  readonly trustedProxies: readonly string[];
  /** Connections of trusted proxies begin with a PROXY header. */
  readonly proxyProtocol: boolean;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  readonly maxTargetBytes: number;
  /** Null: no limit. */
  readonly maxBodyBytes: number | null;
  /** The longest silence within a request body. */
  readonly bodyTimeoutMs: number;
  /** How long a request waits for a hook of its middleware where its route has no timeout. */
  readonly middlewareTimeoutMs: number;
  /** The longest time that a client may take no byte of a reply. */
  readonly sendTimeoutMs: number;
  /** How long a worker may take for each step of a start or a change, and a module of a user to load. */
  readonly reloadTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  /** How long the event loop of a worker may stand still before the worker is ended. */
  readonly workerTimeoutMs: number;
  readonly mergeSlashes: boolean;
  /** The middleware of every route, in the order of the configuration. */
  readonly middleware: readonly RouteMiddleware[];
  /** File of the page by status (`404`) or class (`5xx`). */
  readonly errorPages: Readonly<Record<string, string>> | null;
}

export interface CertificateConfig {
  /** Names and `*.` patterns in lower case; empty for the one that is only the default. */
  readonly hosts: readonly string[];
  readonly certFile: string;
  readonly keyFile: string;
  /** The paths of the options that named the files, for messages. */
  readonly option: { readonly cert: string; readonly key: string };
}

export interface TcpKeepaliveConfig {
  readonly enabled: boolean;
  readonly idleMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

export interface UpstreamConfig {
  /** The address as written in the configuration. */
  readonly address: string;
  /** Names it among the upstreams of its backend: the address, and of a name also which of its servers this is. */
  readonly key: string;
  /** An IP literal without brackets, or a name, in whose place addresses are put before it is served. Empty for a unix socket. */
  readonly host: string;
  /** Another address of the same server, an IP literal, to connect to when `host` cannot be reached; null for none. */
  readonly alternative: string | null;
  /** 0 for a unix socket and for a service. */
  readonly port: number;
  /** Path of a unix socket; null for TCP. */
  readonly path: string | null;
  /** The name of a service, whose servers and ports DNS knows (RFC 2782); null for one server. */
  readonly service: string | null;
  /** What requests name as their host, where the route wants that of the upstream. */
  readonly authority: string;
  /** Share of the traffic, a whole number; 0 takes the upstream out of service. */
  readonly weight: number;
  /** Bound on sockets, busy and idle, over all workers. Null: no limit. */
  readonly maxConnections: number | null;
  readonly tcpKeepalive: TcpKeepaliveConfig;
  /** The version of the PROXY header that connections begin with; null for none. */
  readonly sendProxyProtocol: 'v1' | 'v2' | null;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly tls: boolean;
  /** The name to verify and to send in the TLS handshake. Empty for a unix socket without one. */
  readonly sniHostname: string;
  readonly tlsVerify: boolean;
  readonly tlsCa: string | null;
  /** What to show an upstream that asks for a certificate. */
  readonly tlsCertificate: { readonly certFile: string; readonly keyFile: string } | null;
}

export type Algorithm =
  | 'round_robin'
  | 'least_connections'
  | 'weighted_round_robin'
  | 'ip_hash'
  | 'consistent_hash'
  | 'random'
  | 'power_of_two';

export interface HealthCheckConfig {
  readonly enabled: boolean;
  readonly checkType: 'tcp' | 'http' | 'https';
  readonly path: string;
  /** What counts as well; at least one. */
  readonly expectedStatus: readonly StatusRange[];
  /** A text that must be in the body; null: the body is not looked at. */
  readonly expectedBody: string | null;
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: the upstream's address. */
  readonly host: string | null;
  /** Whether checks keep their connections. */
  readonly reuse: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

export interface CircuitBreakerConfig {
  readonly enabled: boolean;
  /** Consecutive failures that open the breaker. */
  readonly failureThreshold: number;
  /** Share of failed requests within the window that opens the breaker, above 0 and up to 1. Null: not looked at. */
  readonly failureRate: number | null;
  readonly windowMs: number;
  /** Requests within the window below which the rate says nothing. */
  readonly minRequests: number;
  readonly openTimeoutMs: number;
  readonly successThreshold: number;
}

/** A cookie that keeps a client with its upstream. */
export interface StickyConfig {
  readonly cookie: string;
  /** Null: until the browser is closed. */
  readonly ttlMs: number | null;
  readonly secure: boolean;
}

/** Retries per second: a share of the requests, but never fewer than a few. */
export interface RetryBudgetConfig {
  /** From 0 to 1. */
  readonly share: number;
  readonly minPerSecond: number;
}

/** The longest pauses before the first and before a later retry. */
export interface RetryBackoffConfig {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Where requests wait while every upstream is full. */
export interface QueueConfig {
  /** Over all workers; 0: nobody waits. */
  readonly size: number;
  readonly timeoutMs: number;
}

export interface BackendConfig {
  readonly name: string;
  readonly algorithm: Algorithm;
  /** What a hashing algorithm hashes: `ip`, `path`, `header:NAME` or `cookie:NAME`. */
  readonly key: string;
  /** Share of healthy upstreams (0 to 1) below which health is ignored. 0: never. */
  readonly panicThreshold: number;
  /** At least one, of which at least one has a weight above 0. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly healthCheck: HealthCheckConfig;
  readonly circuitBreaker: CircuitBreakerConfig;
  readonly retryBudget: RetryBudgetConfig;
  readonly retryBackoff: RetryBackoffConfig;
  /** Null: clients do not stay with an upstream. */
  readonly sticky: StickyConfig | null;
  /** How long an upstream that comes up takes to its whole share. Null: it has it at once. */
  readonly slowStartMs: number | null;
  readonly queue: QueueConfig;
}

/** A file of users, read. */
export interface UserFile {
  /** As `basic.htpasswd` has it, made absolute. */
  readonly path: string;
  /** Of its text: another one, other users. */
  readonly digest: string;
  readonly users: readonly (readonly [name: string, hash: string])[];
}

/**
 * A middleware that a route names, with all of its options: those of its block, overridden by those of the route, with
 * defaults, durations in milliseconds and sizes in bytes.
 */
export type RouteMiddleware = BuiltInMiddleware | CustomMiddleware;

export type BuiltInMiddleware = {
  readonly [N in BuiltIn]: {
    /** The name of its block. */
    readonly name: N;
    readonly module: null;
    readonly options: BuiltInOptions[N];
    /** What the route wants different from the block, as written. */
    readonly overrides: Readonly<Record<string, unknown>>;
  };
}[BuiltIn];

/** One of your own, by the name it has in `middleware.custom`. */
export interface CustomMiddleware {
  readonly name: string;
  /** Absolute path of its module. */
  readonly module: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly overrides: Readonly<Record<string, unknown>>;
}

export interface WebSocketConfig {
  readonly enabled: boolean;
  /** Null: every subprotocol may pass. */
  readonly protocols: readonly string[] | null;
  /** The connection's whole life. Null: no limit. */
  readonly timeoutMs: number | null;
  /** The longest time without a frame in either direction. Null: no limit. */
  readonly idleTimeoutMs: number | null;
  /** Null: no limit. */
  readonly maxMessageBytes: number | null;
  /** Null: every origin. */
  readonly origins: readonly string[] | null;
}

/** A route's cache settings. Null: what the `cache` block says. */
export interface RouteCacheConfig {
  readonly enabled: boolean | null;
  readonly ttlMs: number | null;
  readonly maxBodyBytes: number | null;
  readonly cacheWithQueryParams: boolean | null;
  readonly storeSetCookie: boolean | null;
  readonly methods: readonly string[] | null;
}

/** Fields or parameters that a request must have: `true` = present, a string = present with exactly this value. */
export type Predicates = Readonly<Record<string, string | true>>;

export interface RouteConfig {
  /** Unique among the routes. */
  readonly id: string;
  /** A pattern that starts with `/`, or a regular expression that starts with `^`. */
  readonly path: string;
  /** Null: every method. */
  readonly methods: readonly string[] | null;
  /** Lower case, without port and trailing dot; `*.` in front stands for exactly one label. Null: every host. */
  readonly host: string | null;
  /** Name of a backend that exists. */
  readonly backend: string;
  readonly timeoutMs: number | null;
  readonly retries: number;
  readonly stripPrefix: string | null;
  readonly upstreamHost: 'preserve' | 'upstream' | { readonly name: string };
  readonly priority: number | null;
  /** Header names are in lower case. */
  readonly match: { readonly headers: Predicates; readonly query: Predicates };
  readonly middleware: readonly RouteMiddleware[];
  readonly websocket: WebSocketConfig;
  readonly cache: RouteCacheConfig;
}

export interface MetricsConfig {
  readonly prometheus: boolean;
  readonly metricsAddr: ListenAddress;
  readonly metricsPath: string;
  readonly detailedMetrics: boolean;
}

export interface AccessLogConfig {
  readonly enabled: boolean;
  readonly format: 'json' | 'combined';
  /** Path of the file to append to; null for standard output. */
  readonly file: string | null;
  /** Share of the requests that are logged although nothing went wrong, 0 to 1. */
  readonly sample: number;
  /** What of a query string is logged. */
  readonly query: 'none' | 'masked' | 'full';
}

export interface CacheConfig {
  readonly enabled: boolean;
  readonly maxEntries: number;
  readonly maxMemoryBytes: number;
  readonly defaultTtlMs: number;
  readonly maxBodyBytes: number;
  readonly cacheWithQueryParams: boolean;
  readonly storeSetCookie: boolean;
  readonly debugHeaders: boolean;
}

export interface TracingConfig {
  readonly enabled: boolean;
  /** URL of the OTLP/HTTP collector. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** From 0 to 1. */
  readonly sampleRate: number;
  readonly timeoutMs: number;
}

export interface Config {
  readonly server: ServerConfig;
  readonly backends: readonly BackendConfig[];
  /** The DNS servers that know the names of upstreams: IP addresses with an optional port. Null: those of the system. */
  readonly resolver: readonly string[] | null;
  readonly routes: readonly RouteConfig[];
  readonly metrics: MetricsConfig;
  readonly accessLog: AccessLogConfig;
  readonly cache: CacheConfig;
  readonly tracing: TracingConfig;
  readonly healthCheck: HealthCheckConfig;
  /**
   * Paths of options that safety rests on and that this version does not have. While there are any, the configuration can be
   * explained, but must not be served.
   */
  readonly notAvailableYet: readonly string[];
  /** The files of users that middleware names. */
  readonly userFiles: readonly UserFile[];
}

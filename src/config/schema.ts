import { z } from 'zod';
import { accessLog } from './access-log-options.ts';
import {
  absolutePath,
  byteSize,
  duration,
  durationOrZero,
  filePath,
  flag,
  headerName,
  hostPattern,
  ipRange,
  listenAddress,
  listOf,
  MAX_TIMER_MS,
  method,
  oneOf,
  oneOrMore,
  printableText,
  routePattern,
  serverName,
  share,
  shareOrZero,
  textOrPresent,
  upstreamAddress,
  upstreamHost,
  wholeNumber,
} from './option-types.ts';

/*
 * Every option of the configuration, once: name, type, default and description. Types, validation and defaults come from
 * here. An option is described first and gets its default last.
 */

const KIB = 1024;
const MAX_COUNT = 1_000_000_000;

/** Ten years. */
const MAX_TTL_MS = 3_650 * 86_400_000;

const algorithm = oneOf([
  'round_robin',
  'least_connections',
  'weighted_round_robin',
  'ip_hash',
  'consistent_hash',
  'random',
  'power_of_two',
]).describe('How a backend chooses the upstream of a request.');

const server = z
  .strictObject({
    http_addr: oneOrMore(listenAddress(), 'an address such as "0.0.0.0:8080" or ":8080"')
      .describe('Where to listen for HTTP: an address or a list of them. ":8080" is every address of the machine.')
      .optional(),
    https_addr: oneOrMore(listenAddress(), 'an address such as "0.0.0.0:8443" or ":8443"')
      .describe('Where to listen for HTTPS: an address or a list of them.')
      .optional(),
    tls_cert: filePath().describe('PEM file with the certificate chain for HTTPS.').optional(),
    tls_key: filePath().describe('PEM file with the private key of the certificate.').optional(),
    tls: z
      .array(
        z.strictObject({
          hosts: z
            .array(hostPattern(), { error: 'a list of host names' })
            .min(1, { error: 'at least one host name' })
            .describe('The names that this certificate answers to: "api.example.com", "*.example.com".'),
          cert: filePath().describe('PEM file with the certificate chain.'),
          key: filePath().describe('PEM file with the private key of the certificate.'),
        }),
        { error: 'a list of certificates' },
      )
      .describe('More certificates, chosen by the name that the client asks for (SNI).')
      .prefault([]),
    client_ca: filePath()
      .describe('PEM file with the authorities whose certificates clients have to show, or may show (client_auth).')
      .optional(),
    client_auth: oneOf(['required', 'optional'])
      .describe('Whether a client without a certificate is refused. One whose certificate is not valid always is.')
      .prefault('required'),
    http_to_https: z
      .union([flag(), wholeNumber(1, 65_535)], { error: 'true, false or the port that clients reach HTTPS on' })
      .describe('Answers every request over plain HTTP with a redirect to HTTPS; a number is the port to name there.')
      .prefault(false),
    tls_ticket_keys: filePath()
      .describe(
        'File that keeps the keys of TLS session tickets over restarts, made if there is none; by default in the runtime directory.',
      )
      .optional(),
    workers: wholeNumber(1, 1024).describe('Number of worker threads; by default one for each core.').optional(),
    connection_timeout: duration()
      .describe('The time that a client has to deliver a whole request head; then 408.')
      .prefault('30s'),
    keepalive_timeout: duration()
      .describe('How long a client connection may be idle between two requests before it is closed.')
      .prefault('75s'),
    max_connections: wholeNumber(1, MAX_COUNT)
      .describe('The most client connections at one time, over all workers; more get 503.')
      .prefault(10_000),
    upgrade_sock: filePath()
      .describe('Unix socket over which a new process takes over the listeners; by default in the runtime directory.')
      .optional(),
    pid_file: filePath().describe('File to write the process id to.').optional(),
    trusted_proxies: z
      .array(ipRange(), { error: 'a list of IP addresses and ranges' })
      .describe('Peers whose X-Forwarded-* and X-Request-ID fields are believed: IP addresses and CIDR ranges.')
      .prefault([]),
    proxy_protocol: flag()
      .describe('Whether connections of trusted_proxies begin with a PROXY header (v1 or v2), which names the client.')
      .prefault(false),
    max_header_size: byteSize(256).describe('The most bytes of a request head; more get 431.').prefault('32KiB'),
    max_headers: wholeNumber(1, 10_000).describe('The most header lines of a request; more get 431.').prefault(100),
    max_target: byteSize(16).describe('The most bytes of a request target; more get 414.').prefault('8KiB'),
    max_body_size: byteSize(0)
      .describe('The most bytes of a request body; more get 413. By default there is no limit.')
      .optional(),
    body_timeout: duration()
      .describe('How long a client may go without sending a byte of a request body; then 408.')
      .prefault('30s'),
    send_timeout: duration()
      .describe('How long a client may go without taking a byte of a reply; then the connection is closed.')
      .prefault('30s'),
    shutdown_timeout: durationOrZero(MAX_TIMER_MS)
      .describe('How long a shutdown waits for requests in flight before it cuts them off.')
      .prefault('30s'),
    merge_slashes: flag()
      .describe('Whether several slashes in a row in a path count as one, for matching and for the upstream.')
      .prefault(true),
    error_pages: z
      .record(
        z.string().regex(/^(?:[45]\d\d|[45]xx)$/, { error: 'a status such as "404" or a class such as "5xx"' }),
        filePath(),
        { error: 'a mapping of statuses to files' },
      )
      .describe(
        'Files to answer with when the gateway itself makes an error reply, by status ("404") or class ("5xx").',
      )
      .optional(),
  })
  .describe('Listeners, limits and timeouts towards the clients.');

const tcpKeepalive = z
  .strictObject({
    enabled: flag().describe('Whether the system probes idle connections.').prefault(true),
    idle: duration().describe('Time without traffic before the first probe.').prefault('60s'),
    interval: duration().describe('Time between two probes.').prefault('10s'),
    count: wholeNumber(1, 100).describe('Unanswered probes after which a connection counts as dead.').prefault(9),
  })
  .describe('TCP keepalive probes on connections to the upstream.');

const upstream = z
  .strictObject({
    address: upstreamAddress().describe('Host and port of the server, or unix:/path.'),
    weight: wholeNumber(0, 1_000_000)
      .describe('Share of the traffic compared with the other upstreams; 0 takes it out of service.')
      .prefault(1),
    tls: flag().describe('Whether to speak TLS with the upstream.').prefault(false),
    sni_hostname: serverName()
      .describe("The name to ask for and to verify in the TLS handshake; by default the address's host.")
      .optional(),
    tls_verify: flag().describe("Whether the upstream's certificate must be valid.").prefault(true),
    tls_ca: filePath().describe('PEM file with the authorities to trust instead of the usual ones.').optional(),
    tls_cert: filePath().describe('PEM file with the certificate chain to show when the upstream asks.').optional(),
    tls_key: filePath().describe('PEM file with the private key of that certificate.').optional(),
    max_connections: wholeNumber(1, MAX_COUNT)
      .describe('The most connections to this upstream, busy and idle, over all workers. By default there is no limit.')
      .optional(),
    tcp_keepalive: tcpKeepalive.prefault({}),
    send_proxy_protocol: oneOf(['v1', 'v2'])
      .describe('Begins each connection with a PROXY header of this version; then no two clients share a connection.')
      .optional(),
    connection_timeout: duration().describe('How long opening a connection may take.').prefault('5s'),
    read_timeout: duration().describe('The longest silence while a reply is due.').prefault('30s'),
    write_timeout: duration().describe('How long the upstream may go without taking a byte.').prefault('30s'),
  })
  .describe('One server.');

const healthCheckDefaults = {
  check_type: oneOf(['tcp', 'http', 'https']).describe('What a check does: connect, or ask with GET.').prefault('tcp'),
  path: absolutePath().describe('What an http or https check asks for.').prefault('/health'),
  expected_status: wholeNumber(100, 599).describe('The status that an http or https check wants.').prefault(200),
  interval: duration().describe('Time between two checks of one upstream.').prefault('10s'),
  timeout: duration().describe('How long one check may take.').prefault('5s'),
  failure_threshold: wholeNumber(1, 1000).describe('Failures in a row that make an upstream unhealthy.').prefault(3),
  success_threshold: wholeNumber(1, 1000).describe('Successes in a row that make it healthy again.').prefault(2),
};

const healthCheckEnabled = flag().describe(
  'Whether upstreams are checked; by default where there is a health_check block, here or at the top.',
);

const healthCheck = z
  .strictObject({ enabled: healthCheckEnabled.prefault(true), ...healthCheckDefaults })
  .describe('Active health checks: the settings of every backend that does not set them itself.');

const backendHealthCheck = z
  .strictObject({ enabled: healthCheckEnabled.optional(), ...withoutDefaults(healthCheckDefaults) })
  .describe('Active health checks of this backend; what is left out comes from the health_check block at the top.');

const circuitBreaker = z
  .strictObject({
    enabled: flag().describe('Whether an upstream that keeps failing is left alone for a while.').prefault(true),
    failure_threshold: wholeNumber(1, 1_000_000)
      .describe('Failures in a row that open the breaker of an upstream.')
      .prefault(5),
    failure_rate: share()
      .describe('Share of failed requests within the window that opens the breaker; by default not looked at.')
      .optional(),
    window: duration().describe('The time over which failure_rate is counted.').prefault('30s'),
    open_timeout: duration().describe('How long the breaker stays open before one request probes.').prefault('60s'),
    success_threshold: wholeNumber(1, 1_000_000).describe('Successful probes that close the breaker.').prefault(3),
  })
  .describe('Leaves an upstream alone that keeps failing.');

const hashKeyWanted = '"ip", "path", "header:NAME" or "cookie:NAME"';

const backend = z
  .strictObject({
    algorithm: algorithm.optional(),
    key: z
      .string({ error: hashKeyWanted })
      .regex(/^(?:ip|path|(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/, { error: hashKeyWanted })
      .describe(`What consistent_hash hashes: ${hashKeyWanted}.`)
      .prefault('ip'),
    panic_threshold: shareOrZero()
      .describe('Share of healthy upstreams below which health is ignored; 0 answers 503 when none is healthy.')
      .prefault(0),
    upstreams: listOf(upstream, 'upstreams').describe('The servers of this backend.'),
    health_check: backendHealthCheck.optional(),
    circuit_breaker: circuitBreaker.prefault({}),
  })
  .describe('A named group of servers that can answer the same requests.');

const backendsWanted = 'a mapping of backend names to backends, not empty';

const loadBalancing = z
  .strictObject({
    algorithm: algorithm.prefault('round_robin'),
    backends: z
      .record(printableText(), backend, { error: backendsWanted })
      .refine((backends) => Object.keys(backends).length > 0, { error: backendsWanted })
      .describe('The backends by name.'),
  })
  .describe('The servers behind the gateway.');

const websocket = z
  .strictObject({
    enabled: flag().describe('Whether the route takes WebSocket upgrades.').prefault(false),
    protocols: listOf(printableText(), 'subprotocols')
      .describe('The subprotocols that may be negotiated; by default every one.')
      .optional(),
    timeout: duration().describe('The longest life of a connection; by default there is no limit.').optional(),
    idle_timeout: duration()
      .describe('The longest time without a frame in either direction; by default there is no limit.')
      .optional(),
    max_message_size: byteSize(1).describe('The most bytes of a message; by default there is no limit.').optional(),
    origins: listOf(printableText(), 'origins')
      .describe('The origins that may connect; by default every one.')
      .optional(),
  })
  .describe('WebSocket connections of this route.');

const routeCache = z
  .strictObject({
    enabled: flag().describe('Whether replies of this route are cached.').optional(),
    ttl: durationOrZero(MAX_TTL_MS)
      .describe('Freshness of replies that say nothing about it; 0s stores none of them.')
      .optional(),
    max_body_size: byteSize(0).describe('The largest body to store.').optional(),
    cache_with_query_params: flag().describe('Whether requests with a query are cached.').optional(),
    methods: listOf(oneOf(['GET', 'HEAD']), 'methods')
      .describe('The methods whose replies are cached.')
      .optional(),
  })
  .describe('Caching on this route; what is left out comes from the cache block at the top.');

const match = z
  .strictObject({
    headers: z
      .record(headerName(), textOrPresent(), { error: 'a mapping of header names to values' })
      .describe('Headers that a request must have: a value to be equal to, or true for "is present".')
      .prefault({}),
    query: z
      .record(z.string(), textOrPresent(), { error: 'a mapping of parameter names to values' })
      .describe('Query parameters that a request must have: a value to be equal to, or true for "is present".')
      .prefault({}),
  })
  .describe('What a request must have besides path, host and method.');

const routeMiddlewareWanted = 'the name of a middleware, or a mapping of one name to its options for this route';

const routeMiddleware = z.union(
  [
    printableText(),
    z
      .record(z.string(), z.record(z.string(), z.unknown()), { error: routeMiddlewareWanted })
      .refine((named) => Object.keys(named).length === 1, { error: routeMiddlewareWanted }),
  ],
  { error: routeMiddlewareWanted },
);

const route = z
  .strictObject({
    id: printableText().describe('Name of the route in logs and metrics, unique; by default its path.').optional(),
    path: routePattern().describe(
      'Which paths the route takes: literals, * for one segment, ** for any number, {name} for one named segment, or a regular expression after ^.',
    ),
    methods: listOf(method(), 'methods')
      .describe('Which methods the route takes (GET implies HEAD); by default every one.')
      .optional(),
    host: hostPattern()
      .describe('Which host the route is for; "*." in front stands for exactly one label. By default every host.')
      .optional(),
    backend: printableText().describe('The backend that answers; by default the only one there is.').optional(),
    middleware: z
      .array(routeMiddleware, { error: 'a list of middleware' })
      .describe('Middleware of this route: names, or {name: options} to set options for this route.')
      .prefault([]),
    timeout: duration()
      .describe('Deadline of the whole exchange, for streams up to the head of the reply; by default there is none.')
      .optional(),
    retries: wholeNumber(0, 100)
      .describe('How many more tries a failed request may get where that is safe.')
      .prefault(1),
    websocket: websocket.prefault({}),
    cache: routeCache.prefault({}),
    strip_prefix: absolutePath()
      .describe('What to take off the front of the path before it goes upstream, at a segment boundary.')
      .optional(),
    upstream_host: upstreamHost()
      .describe("What goes upstream as Host: the client's (preserve), the upstream's address (upstream), or a name.")
      .prefault('preserve'),
    match: match.prefault({}),
    priority: wholeNumber(-1_000_000, 1_000_000)
      .describe('Overrides the ranking by how specific a route is; the higher goes first.')
      .optional(),
  })
  .describe('Which requests go to which backend.');

const metrics = z
  .strictObject({
    prometheus: flag().describe('Whether metrics are served.').prefault(true),
    metrics_addr: listenAddress().describe('Where the admin server listens.').prefault('127.0.0.1:9090'),
    metrics_path: absolutePath().describe('Path of the metrics on the admin server.').prefault('/metrics'),
    detailed_metrics: flag().describe('Whether metrics are split by route and upstream.').prefault(true),
  })
  .describe('Metrics for Prometheus.');

const cache = z
  .strictObject({
    enabled: flag().describe('Whether replies are cached.').prefault(false),
    max_entries: wholeNumber(1, MAX_COUNT).describe('The most replies in the cache.').prefault(10_000),
    max_memory: byteSize(64 * KIB)
      .describe('The most memory that the cache takes.')
      .prefault('256MiB'),
    default_ttl: durationOrZero(MAX_TTL_MS)
      .describe('Freshness of replies that say nothing about it; 0s stores none of them.')
      .prefault('300s'),
    max_body_size: byteSize(0).describe('The largest body to store.').prefault('1MiB'),
    cache_with_query_params: flag()
      .describe('Whether requests with a query are cached; otherwise they go past the cache.')
      .prefault(false),
    debug_headers: flag()
      .describe('Whether replies tell by X-Cache and X-Cache-Key what the cache did.')
      .prefault(true),
  })
  .describe('The response cache.');

/** What the configuration needs to know of one middleware. */
export interface MiddlewareDeclaration {
  /** Name of its block below `middleware`. */
  readonly name: string;
  readonly options: z.ZodType;
}

/** Builds the schema of a whole document. Without declarations any name may stand below `middleware`. */
export function documentSchema(middleware: readonly MiddlewareDeclaration[]) {
  return z.strictObject({
    server,
    load_balancing: loadBalancing,
    routes: listOf(route, 'routes').describe('The routes, in any order: the most specific one takes a request.'),
    middleware: middlewareBlock(middleware)
      .describe('Options of each middleware, for all routes that name it.')
      .prefault({}),
    // Without a block nobody asked for checks.
    health_check: healthCheck.prefault({ enabled: false }),
    metrics: metrics.prefault({}),
    access_log: accessLog.prefault({}),
    cache: cache.prefault({}),
  });
}

function middlewareBlock(middleware: readonly MiddlewareDeclaration[]): z.ZodType<Record<string, unknown>, object> {
  const error = 'a mapping of middleware names to options';
  if (middleware.length === 0) {
    return z.record(z.string(), z.record(z.string(), z.unknown(), { error: 'a mapping of options' }), { error });
  }
  return z.strictObject(Object.fromEntries(middleware.map(({ name, options }) => [name, options.optional()])), {
    error,
  });
}

/** A document after validation: the file's own keys, with defaults, durations in milliseconds and sizes in bytes. */
export type ConfigDocument = z.output<ReturnType<typeof documentSchema>>;

/** The same options, each of which may be left out. */
function withoutDefaults<S extends Record<string, z.ZodPrefault>>(options: S) {
  const optional = Object.entries(options).map(([name, option]) => [name, z.optional(option.unwrap())]);
  // Sound: the same names, each with the type that was inside its default.
  return Object.fromEntries(optional) as { [K in keyof S]: z.ZodOptional<ReturnType<S[K]['unwrap']>> };
}

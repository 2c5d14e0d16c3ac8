import { ALLOWED_ORIGIN, API_KEY, TOKEN_SECRET } from '../hosts/request-bytes.ts';
import type { BackendScript, ConfigScript, RouteScript, UpstreamScript } from '../scenario/scenario.ts';

/** The configuration as a user would write it. */
export function configDocument(config: ConfigScript, upstreams: readonly UpstreamScript[]): object {
  const { server } = config;
  return {
    server: {
      http_addr: '127.0.0.1:8080',
      connection_timeout: ms(server.connectionTimeoutMs),
      keepalive_timeout: ms(server.keepaliveTimeoutMs),
      body_timeout: ms(server.bodyTimeoutMs),
      send_timeout: ms(server.sendTimeoutMs),
      middleware_timeout: ms(server.middlewareTimeoutMs),
      max_header_size: server.maxHeaderBytes,
      ...(server.maxBodyBytes === null ? {} : { max_body_size: server.maxBodyBytes }),
    },
    load_balancing: {
      backends: Object.fromEntries(config.backends.map((backend) => [backend.name, backendOf(backend, upstreams)])),
    },
    routes: config.routes.map(routeOf),
    middleware: {
      cors: { allowed_origins: [ALLOWED_ORIGIN] },
      transform: {
        request_headers: { set: { 'X-Transformed': 'request' }, remove: ['X-Remove'] },
        response_headers: { set: { 'X-Transformed': 'response' } },
      },
      compress: { encodings: ['gzip'], min_size: 64 },
      authentication: {
        auth_type: 'any',
        jwt: { algorithm: 'HS256', secret: TOKEN_SECRET },
        api_key: { header: 'X-API-Key', query: 'api_key', keys: [{ key: API_KEY }] },
      },
      custom: Object.fromEntries(HOOK_NAMES.map((name) => [name, { module: `./${name}.ts` }])),
    },
    access_log: { enabled: true },
  };
}

/** The names of the middleware whose hooks are scripted. */
export const HOOK_NAMES: readonly string[] = ['first-hook', 'second-hook'];

const ms = (value: number): string => `${value}ms`;

function backendOf(backend: BackendScript, upstreams: readonly UpstreamScript[]): object {
  const { breakerThreshold } = backend;
  return {
    algorithm: backend.algorithm,
    upstreams: backend.upstreams.map((number) => ({
      address: (upstreams[number] as UpstreamScript).address,
      connection_timeout: ms(backend.connectTimeoutMs),
      read_timeout: ms(backend.readTimeoutMs),
      write_timeout: ms(backend.writeTimeoutMs),
      ...(backend.maxConnections === null ? {} : { max_connections: backend.maxConnections }),
    })),
    queue: { size: backend.queueSize, timeout: ms(backend.queueTimeoutMs) },
    circuit_breaker:
      breakerThreshold === null
        ? { enabled: false }
        : {
            failure_threshold: breakerThreshold,
            open_timeout: ms(backend.breakerOpenMs),
            success_threshold: backend.breakerSuccesses,
          },
    retry_backoff: { initial: ms(backend.retryInitialMs), max: ms(250) },
    retry_budget: { min_per_second: 1000 },
    ...(backend.sticky ? { sticky: { cookie: 'stay' } } : {}),
  };
}

function routeOf(route: RouteScript): object {
  const middleware = [
    ...(route.cors ? ['cors'] : []),
    ...(route.apiKey ? ['auth'] : []),
    ...(route.transform ? ['transform'] : []),
    ...(route.compress ? ['compress'] : []),
    ...(route.bodyLimit === null ? [] : [{ body_limit: { max_size: route.bodyLimit } }]),
    ...HOOK_NAMES.slice(0, route.hooks),
  ];
  return {
    path: `/${route.name}/**`,
    backend: route.backend,
    retries: route.retries,
    middleware,
    ...(route.methods === null ? {} : { methods: route.methods }),
    ...(route.timeoutMs === null ? {} : { timeout: ms(route.timeoutMs) }),
    ...(route.stripPrefix ? { strip_prefix: `/${route.name}` } : {}),
  };
}

import { IpRanges } from '../base/ip-range.ts';
import type { AccessLogConfig, Config } from '../config/config.ts';
import { SharedCount, SharedCursor, type SharedMemory } from '../memory/shared-memory.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';
import { Router } from '../routing/router.ts';
import type { RouterTables } from '../routing/router-tables.ts';
import { compileAccessLine } from '../telemetry/access-line.ts';
import { Backend } from '../upstream/backend.ts';
import { RoundRobin } from '../upstream/balancing/round-robin.ts';
import { Upstream, type UpstreamEnvironment } from '../upstream/upstream.ts';
import type { AccessPolicy, Generation, RoutePlan } from './generation.ts';

/** A Generation and what has to be closed with it. */
export interface BuiltGeneration {
  readonly generation: Generation;
  readonly backends: readonly Backend[];
}

/** What a Generation is made from. */
export interface GenerationPlan {
  readonly config: Config;
  readonly routerTables: RouterTables;
  readonly shared: SharedMemory;
  /** The row of the shared memory that the worker counts on. */
  readonly row: number;
  /** The part for upstreams: of every one over all backends, in the order of the configuration; null for those without TLS. */
  readonly tls: { readonly upstreams: readonly (TlsClientMaterial | null)[] };
  /** The port of the first listener for HTTPS; null without one. */
  readonly httpsPort: number | null;
}

/** Makes a configuration ready to serve in one worker. */
export function buildGeneration(plan: GenerationPlan, environment: UpstreamEnvironment): BuiltGeneration {
  const { config } = plan;
  const backends = buildBackends(plan, environment);
  const byName = new Map(backends.map((backend) => [backend.name, backend]));
  const routes = config.routes.map((route): RoutePlan => {
    const backend = byName.get(route.backend);
    if (backend === undefined) throw new Error(`route "${route.id}" names no backend of this configuration`);
    const { id, timeoutMs, stripPrefix, upstreamHost } = route;
    return { id, backend, timeoutMs, stripPrefix, upstreamHost };
  });
  const { server } = config;
  const generation: Generation = {
    router: new Router(plan.routerTables),
    routes,
    limits: {
      maxHeadBytes: server.maxHeaderBytes,
      maxTargetBytes: server.maxTargetBytes,
      connectionTimeoutMs: server.connectionTimeoutMs,
      keepaliveTimeoutMs: server.keepaliveTimeoutMs,
      bodyTimeoutMs: server.bodyTimeoutMs,
      sendTimeoutMs: server.sendTimeoutMs,
    },
    maxHeaders: server.maxHeaders,
    maxBodyBytes: server.maxBodyBytes,
    mergeSlashes: server.mergeSlashes,
    trustedProxies: new IpRanges(server.trustedProxies),
    proxyProtocol: server.proxyProtocol,
    httpsPort: redirectPort(server.httpToHttps, plan.httpsPort),
    accessPolicy: config.accessLog.enabled ? accessPolicy(config.accessLog) : null,
    timed: config.accessLog.enabled,
  };
  return { generation, backends };
}

function accessPolicy({ format, query, sample }: AccessLogConfig): AccessPolicy {
  return { line: compileAccessLine({ format, query }), sample };
}

/** The port that plain HTTP is redirected to; null when it is served. */
function redirectPort(httpToHttps: boolean | number, ownPort: number | null): number | null {
  if (typeof httpToHttps === 'number') return httpToHttps;
  return httpToHttps ? ownPort : null;
}

/** Upstreams are numbered over all backends in the order of the configuration: the columns of the shared rows. */
function buildBackends(
  { config, shared, row, tls }: GenerationPlan,
  environment: UpstreamEnvironment,
): readonly Backend[] {
  let number = 0;
  return config.backends.map(({ name, upstreams: configs }, index) => {
    const upstreams = configs.map((upstream) => {
      const sockets = SharedCount.upstreamSockets(shared, row, number);
      const built = new Upstream(upstream, environment, sockets);
      built.useTls(tls.upstreams[number++] ?? null);
      return built;
    });
    return new Backend(name, upstreams, new RoundRobin(upstreams, new SharedCursor(shared, index)));
  });
}

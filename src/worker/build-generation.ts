import { IpRanges } from '../base/ip-range.ts';
import type { BackendConfig, Config } from '../config/config.ts';
import { SharedCount, SharedCursor, type SharedMemory } from '../memory/shared-memory.ts';
import type { Generation, RoutePlan } from '../pipeline/generation.ts';
import { Router } from '../routing/router.ts';
import type { RouterTables } from '../routing/router-tables.ts';
import { Backend } from '../upstream/backend.ts';
import { RoundRobin } from '../upstream/balancing/round-robin.ts';
import { Upstream, type UpstreamEnvironment } from '../upstream/upstream.ts';

/** A Generation and what has to be closed with it. */
export interface BuiltGeneration {
  readonly generation: Generation;
  readonly backends: readonly Backend[];
}

/** Makes a configuration ready to serve in the worker that counts on `row` of the shared memory. */
export function buildGeneration(
  config: Config,
  tables: RouterTables,
  shared: SharedMemory,
  row: number,
  environment: UpstreamEnvironment,
): BuiltGeneration {
  const backends = buildBackends(config.backends, shared, row, environment);
  const byName = new Map(backends.map((backend) => [backend.name, backend]));
  const routes = config.routes.map((route): RoutePlan => {
    const backend = byName.get(route.backend);
    if (backend === undefined) throw new Error(`route "${route.id}" names no backend of this configuration`);
    const { timeoutMs, stripPrefix, upstreamHost } = route;
    return { backend, timeoutMs, stripPrefix, upstreamHost };
  });
  const { server } = config;
  const generation: Generation = {
    router: new Router(tables),
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
  };
  return { generation, backends };
}

/** Upstreams are numbered over all backends in the order of the configuration: the columns of the shared rows. */
function buildBackends(
  configs: readonly BackendConfig[],
  shared: SharedMemory,
  row: number,
  environment: UpstreamEnvironment,
): readonly Backend[] {
  let number = 0;
  return configs.map((config, index) => {
    const upstreams = config.upstreams.map(
      (upstream) => new Upstream(upstream, environment, SharedCount.upstreamSockets(shared, row, number++)),
    );
    return new Backend(config.name, upstreams, new RoundRobin(upstreams, new SharedCursor(shared, index)));
  });
}

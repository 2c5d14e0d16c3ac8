import { IpRanges } from '../base/ip-range.ts';
import type {
  AccessLogConfig,
  Algorithm,
  BackendConfig,
  RouteConfig,
  RouteMiddleware,
  UpstreamConfig,
} from '../config/config.ts';
import { FieldDrops } from '../http/field-drops.ts';
import { SharedCursor, type Slot, type Slots } from '../memory/shared-memory.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';
import { Router } from '../routing/router.ts';
import { compileAccessLine } from '../telemetry/access-line.ts';
import { Backend, type EjectionPolicy } from '../upstream/backend.ts';
import type { BackendReference } from '../upstream/backend-reference.ts';
import { createBalancer } from '../upstream/balancing/create-balancer.ts';
import { StickySessions } from '../upstream/balancing/sticky-sessions.ts';
import { CircuitBreaker } from '../upstream/circuit-breaker.ts';
import { RequestQueue } from '../upstream/request-queue.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';
import { Upstream, type UpstreamContext } from '../upstream/upstream.ts';
import type { CompiledConfig } from './compiled-config.ts';
import type { AccessPolicy, Generation } from './generation.ts';
import type { Middleware } from './middleware.ts';
import { MiddlewareChain } from './middleware.ts';
import { RoutePlans } from './route-plans.ts';

/** A Generation and the backends that have to be closed with it. */
export interface BuiltGeneration {
  readonly configuration: number;
  readonly generation: Generation;
  readonly backends: readonly Backend[];
}

/** The input of a Generation. */
export interface GenerationPlan {
  readonly compiled: CompiledConfig;
  /** Identifies the configuration: with the same number, only the servers behind names have changed. */
  readonly configuration: number;
  /** Where upstreams and backends are counted. */
  readonly slots: Slots;
  /** The row of the shared memory that the worker counts on. */
  readonly row: number;
  /** The material of every upstream over all backends, in the order of the configuration; null for those without TLS. */
  readonly tls: { readonly upstreams: readonly (TlsClientMaterial | null)[] };
  /** The port of the first listener for HTTPS; null without one. */
  readonly httpsPort: number | null;
  /** Makes the middleware of one entry of a route's list: several, if it has parts in several stages. */
  readonly createMiddleware: MiddlewareFactory;
}

export type MiddlewareFactory = (entry: RouteMiddleware, route: RouteConfig) => readonly Middleware[];

/**
 * Makes a configuration ready to serve in one worker. Upstreams that have not changed are adopted from `previous`, with their connections.
 * `previous` itself is not changed, so that it goes on serving if the new generation is discarded.
 */
export function buildGeneration(
  plan: GenerationPlan,
  context: UpstreamContext,
  previous: BuiltGeneration | null = null,
): BuiltGeneration {
  const { config, routes, routerTables, claimedHeaders } = plan.compiled;
  const backends = buildBackends(plan, context, adoptable(previous), referencesOf(plan, previous));
  const byName = new Map(backends.map((backend) => [backend.name, backend]));
  const { server } = config;
  const generation: Generation = {
    router: new Router(routerTables),
    routes: new RoutePlans(routes, byName, (route) => chainOf(plan, route)),
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
    claimFields: claimedHeaders.length === 0 ? null : new FieldDrops(claimedHeaders),
    middlewareTimeoutMs: server.middlewareTimeoutMs,
    trustedProxies: new IpRanges(server.trustedProxies),
    proxyProtocol: server.proxyProtocol,
    httpsPort: redirectPort(server.httpToHttps, plan.httpsPort),
    accessPolicy: config.accessLog.enabled ? accessPolicy(config.accessLog) : null,
    recordsTimings: config.accessLog.enabled,
  };
  return { configuration: plan.configuration, generation, backends };
}

function chainOf({ compiled, createMiddleware }: GenerationPlan, route: RouteConfig): MiddlewareChain {
  const entries = middlewareOf(route, compiled.config.server.middleware);
  if (entries.length === 0) return MiddlewareChain.none;
  return new MiddlewareChain(entries.flatMap((entry) => createMiddleware(entry, route)));
}

/** The middleware of all routes comes before the middleware of the route; an entry of the route replaces the one of the same name. */
export function middlewareOf(route: RouteConfig, ofAll: readonly RouteMiddleware[]): readonly RouteMiddleware[] {
  const own = new Set(route.middleware.map(({ name }) => name));
  return [...ofAll.filter(({ name }) => !own.has(name)), ...route.middleware];
}

function accessPolicy({ format, query, sample }: AccessLogConfig): AccessPolicy {
  return { line: compileAccessLine({ format, query }), sample };
}

/** The port that plain HTTP is redirected to; null when it is served. */
function redirectPort(httpToHttps: boolean | number, ownPort: number | null): number | null {
  if (typeof httpToHttps === 'number') return httpToHttps;
  return httpToHttps ? ownPort : null;
}

/** By backend and key, which are unique. */
type Adoptable = ReadonlyMap<string, Upstream>;

const keyOf = (backend: string, { key }: UpstreamConfig): string => `${backend}\n${key}`;

function adoptable(previous: BuiltGeneration | null): Adoptable {
  const entries = (previous?.backends ?? []).flatMap(({ name, upstreams }) =>
    upstreams.map((upstream) => [keyOf(name, upstream.config), upstream] as const),
  );
  return new Map(entries);
}

/** By backend. */
type References = ReadonlyMap<string, BackendReference<Backend>>;

/** Requests of another configuration end as they began: their backends have no successors. */
function referencesOf({ configuration }: GenerationPlan, previous: BuiltGeneration | null): References {
  const backends = previous?.configuration === configuration ? previous.backends : [];
  return new Map(backends.map(({ name, reference }) => [name, reference]));
}

function buildBackends(
  { compiled, slots, row, tls }: GenerationPlan,
  context: UpstreamContext,
  known: Adoptable,
  references: References,
): readonly Backend[] {
  let number = 0;
  return compiled.config.backends.map((settings, index) => {
    const { name, algorithm, key, sticky, upstreams: configs } = settings;
    // Sound: there is a slot for each.
    const backend = slots.backends[index] as Slot;
    const upstreams = configs.map((config) => {
      const material = tls.upstreams[number] ?? null;
      const slot = slots.upstreams[number++] as Slot;
      const old = known.get(keyOf(name, config)) ?? null;
      if (old?.isAs(config, material, context)) return old;
      return new Upstream(config, context, { slot, backend, row }, material, old);
    });
    const limiters = upstreams.map(({ limiter }) => limiter);
    const overload = {
      queue: new RequestQueue(context.io, limiters, settings.queue, backend, row),
      retryBudget: new RetryBudget(settings.retryBudget, backend),
      retryBackoff: settings.retryBackoff,
    };
    const cursor = new SharedCursor(backend);
    const balancer = createBalancer(algorithm, upstreams, { cursor, key, random: context.random });
    const sessions = sticky === null ? null : new StickySessions(sticky, name, upstreams, balancer);
    const policy = ejectionPolicy(settings, context);
    return new Backend(name, upstreams, balancer, policy, overload, sessions, references.get(name));
  });
}

/** A key stays with its upstream: passing over an upstream that is coming up would send its keys to and fro. */
const HASHES: readonly Algorithm[] = ['ip_hash', 'consistent_hash'];

function ejectionPolicy(config: BackendConfig, { io, log, random }: UpstreamContext): EjectionPolicy {
  const breakerContext = { backend: config.name, log, time: io };
  return {
    breaker: config.circuitBreaker.enabled ? new CircuitBreaker(config.circuitBreaker, breakerContext) : null,
    panicThreshold: config.panicThreshold,
    slowStartMs: HASHES.includes(config.algorithm) ? null : config.slowStartMs,
    random,
    time: io,
    checkIntervalMs: config.healthCheck.intervalMs,
  };
}

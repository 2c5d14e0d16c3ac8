import { TokenBuckets } from '../memory/token-buckets.ts';
import type { ServingPlan } from '../messages/to-worker.ts';
import { createMiddleware } from '../middleware/catalog.ts';
import type { CustomChain } from '../middleware/custom/load-custom.ts';
import type { MiddlewareContext } from '../middleware/middleware-context.ts';
import { TlsServer } from '../net/tls-server.ts';
import { type BuiltGeneration, buildGeneration } from '../pipeline/build-generation.ts';
import type { UpstreamContext } from '../upstream/upstream.ts';

/** What a worker serves with: one configuration, ready. */
export interface Serving extends BuiltGeneration {
  /** Null: no listener speaks TLS. */
  tls: TlsServer | null;
  readonly maxConnections: number;
}

/** What upstreams and middleware need of the worker, whatever the configuration. */
export interface WorkerContext extends Omit<UpstreamContext, 'maxHeadBytes' | 'maxSockets'> {
  readonly middleware: Omit<MiddlewareContext, 'custom' | 'buckets' | 'userFiles'>;
}

/**
 * Makes a plan ready; what is as it was in `previous` is adopted from it. Throws an Error when it cannot be served, and then nothing
 * has changed.
 */
export function makeServing(
  plan: ServingPlan,
  row: number,
  context: WorkerContext,
  previous: Serving | null,
  custom: CustomChain,
): Serving {
  const { server, userFiles } = plan.compiled.config;
  const middlewareContext = { ...context.middleware, custom, userFiles, buckets: new TokenBuckets(plan.buckets) };
  const built = buildGeneration(
    { ...plan, row, createMiddleware: (entry, route) => createMiddleware(entry, route, middlewareContext) },
    {
      ...context,
      maxHeadBytes: server.maxHeaderBytes,
      maxSockets: plan.maxSockets ?? Number.POSITIVE_INFINITY,
    },
    previous,
  );
  const tls = plan.tls.server === null ? null : new TlsServer(plan.tls.server);
  return { ...built, tls, maxConnections: server.maxConnections };
}

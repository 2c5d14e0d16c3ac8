import type { Config, Predicates, RouteConfig } from '../config/config.ts';
import { isSecretPath } from '../config/secrets.ts';
import { inStageOrder } from '../middleware/catalog.ts';
import { middlewareOf } from '../pipeline/build-generation.ts';
import { rankRules } from '../routing/ranking.ts';

/** A route in the order in which routes are tried. Plain data: it is printed and sent as it is. */
export interface RankedRoute {
  /** From 1. */
  readonly rank: number;
  readonly id: string;
  /** Null: every host. */
  readonly host: string | null;
  readonly path: string;
  /** Null: every method. */
  readonly methods: readonly string[] | null;
  readonly match: { readonly headers: Predicates; readonly query: Predicates };
  readonly priority: number | null;
  readonly backend: string;
  /** Null: no deadline. */
  readonly timeoutMs: number | null;
  /** In the order in which request hooks run, that of every route among it. */
  readonly middleware: readonly string[];
}

/** The routes as the router ranks them: the first one that matches takes a request. */
export function rankedRoutes({ routes, server }: Config): readonly RankedRoute[] {
  return rankRules(routes).map(({ index }, place) => {
    // Sound: rules are ranked from this very list.
    const route = routes[index] as RouteConfig;
    const { id, host, path, methods, match, priority, backend, timeoutMs } = route;
    const middleware = inStageOrder(middlewareOf(route, server.middleware));
    return {
      rank: place + 1,
      id,
      host,
      path,
      methods,
      match: withoutSecrets(match),
      priority,
      backend,
      timeoutMs,
      middleware: middleware.map(({ name }) => name),
    };
  });
}

function withoutSecrets({ headers, query }: RankedRoute['match']): RankedRoute['match'] {
  return { headers: maskSecrets(headers), query: maskSecrets(query) };
}

function maskSecrets(predicates: Predicates): Predicates {
  const shown = Object.entries(predicates).map(([name, value]) => [
    name,
    value !== true && isSecretPath([name]) ? '...' : value,
  ]);
  return Object.fromEntries(shown) as Predicates;
}

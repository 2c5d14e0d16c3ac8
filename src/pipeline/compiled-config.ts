import { bucketsWanted } from '../config/buckets-wanted.ts';
import type { Config } from '../config/config.ts';
import { type SharedTexts, shareTexts } from '../memory/shared-texts.ts';
import { buildRouterTables, type RouterTables } from '../routing/router-tables.ts';

/** A configuration without its routes, of which there may be thousands. */
export type RoutelessConfig = Omit<Config, 'routes'>;

/**
 * A configuration as it goes from thread to thread. What grows with the number of routes lies in shared memory, so that a thread
 * that serves takes ten thousand of them over in well under a millisecond.
 */
export interface CompiledConfig {
  readonly config: RoutelessConfig;
  /** Each route's `RouteConfig` as JSON, in the order of the configuration. */
  readonly routes: SharedTexts;
  readonly routerTables: RouterTables;
  /** How many buckets its rate limits want. */
  readonly buckets: number;
}

/** Throws an Error for a pattern or host that cannot be read; the check of the configuration finds these first. */
export function compileConfig(whole: Config): CompiledConfig {
  const { routes, ...config } = whole;
  return {
    config,
    routes: shareTexts(routes.map((route) => JSON.stringify(route))),
    routerTables: buildRouterTables(routes),
    buckets: bucketsWanted(whole),
  };
}

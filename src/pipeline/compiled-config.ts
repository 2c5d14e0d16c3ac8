import type { Config, RouteMiddleware } from '../config/config.ts';
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
  /** Where issuers of tokens publish their keys. */
  readonly keySetUrls: readonly string[];
}

/** Throws an Error for a pattern or host that cannot be read; the check of the configuration finds these first. */
export function compileConfig({ routes, ...config }: Config): CompiledConfig {
  return {
    config,
    routes: shareTexts(routes.map((route) => JSON.stringify(route))),
    routerTables: buildRouterTables(routes),
    keySetUrls: keySetUrls([...config.server.middleware, ...routes.flatMap(({ middleware }) => middleware)]),
  };
}

function keySetUrls(middleware: readonly RouteMiddleware[]): readonly string[] {
  const urls = middleware.map((each) =>
    each.module === null && each.name === 'authentication' ? each.options.jwt?.jwks_url : undefined,
  );
  return [...new Set(urls.filter((url) => url !== undefined))];
}

import { bucketsWanted } from '../config/buckets-wanted.ts';
import { claimedHeaders } from '../config/claimed-headers.ts';
import type { Config, CustomMiddleware, RouteMiddleware } from '../config/config.ts';
import { type SharedTexts, shareTexts, shareTextsAgain } from '../memory/shared-texts.ts';
import { buildRouterTables, type RouterTables, shareTables } from '../routing/router-tables.ts';

/** A configuration without its routes, of which there may be thousands. */
export type RoutelessConfig = Omit<Config, 'routes'>;

/**
 * A configuration as it goes from thread to thread, and from process to process. The parts that grow with the number of routes lie in
 * shared memory, so that a worker takes over ten thousand of them in well under a millisecond.
 */
export interface CompiledConfig {
  readonly config: RoutelessConfig;
  /** Each route's `RouteConfig` as JSON, in the order of the configuration. */
  readonly routes: SharedTexts;
  /** The id of each. */
  readonly routeIds: SharedTexts;
  readonly routerTables: RouterTables;
  /** The number of buckets that its rate limits need. */
  readonly buckets: number;
  /** The URLs where issuers of tokens publish their keys. */
  readonly keySetUrls: readonly string[];
  /** Headers that are filled with claims of tokens. */
  readonly claimedHeaders: readonly string[];
  /** Some route authenticates by password, which has to be hashed. */
  readonly checksPasswords: boolean;
  /** The middleware of users, each that is different from the others once. */
  readonly custom: readonly CustomMiddleware[];
  /** The same as long as the code of users' middleware is the same; empty without any. */
  readonly codeVersion: string;
}

/** Throws an Error for a pattern or host that cannot be read; the check of the configuration finds these first. */
export function compileConfig(whole: Config, codeVersion = ''): CompiledConfig {
  const { routes, ...config } = whole;
  const middleware = [...config.server.middleware, ...routes.flatMap((route) => route.middleware)];
  return {
    config,
    routes: shareTexts(routes.map((route) => JSON.stringify(route))),
    routeIds: shareTexts(routes.map(({ id }) => id)),
    routerTables: buildRouterTables(routes),
    buckets: bucketsWanted(whole),
    keySetUrls: keySetUrls(middleware),
    claimedHeaders: claimedHeaders(middleware),
    checksPasswords: middleware.some(checksPasswords),
    custom: customOf({ ...config, routes }),
    codeVersion,
  };
}

/** Moves the parts that lost their shared memory on the way from another process into shared memory again. */
export function shareCompiled(compiled: CompiledConfig): CompiledConfig {
  const { routes, routeIds, routerTables } = compiled;
  return {
    ...compiled,
    routes: shareTextsAgain(routes),
    routeIds: shareTextsAgain(routeIds),
    routerTables: shareTables(routerTables),
  };
}

/** The middleware of users in a configuration, each that is different from the others once. */
export function customOf({ server, routes }: Config): readonly CustomMiddleware[] {
  const entries: readonly RouteMiddleware[] = [...server.middleware, ...routes.flatMap(({ middleware }) => middleware)];
  const custom = entries.filter((entry): entry is CustomMiddleware => entry.module !== null);
  return [...new Map(custom.map((entry) => [JSON.stringify([entry.name, entry.options]), entry])).values()];
}

function checksPasswords(each: RouteMiddleware): boolean {
  if (each.module !== null || each.name !== 'authentication') return false;
  const { auth_type: type, basic } = each.options;
  return basic !== undefined && (type === 'basic' || type === 'any');
}

function keySetUrls(middleware: readonly RouteMiddleware[]): readonly string[] {
  const urls = middleware.map((each) =>
    each.module === null && each.name === 'authentication' ? each.options.jwt?.jwks_url : undefined,
  );
  return [...new Set(urls.filter((url) => url !== undefined))];
}

import { bucketsWanted } from '../config/buckets-wanted.ts';
import { claimedHeaders } from '../config/claimed-headers.ts';
import type { Config, CustomMiddleware, RouteMiddleware } from '../config/config.ts';
import { type SharedTexts, shareTexts, shareTextsAgain } from '../memory/shared-texts.ts';
import { buildRouterTables, type RouterTables, shareTables } from '../routing/router-tables.ts';

/** A configuration without its routes, of which there may be thousands. */
export type RoutelessConfig = Omit<Config, 'routes'>;

/**
 * A configuration as it goes from thread to thread, and from process to process. What grows with the number of routes lies in shared
 * memory, so that a thread that serves takes ten thousand of them over in well under a millisecond.
 */
export interface CompiledConfig {
  readonly config: RoutelessConfig;
  /** Each route's `RouteConfig` as JSON, in the order of the configuration. */
  readonly routes: SharedTexts;
  /** The id of each. */
  readonly routeIds: SharedTexts;
  readonly routerTables: RouterTables;
  /** How many buckets its rate limits want. */
  readonly buckets: number;
  /** Where issuers of tokens publish their keys. */
  readonly keySetUrls: readonly string[];
  /** Headers that are filled with what tokens say. */
  readonly claimedHeaders: readonly string[];
  /** Some client shows a password, which has to be hashed. */
  readonly checksPasswords: boolean;
  /** The middleware of users, each that is different from the others once. */
  readonly custom: readonly CustomMiddleware[];
  /** The same as long as their code is; empty without any. */
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

/** What lost its shared memory on the way from another process has it again. */
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

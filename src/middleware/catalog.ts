import type { BuiltInMiddleware, RouteConfig, RouteMiddleware } from '../config/config.ts';
import type { Middleware } from '../pipeline/middleware.ts';
import { authentication } from './auth/authentication.ts';
import { bodyLimit } from './body-limit.ts';
import { cors } from './cors.ts';
import type { MiddlewareDeps } from './deps.ts';
import { ipFilter } from './ip-filter.ts';
import { redirect } from './redirect.ts';
import { respond } from './respond.ts';
import { rewrite } from './rewrite.ts';
import { securityHeaders } from './security-headers.ts';
import { transform } from './transform.ts';

type OptionsOf<N extends BuiltInMiddleware['name']> = Extract<BuiltInMiddleware, { readonly name: N }>['options'];

/**
 * Makes the middleware that one entry of a route's list stands for: most often one, several where it has parts in several stages.
 * Throws an Error when it cannot be made: then the configuration is not served.
 */
type Create<N extends BuiltInMiddleware['name']> = (
  options: OptionsOf<N>,
  deps: MiddlewareDeps,
  route: RouteConfig,
) => readonly Middleware[];

/** The middleware that there is, by the name of its block: a new one is one file and one line here. */
const CATALOG: { readonly [N in BuiltInMiddleware['name']]?: Create<N> } = {
  ip_filter: ipFilter,
  authentication,
  cors,
  body_limit: bodyLimit,
  redirect,
  respond,
  rewrite,
  transform,
  headers: securityHeaders,
};

/** Throws an Error for what is not in the catalog; the check of the configuration finds that first. */
export function createMiddleware(
  entry: RouteMiddleware,
  route: RouteConfig,
  deps: MiddlewareDeps,
): readonly Middleware[] {
  // Sound: the options of an entry are those of its name.
  const create = entry.module === null ? (CATALOG[entry.name] as Create<never> | undefined) : undefined;
  if (create === undefined) throw new Error(`there is no middleware "${entry.name}"`);
  return create(entry.options as never, deps, route);
}

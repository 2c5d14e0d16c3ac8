import type { BuiltInMiddleware, CustomMiddleware, RouteConfig, RouteMiddleware } from '../config/config.ts';
import { type Middleware, STAGES, type Stage } from '../pipeline/middleware.ts';
import { authentication } from './auth/authentication.ts';
import { bodyLimit } from './body-limit.ts';
import { compress } from './compress/compress.ts';
import { cors } from './cors.ts';
import { customKey } from './custom/load-custom.ts';
import { ipFilter } from './ip-filter.ts';
import type { MiddlewareContext } from './middleware-context.ts';
import { rateLimit } from './rate-limit.ts';
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
type Create<Options> = (
  options: Options,
  context: MiddlewareContext,
  route: RouteConfig,
  entry: RouteMiddleware,
) => readonly Middleware[];

/** The middleware that there is, by the name of its block: a new one is one file and one line here. */
const CATALOG: { readonly [N in BuiltInMiddleware['name']]: Create<OptionsOf<N>> } = {
  ip_filter: ipFilter,
  rate_limiting: rateLimit,
  authentication,
  cors,
  body_limit: bodyLimit,
  redirect,
  respond,
  rewrite,
  transform,
  headers: securityHeaders,
  compress,
};

/** The stage of each, the first where it has parts in several. */
const FIRST_STAGE: { readonly [N in BuiltInMiddleware['name']]: Stage } = {
  ip_filter: 'ip_filter',
  rate_limiting: 'rate_limit',
  authentication: 'authentication',
  cors: 'cors',
  body_limit: 'body_limit',
  redirect: 'redirect',
  respond: 'respond',
  rewrite: 'rewrite',
  transform: 'transform',
  headers: 'headers',
  compress: 'compress',
};

/** The entries in the order in which their request hooks run, known without making them. */
export function inStageOrder(entries: readonly RouteMiddleware[]): readonly RouteMiddleware[] {
  return entries.toSorted((a, b) => placeOf(a) - placeOf(b));
}

function placeOf(entry: RouteMiddleware): number {
  return STAGES.indexOf(entry.module === null ? FIRST_STAGE[entry.name] : 'custom');
}

/** Throws an Error when it cannot be made. */
export function createMiddleware(
  entry: RouteMiddleware,
  route: RouteConfig,
  context: MiddlewareContext,
): readonly Middleware[] {
  if (entry.module !== null) return madeBefore(entry, context);
  const create: Create<never> = CATALOG[entry.name];
  // Sound: the options of an entry are those of its name.
  return create(entry.options as never, context, route, entry);
}

function madeBefore(entry: CustomMiddleware, { custom }: MiddlewareContext): readonly Middleware[] {
  const made = custom.get(customKey(entry));
  if (made === undefined) throw new Error(`the middleware "${entry.name}" was not loaded`);
  return made;
}

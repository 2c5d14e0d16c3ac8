import { z } from 'zod';
import { authentication } from './authentication.ts';
import { bodyLimit } from './body-limit.ts';
import { compress } from './compress.ts';
import { cors } from './cors.ts';
import { custom } from './custom.ts';
import { headers } from './headers.ts';
import { ipFilter } from './ip-filter.ts';
import { rateLimiting } from './rate-limiting.ts';
import { redirect } from './redirect.ts';
import { respond } from './respond.ts';
import { rewrite } from './rewrite.ts';
import { transform } from './transform.ts';

/** The middleware that there is, by the name of its block; one line each. */
export const BUILT_IN = {
  ip_filter: ipFilter,
  cors,
  rate_limiting: rateLimiting,
  authentication,
  body_limit: bodyLimit,
  redirect,
  respond,
  rewrite,
  transform,
  headers,
  compress,
} as const;

export type BuiltIn = keyof typeof BUILT_IN;

/** The options of each after validation. */
export type BuiltInOptions = { readonly [N in BuiltIn]: z.output<(typeof BUILT_IN)[N]> };

/** Shorter names, for the lists of routes. */
export const ALIASES = { rate_limit: 'rate_limiting', auth: 'authentication' } as const satisfies Record<
  string,
  BuiltIn
>;

/** The name of the block that a name in a list of middleware stands for; null for none of ours. */
export function builtInNamed(name: string): BuiltIn | null {
  const blockName = Object.hasOwn(ALIASES, name) ? ALIASES[name as keyof typeof ALIASES] : name;
  // Sound: only names of blocks are own keys there.
  return Object.hasOwn(BUILT_IN, blockName) ? (blockName as BuiltIn) : null;
}

export const middlewareBlock = z
  .strictObject({ ...eachOptional(BUILT_IN), custom: custom.prefault({}) })
  .describe('Options of each middleware, for all routes that name it.');

function eachOptional<S extends Record<string, z.ZodType>>(schemas: S) {
  const optional = Object.entries(schemas).map(([name, schema]) => [name, schema.optional()]);
  // Sound: the same names, each with its own type.
  return Object.fromEntries(optional) as { [K in keyof S]: z.ZodOptional<S[K]> };
}

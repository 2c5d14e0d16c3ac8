import type { MiddlewareDeps } from '../deps.ts';
import type { JwtOptions } from './jwt/claim-rules.ts';
import { JwtScheme } from './jwt/jwt-scheme.ts';
import type { KeySets } from './jwt/key-source.ts';
import type { AuthScheme } from './scheme.ts';

/** Those of each worker, by their options, for as long as a route has them. */
const schemes = new WeakMap<KeySets, Map<string, WeakRef<AuthScheme>>>();

/**
 * Routes with the same options share one scheme, and with it the tokens that were verified. So do two configurations, one after the
 * other; with other options, or other keys, it is another scheme, which knows nothing of the old tokens.
 */
export function jwt(options: JwtOptions, deps: MiddlewareDeps): AuthScheme {
  const known = schemes.get(deps.keySets) ?? new Map<string, WeakRef<AuthScheme>>();
  schemes.set(deps.keySets, known);
  const key = JSON.stringify(options);
  const old = known.get(key)?.deref();
  if (old !== undefined) return old;
  for (const [unused, scheme] of known) if (scheme.deref() === undefined) known.delete(unused);
  const scheme = new JwtScheme(options, deps);
  known.set(key, new WeakRef(scheme));
  return scheme;
}

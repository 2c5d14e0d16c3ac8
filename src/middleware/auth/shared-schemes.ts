import type { AuthScheme } from './scheme.ts';

/** Those of each worker, by their options, for as long as a route has them. `owner` is one object for each worker. */
const schemes = new WeakMap<object, Map<string, WeakRef<AuthScheme>>>();

/**
 * Routes with the same options share one scheme, and what it has verified or prepared. So do two configurations, one after the other;
 * with another `key` it is another scheme, which knows nothing of the old one.
 */
export function sharedScheme(owner: object, key: string, create: () => AuthScheme): AuthScheme {
  const known = schemes.get(owner) ?? new Map<string, WeakRef<AuthScheme>>();
  schemes.set(owner, known);
  const old = known.get(key)?.deref();
  if (old !== undefined) return old;
  for (const [unused, scheme] of known) if (scheme.deref() === undefined) known.delete(unused);
  const scheme = create();
  known.set(key, new WeakRef(scheme));
  return scheme;
}

import type { ExchangeContext } from './exchange-context.ts';

/** Path and query for the upstream, before middleware changes them. `stripPrefix`: the prefix that is removed from the path. */
export function outgoingTarget({ target, request }: ExchangeContext, stripPrefix: string | null): string {
  if (stripPrefix === null && target.isNormal) return request.target;
  const path = stripPrefix === null ? target.path : withoutPrefix(target.path, stripPrefix);
  return target.hasQuery ? `${path}?${target.query}` : path;
}

/** `/api` off `/api/users` gives `/users`, off `/api` gives `/`; it is not a prefix of `/apish`. */
export function withoutPrefix(path: string, prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  if (path === bare) return '/';
  return path.startsWith(`${bare}/`) ? path.slice(bare.length) : path;
}

import type { RouteMiddleware } from './config.ts';

/** The headers (lower case) that middleware fills with what tokens say. */
export function claimedHeaders(middleware: readonly RouteMiddleware[]): readonly string[] {
  return [...new Set(middleware.flatMap(headersOf))];
}

function headersOf(entry: RouteMiddleware): readonly string[] {
  if (entry.module !== null || entry.name !== 'authentication') return [];
  const { auth_type: type, jwt } = entry.options;
  return jwt === undefined || (type !== 'jwt' && type !== 'any') ? [] : Object.values(jwt.forward_claims);
}

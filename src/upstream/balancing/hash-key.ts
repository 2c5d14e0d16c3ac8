import { cookieValue } from '../../http/cookie.ts';
import type { BalancedRequest } from './balancer.ts';

/** The value of a request that is hashed: the same value leads to the same upstream. Null if the request has none, or an empty one. */
export type HashKey = (request: BalancedRequest) => string | null;

/** `text`: `ip`, `path`, `header:NAME` or `cookie:NAME`. */
export function parseHashKey(text: string): HashKey {
  const colon = text.indexOf(':');
  const name = text.slice(colon + 1);
  switch (colon === -1 ? text : text.slice(0, colon)) {
    case 'path':
      return (request) => request.path;
    case 'header':
      return headerKey(name.toLowerCase());
    case 'cookie':
      return cookieKey(name);
    default:
      return byClientAddress;
  }
}

export function byClientAddress(request: BalancedRequest): string {
  return request.clientAddress;
}

function headerKey(lowerCaseName: string): HashKey {
  return (request) => request.keyValue(lowerCaseName) || null;
}

function cookieKey(name: string): HashKey {
  return (request) => cookieValue(request.headerValue('cookie') ?? '', name) || null;
}

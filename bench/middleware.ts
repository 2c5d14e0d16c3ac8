/** The middleware of the cases. */
import type { MiddlewareWish } from './bench.ts';
import { RSA_PUBLIC_KEY, SECRET } from './tokens.ts';

/** A limit that none is over, claims that go upstream, a page that may read, and a header more and one less on each side. */
export const CHAIN: MiddlewareWish = {
  names: ['cors', 'rate_limit', 'auth', 'transform'],
  block: {
    cors: { allowed_origins: ['https://www.example.com'], allow_credentials: true },
    rate_limiting: { requests_per_second: 10_000_000, key: 'ip' },
    authentication: {
      auth_type: 'jwt',
      jwt: { secret: SECRET, algorithm: 'HS256', forward_claims: { sub: 'X-User-ID' } },
    },
    transform: {
      request_headers: { set: { 'X-Gateway': 'photon' }, remove: ['X-Debug'] },
      response_headers: { add: { 'X-Served-By': '{route}' }, remove: ['Server'] },
    },
  },
};

/** Lets one request pass, and no other for hours. */
export const LIMIT: MiddlewareWish = {
  names: ['rate_limit'],
  block: { rate_limiting: { requests_per_second: 0.0001, burst: 1, key: 'ip' } },
};

const tokens = (jwt: object): MiddlewareWish => ({
  names: ['auth'],
  block: { authentication: { auth_type: 'jwt', jwt } },
});

export const SHARED_KEY: MiddlewareWish = tokens({ secret: SECRET, algorithm: 'HS256' });
export const PUBLIC_KEY: MiddlewareWish = tokens({ public_key: RSA_PUBLIC_KEY, algorithm: 'RS256' });

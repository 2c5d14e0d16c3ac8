import { cookieValue } from '../../../http/cookie.ts';
import { FIELD } from '../../../http/field-names.ts';
import { parameterValues } from '../../../http/query.ts';
import type { RequestHead } from '../../../http/request-head.ts';
import { soleCookie } from '../../../http/sole-value.ts';
import type { Exchange } from '../../../pipeline/exchange.ts';
import type { JwtOptions } from './claim-rules.ts';

const SCHEME = 'bearer';
const SPACE = 0x20;

/** Where tokens are looked for: in a header, then in a cookie, then in the query. The first one found is the one that counts. */
export class TokenSource {
  /** Null: `Authorization`, where nothing but a Bearer token counts. */
  readonly #header: string | null;
  readonly #cookie: string | null;
  readonly #query: string | null;

  constructor({ header, cookie, query }: Pick<JwtOptions, 'header' | 'cookie' | 'query'>) {
    this.#header = header === undefined || header === 'authorization' ? null : header;
    this.#cookie = cookie ?? null;
    this.#query = query ?? null;
  }

  /** Null: there is no token, nor anything in its place. */
  tokenOf({ request, target }: Exchange): string | null {
    const inHeader = this.#header === null ? bearerToken(authorization(request)) : headerToken(request, this.#header);
    if (inHeader !== null) return inHeader;
    const inCookie = this.#cookie === null ? null : cookieToken(request, this.#cookie);
    if (inCookie !== null || this.#query === null) return inCookie;
    const [token = null, ...more] = parameterValues(target.query, this.#query);
    return more.length === 0 ? token : TWO;
  }
}

/** In the place of two of them, which is no token: the upstream may take the other one. */
const TWO = '';

function cookieToken(request: RequestHead, name: string): string | null {
  const cookies = request.combinedValue('cookie');
  if (cookies === undefined || cookieValue(cookies, name) === undefined) return null;
  return soleCookie(request, name) ?? TWO;
}

/** RFC 9110 11.6.2: there is one such field. Two would be joined to something that is no token. */
function authorization(request: RequestHead): string | undefined {
  return request.find(FIELD.AUTHORIZATION) === -1 ? undefined : request.combinedValue('authorization');
}

/** RFC 6750 2.1; the scheme in any case, and any number of spaces after it (RFC 9110 11.4). */
function bearerToken(value: string | undefined): string | null {
  if (value === undefined || !namesBearer(value)) return null;
  let at = SCHEME.length;
  if (at < value.length && value.charCodeAt(at) !== SPACE) return null;
  while (value.charCodeAt(at) === SPACE) at++;
  return value.slice(at);
}

/** Nearly all write it in one way. */
function namesBearer(value: string): boolean {
  return value.startsWith('Bearer') || value.slice(0, SCHEME.length).toLowerCase() === SCHEME;
}

/** Other headers have the token alone, or as `Authorization` has it. */
function headerToken(request: RequestHead, name: string): string | null {
  const value = request.combinedValue(name);
  return bearerToken(value) ?? value ?? null;
}

import { utf8Bytes } from '../../../base/latin1.ts';
import { bearerToken } from '../../../http/credentials.ts';
import { FIELD } from '../../../http/field-names.ts';
import { parameterValues } from '../../../http/query.ts';
import type { RequestHead } from '../../../http/request-head.ts';
import { cookieValues } from '../../../http/sole-value.ts';
import type { Exchange } from '../../../pipeline/exchange.ts';
import type { JwtOptions } from './claim-rules.ts';

/** Where tokens are looked for: in a header, then in a cookie, then in the query. The first one found is the one that counts. */
export class TokenSource {
  /** Null: `Authorization`, where nothing but a Bearer token counts. */
  readonly #header: string | null;
  readonly #cookie: string | null;
  /** As bytes. */
  readonly #query: string | null;

  constructor({ header, cookie, query }: Pick<JwtOptions, 'header' | 'cookie' | 'query'>) {
    this.#header = header === undefined || header === 'authorization' ? null : header;
    this.#cookie = cookie ?? null;
    this.#query = query === undefined ? null : utf8Bytes(query);
  }

  /** Null: there is no token, nor anything in its place. */
  tokenOf({ request, target }: Exchange): string | null {
    const inHeader = this.#header === null ? authorizationToken(request) : headerToken(request, this.#header);
    if (inHeader !== null) return inHeader;
    const inCookie = this.#cookie === null ? null : cookieToken(request, this.#cookie);
    if (inCookie !== null || this.#query === null) return inCookie;
    return soleOf(parameterValues(target.query, this.#query));
  }
}

/** In the place of two of them, which is no token: the upstream may take the other one. */
const TWO = '';

function cookieToken(request: RequestHead, name: string): string | null {
  return request.find(FIELD.COOKIE) === -1 ? null : soleOf(cookieValues(request, name));
}

function soleOf(tokens: readonly string[]): string | null {
  const [token = null, ...more] = tokens;
  return more.length === 0 ? token : TWO;
}

/** RFC 9110 11.6.2: there is one such field. Two would be joined to something that is no token. */
function authorizationToken(request: RequestHead): string | null {
  return request.find(FIELD.AUTHORIZATION) === -1 ? null : bearerToken(request.combinedValue('authorization') ?? '');
}

/** Other headers have the token alone, or as `Authorization` has it. */
function headerToken(request: RequestHead, name: string): string | null {
  const value = request.combinedValue(name);
  return value === undefined ? null : (bearerToken(value) ?? value);
}

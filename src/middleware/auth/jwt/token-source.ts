import { utf8Bytes } from '../../../base/latin1.ts';
import { withoutCookie } from '../../../http/cookie.ts';
import { authorizationOf, bearerToken, isBearer } from '../../../http/credentials.ts';
import { FIELD } from '../../../http/field-names.ts';
import { parameterValues, withoutParameter } from '../../../http/query.ts';
import type { RequestHead } from '../../../http/request-head.ts';
import { cookieValues } from '../../../http/sole-value.ts';
import type { ExchangeContext } from '../../../pipeline/exchange-context.ts';
import { OneMoreDrop } from '../one-more-drop.ts';
import type { JwtOptions } from './claim-rules.ts';

/** Where tokens are looked for: in a header, then in a cookie, then in the query. The first one found is the one that counts. */
export class TokenSource {
  /** Null: `Authorization`, where nothing but a Bearer token counts. */
  readonly #header: string | null;
  readonly #cookie: string | null;
  /** As bytes. */
  readonly #query: string | null;
  readonly #withAuthorization = new OneMoreDrop('authorization');
  readonly #withCookie = new OneMoreDrop('cookie');

  constructor({ header, cookie, query }: Pick<JwtOptions, 'header' | 'cookie' | 'query'>) {
    this.#header = header === undefined || header === 'authorization' ? null : header;
    this.#cookie = cookie ?? null;
    this.#query = query === undefined ? null : utf8Bytes(query);
  }

  /** Null: there is no token, nor anything in its place. */
  tokenOf({ request, target }: ExchangeContext): string | null {
    const inHeader = this.#header === null ? authorizationToken(request) : headerToken(request, this.#header);
    if (inHeader !== null) return inHeader;
    const inCookie = this.#cookie === null ? null : cookieToken(request, this.#cookie);
    if (inCookie !== null || this.#query === null) return inCookie;
    return soleOf(parameterValues(target.query, this.#query));
  }

  /** Names (lower case) of fields that are nothing but tokens. */
  get fieldNames(): readonly string[] {
    return this.#header === null ? [] : [this.#header];
  }

  /** Takes the tokens out of what goes upstream, wherever they stand, but for the fields of `fieldNames`. */
  hide(exchange: ExchangeContext): void {
    const { request } = exchange;
    if (this.#header === null && authorizationOf(request, isBearer) !== null) {
      exchange.requestDrops = this.#withAuthorization.beside(exchange.requestDrops);
    }
    if (this.#cookie !== null && cookieValues(request, this.#cookie).length > 0)
      this.#hideCookie(exchange, this.#cookie);
    if (this.#query !== null) exchange.outgoingTarget = withoutParameter(exchange.outgoingTarget, this.#query);
  }

  #hideCookie(exchange: ExchangeContext, name: string): void {
    const rest = withoutCookie(exchange.request.combinedValue('cookie') ?? '', name);
    exchange.requestDrops = this.#withCookie.beside(exchange.requestDrops);
    if (rest !== '') exchange.requestAdditions.add('Cookie', rest);
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

function authorizationToken(request: RequestHead): string | null {
  const value = authorizationOf(request, isBearer);
  return value === null ? null : (bearerToken(value) ?? TWO);
}

/** Other headers have the token alone, or as `Authorization` has it. */
function headerToken(request: RequestHead, name: string): string | null {
  const value = request.combinedValue(name);
  return value === undefined ? null : (bearerToken(value) ?? value);
}

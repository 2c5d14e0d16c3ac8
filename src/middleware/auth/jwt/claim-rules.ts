import type { BuiltInOptions } from '../../../config/schema/middleware/block.ts';
import { type JsonObject, memberOf } from './json-object.ts';

export type JwtOptions = NonNullable<BuiltInOptions['authentication']['jwt']>;

/** When a token holds, in seconds since 1970: from the first moment on, and no longer at the last. */
export interface Validity {
  readonly from: number;
  readonly until: number;
}

/** What is asked of the claims of a token (RFC 7519 4.1). */
export class ClaimRules {
  readonly #issuers: ReadonlySet<unknown> | null;
  readonly #audiences: ReadonlySet<unknown> | null;
  readonly #leewayS: number;
  readonly #requireExp: boolean;

  constructor({ issuer, audience, leeway, require_exp }: JwtOptions) {
    this.#issuers = issuer === undefined ? null : new Set(issuer);
    this.#audiences = audience === undefined ? null : new Set(audience);
    this.#leewayS = leeway / 1000;
    this.#requireExp = require_exp;
  }

  /** When the token holds, as far as the clock goes; null for never. */
  validity(claims: JsonObject): Validity | null {
    const { exp: expiry = this.#requireExp ? null : Number.MAX_VALUE, nbf: notBefore = -Number.MAX_VALUE } = claims;
    if (!isDate(expiry) || !isDate(notBefore) || !this.#isFromIssuer(claims) || !this.#isForAudience(claims))
      return null;
    return { from: notBefore - this.#leewayS, until: expiry + this.#leewayS };
  }

  #isFromIssuer(claims: JsonObject): boolean {
    return this.#issuers === null || this.#issuers.has(memberOf(claims, 'iss'));
  }

  /** RFC 7519 4.1.3: one, or several, one of which has to be us. */
  #isForAudience(claims: JsonObject): boolean {
    const audiences = this.#audiences;
    if (audiences === null) return true;
    const named = memberOf(claims, 'aud');
    return Array.isArray(named) ? named.some((each) => audiences.has(each)) : audiences.has(named);
  }
}

/** RFC 7519 2, NumericDate: seconds, with a fraction or without. `1e999` is read as infinity, which is no date. */
function isDate(value: unknown): value is number {
  return Number.isFinite(value);
}

import { FIELD } from './field-names.ts';
import type { Fields } from './fields.ts';

const BEARER = 'bearer';
const SPACE = 0x20;

/** RFC 9110 11.4: a scheme, any number of spaces, and what it is about. */
const CREDENTIALS = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +/;

/**
 * The token in a value that has the scheme Bearer (RFC 6750 2.1), in any case and with any number of spaces after it (RFC 9110 11.1, 11.4); null
 * for one that has not.
 */
export function bearerToken(value: string): string | null {
  if (!isBearer(value)) return null;
  let at = BEARER.length;
  while (value.charCodeAt(at) === SPACE) at++;
  return value.slice(at);
}

/** Whether a value has the scheme Bearer, with a token or without. Nearly all write it in one way. */
export function isBearer(value: string): boolean {
  if (value.startsWith('Bearer ')) return true;
  if (value.slice(0, BEARER.length).toLowerCase() !== BEARER) return false;
  return value.length === BEARER.length || value.charCodeAt(BEARER.length) === SPACE;
}

/**
 * The value of `Authorization` where it has a scheme; null where it has not. RFC 9110 11.6.2 has one such field: where there are more, and one of
 * them has the scheme, the value is empty, because nobody knows which of them the upstream takes.
 */
export function authorizationOf(fields: Fields, hasScheme: (value: string) => boolean): string | null {
  const first = fields.find(FIELD.AUTHORIZATION);
  if (first === -1) return null;
  let found: string | null = null;
  let count = 0;
  for (let field = first; field < fields.count; field++) {
    if (fields.number(field) !== FIELD.AUTHORIZATION) continue;
    count++;
    const value = fields.value(field);
    if (hasScheme(value)) found = value;
  }
  return found !== null && count > 1 ? '' : found;
}

/**
 * The one spelling of the credentials in a field: a token without its scheme, because where it need not stand in Authorization it comes with
 * one and without; for `Authorization` any other scheme in lower case with one space behind it.
 */
export function oneSpelling(lowerCaseName: string, value: string): string {
  const token = bearerToken(value);
  if (token !== null) return token;
  if (lowerCaseName !== 'authorization') return value;
  return value.replace(CREDENTIALS, (_whole, scheme: string) => `${scheme.toLowerCase()} `);
}

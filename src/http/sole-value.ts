import { trimBlanks } from './characters.ts';
import type { Fields } from './fields.ts';

/*
 * Values that stand in a request once. One that stands there twice is no value: who reads the first would take it for another client
 * than who reads the last, and whoever sends both could be counted under the one while he acts under the other.
 */

/** The value of the only field of a name (lower case); undefined when there is none or more than one. */
export function soleField(fields: Fields, lowerCaseName: string): string | undefined {
  let found: string | undefined;
  for (let field = 0; field < fields.count; field++) {
    if (!fields.isNamed(field, lowerCaseName)) continue;
    if (found !== undefined) return undefined;
    found = fields.value(field);
  }
  return found;
}

/**
 * The value of the only parameter of a name in a query, read as `application/x-www-form-urlencoded`, as UTF-8 with one character a
 * byte: however it is written, one value is one text.
 */
export function soleParameter(query: string, name: string): string | undefined {
  let found: string | undefined;
  for (let start = 0; start < query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    if (decoded(query.slice(start, nameEnd)) === utf8Bytes(name)) {
      if (found !== undefined) return undefined;
      found = decoded(query.slice(nameEnd + 1, end));
    }
    start = end + 1;
  }
  return found;
}

/** The value of the only cookie of a name (case-sensitive, RFC 6265 4.2.1) in all Cookie fields; quotes around it are part of it. */
export function soleCookie(fields: Fields, name: string): string | undefined {
  let found: string | undefined;
  for (let field = 0; field < fields.count; field++) {
    if (!fields.isNamed(field, 'cookie')) continue;
    for (const pair of fields.value(field).split(';')) {
      const equals = pair.indexOf('=');
      if (equals === -1 || trimBlanks(pair.slice(0, equals)) !== name) continue;
      if (found !== undefined) return undefined;
      found = trimBlanks(pair.slice(equals + 1));
    }
  }
  return found;
}

/** Text as its bytes in UTF-8, one character each. */
export function utf8Bytes(text: string): string {
  return IS_ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

const IS_ASCII = /^[\0-\x7f]*$/;
const ENCODED = /%([0-9A-Fa-f]{2})/g;

/** Bytes of a query are one character each already; only what is written as `%XX` and `+` is not. */
function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll('+', ' ')
    .replace(ENCODED, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

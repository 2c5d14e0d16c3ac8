import { trimBlanks } from './characters.ts';
import { FIELD } from './field-names.ts';
import type { Fields } from './fields.ts';

/**
 * The value of a cookie as it stands in the request (RFC 6265 5.4), or null. Of several of one name the first one counts: browsers
 * send the one with the most specific path first.
 */
export function cookieValue(fields: Fields, name: string): string | null {
  for (let field = 0; field < fields.count; field++) {
    if (fields.number(field) !== FIELD.COOKIE) continue;
    const value = valueIn(fields.value(field), name);
    if (value !== null) return value;
  }
  return null;
}

function valueIn(cookies: string, name: string): string | null {
  for (let start = 0; start < cookies.length; ) {
    const semicolon = cookies.indexOf(';', start);
    const end = semicolon < 0 ? cookies.length : semicolon;
    const equals = cookies.indexOf('=', start);
    if (equals >= 0 && equals < end && trimBlanks(cookies.slice(start, equals)) === name) {
      return trimBlanks(cookies.slice(equals + 1, end));
    }
    start = end + 1;
  }
  return null;
}

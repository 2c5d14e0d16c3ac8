import { trimBlanks } from './characters.ts';
import type { Fields } from './fields.ts';
import { formBytes } from './query.ts';

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

/** The value of the only parameter of a name in a query, both as bytes, one character each. */
export function soleParameter(query: string, name: string): string | undefined {
  let found: string | undefined;
  for (let start = 0; start < query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const nameEnd = equals === -1 || equals > end ? end : equals;
    if (formBytes(query.slice(start, nameEnd)) === name) {
      if (found !== undefined) return undefined;
      found = formBytes(query.slice(nameEnd + 1, end));
    }
    start = end + 1;
  }
  return found;
}

/** The value of the only cookie of a name (case-sensitive, RFC 6265 4.2.1) in all Cookie fields; quotes around it are part of it. */
export function soleCookie(fields: Fields, name: string): string | undefined {
  const [value, ...more] = cookieValues(fields, name);
  return more.length === 0 ? value : undefined;
}

/** The values of all cookies of a name in all Cookie fields, in their order. */
export function cookieValues(fields: Fields, name: string): readonly string[] {
  const values: string[] = [];
  for (let field = 0; field < fields.count; field++) {
    if (!fields.isNamed(field, 'cookie')) continue;
    for (const pair of fields.value(field).split(';')) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && trimBlanks(pair.slice(0, equals)) === name) values.push(trimBlanks(pair.slice(equals + 1)));
    }
  }
  return values;
}

import { isBlank, trimBlanks } from './characters.ts';

const EQUALS = 0x3d;

/**
 * The value of a cookie in a Cookie field (RFC 6265 4.2.1: `a=1; b=2`), or undefined when it is not there. Names are
 * case-sensitive. Of several cookies of one name it is the first: RFC 6265 5.4 has clients put the one with the longest path
 * there. What is no pair of a name and a value is passed over; quotes around a value are part of it.
 */
export function cookieValue(field: string, name: string): string | undefined {
  for (let start = 0; start < field.length; ) {
    const semicolon = field.indexOf(';', start);
    const end = semicolon === -1 ? field.length : semicolon;
    while (start < end && isBlank(field.charCodeAt(start))) start++;
    const equals = start + name.length;
    // No name has a semicolon: what begins with it and goes on with = lies before `end`.
    if (field.charCodeAt(equals) === EQUALS && field.startsWith(name, start)) {
      return trimBlanks(field.slice(equals + 1, end));
    }
    start = end + 1;
  }
  return undefined;
}

/** The pairs of a Cookie field without those of a name; empty when none is left. */
export function withoutCookie(field: string, name: string): string {
  const kept = field
    .split(';')
    .map(trimBlanks)
    .filter((pair) => pair !== '' && trimBlanks(pair.split('=', 1)[0] as string) !== name);
  return kept.join('; ');
}

export interface SessionCookie {
  /** A token (RFC 9110 5.6.2). */
  readonly name: string;
  /** How long browsers keep it; null: until they are closed. */
  readonly maxAgeSeconds: number | null;
  /** Browsers send it over HTTPS only. */
  readonly secure: boolean;
}

/**
 * The value of the Set-Cookie field that sets a cookie for the whole host (RFC 6265 4.1). Scripts cannot read the cookie, and browsers do
 * not send it with requests that other sites make, except for links. `value`: cookie-octets only.
 */
export function setCookieValue({ name, maxAgeSeconds, secure }: SessionCookie, value: string): string {
  const maxAge = maxAgeSeconds === null ? '' : `; Max-Age=${maxAgeSeconds}`;
  return `${name}=${value}; Path=/${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

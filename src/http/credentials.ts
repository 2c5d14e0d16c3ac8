const BEARER = 'bearer';
const SPACE = 0x20;

/** RFC 9110 11.4: a scheme, any number of spaces, and what it is about. */
const CREDENTIALS = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) +/;

/**
 * The token in a value that has the scheme Bearer (RFC 6750 2.1), in any case and with any number of spaces after it (RFC 9110 11.1, 11.4); null
 * for one that has not.
 */
export function bearerToken(value: string): string | null {
  if (!namesBearer(value)) return null;
  let at = BEARER.length;
  if (at < value.length && value.charCodeAt(at) !== SPACE) return null;
  while (value.charCodeAt(at) === SPACE) at++;
  return value.slice(at);
}

/** Nearly all write it in one way. */
function namesBearer(value: string): boolean {
  return value.startsWith('Bearer') || value.slice(0, BEARER.length).toLowerCase() === BEARER;
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

/**
 * The value of a parameter of a query, read as `application/x-www-form-urlencoded`, or null. Of several of one name the first one
 * counts.
 */
export function queryParameter(query: string, name: string): string | null {
  for (let start = 0; start < query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    const value = pairValue(query.slice(start, end), name);
    if (value !== null) return value;
    start = end + 1;
  }
  return null;
}

function pairValue(pair: string, name: string): string | null {
  // The ampersand keeps a question mark at the start from being dropped.
  if (/[%+]/.test(pair)) return new URLSearchParams(`&${pair}`).get(name);
  const equals = pair.indexOf('=');
  const nameEnd = equals < 0 ? pair.length : equals;
  if (pair.slice(0, nameEnd) !== name) return null;
  return equals < 0 ? '' : pair.slice(equals + 1);
}

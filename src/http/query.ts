/*
 * Queries are read as `application/x-www-form-urlencoded` (WHATWG URL 5.1), into bytes, one character each, and no further: however it is
 * written, one value is one text, and no two values become one. The names to look for are bytes too (`utf8Bytes`).
 */

/** The values of every parameter of a query (without its `?`) that has this name, in their order. */
export function parameterValues(query: string, name: string): readonly string[] {
  if (query === '') return [];
  return query.split('&').flatMap((piece) => {
    const [ownName, value] = halves(piece);
    return formBytes(ownName) === name ? [formBytes(value)] : [];
  });
}

/** A target (path and query) without the parameters of this name; everything else is as it was. */
export function withoutParameter(target: string, name: string): string {
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const pieces = target.slice(mark + 1).split('&');
  const kept = pieces.filter((piece) => formBytes(halves(piece)[0]) !== name);
  if (kept.length === pieces.length) return target;
  return kept.length === 0 ? target.slice(0, mark) : `${target.slice(0, mark)}?${kept.join('&')}`;
}

function halves(piece: string): readonly [string, string] {
  const equals = piece.indexOf('=');
  return equals === -1 ? [piece, ''] : [piece.slice(0, equals), piece.slice(equals + 1)];
}

const ENCODED = /%([0-9A-Fa-f]{2})/g;

/** A name or a value. What comes as it is, is a byte a character already; a percent sign without two digits stands for itself. */
export function formBytes(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll('+', ' ')
    .replace(ENCODED, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The decoded values of every parameter of a query (without its `?`) that has this name, in their order. */
export function parameterValues(query: string, name: string): readonly string[] {
  if (query === '') return [];
  return query.split('&').flatMap((piece) => {
    const [ownName, value] = halves(piece);
    return decodeText(ownName) === name ? [decodeText(value) ?? value] : [];
  });
}

/** A target (path and query) without the parameters of this name; everything else is as it was. */
export function withoutParameter(target: string, name: string): string {
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const pieces = target.slice(mark + 1).split('&');
  const kept = pieces.filter((piece) => decodeText(halves(piece)[0]) !== name);
  if (kept.length === pieces.length) return target;
  return kept.length === 0 ? target.slice(0, mark) : `${target.slice(0, mark)}?${kept.join('&')}`;
}

function halves(piece: string): readonly [string, string] {
  const equals = piece.indexOf('=');
  return equals === -1 ? [piece, ''] : [piece.slice(0, equals), piece.slice(equals + 1)];
}

/** As forms write it (WHATWG URL 5.1); null when a percent-encoding is broken: nobody knows what that means to the upstream. */
function decodeText(text: string): string | null {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

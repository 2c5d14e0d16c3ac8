/** One character or class, as a piece of an expression, and whether it may be repeated without end. */
interface Piece {
  readonly atom: string;
  readonly isRepeated: boolean;
}

/** A piece, or a bracket of a group that only groups. What else there is in expressions does not match. */
const PIECE = /(\\[^0-9A-Za-z]|\\[dDwWsS]|\[(?:\\.|[^\\\]])*\]|[^\\()[\]{}*+?|^$])([*+]?)|\((?:\?:)?|\)(?![*+?{])/y;

/**
 * Whether an expression goes through a text in one way only, which takes linear time and needs no further proof: it begins
 * at the start, has no alternatives and no optional parts, and after each repetition comes a character that cannot be part
 * of it. `^/users/(\d+)/posts/[^/]+$` is of this kind, and so are most expressions over paths.
 */
export function isWithoutChoice(source: string): boolean {
  const pieces = piecesOf(source);
  if (pieces === null) return false;
  const repeated = pieces.filter(({ isRepeated }) => isRepeated);
  return repeated.length <= 1 || pieces.every((piece, index) => !piece.isRepeated || endsAt(piece, pieces[index + 1]));
}

/** Null when there is more in the expression than a row of pieces. */
function piecesOf(source: string): readonly Piece[] | null {
  if (!source.startsWith('^')) return null;
  const end = source.endsWith('$') && !source.endsWith('\\$') ? source.length - 1 : source.length;
  const pieces: Piece[] = [];
  for (let at = 1; at < end; at = PIECE.lastIndex) {
    PIECE.lastIndex = at;
    const match = PIECE.exec(source);
    if (match === null) return null;
    const [, atom, quantifier] = match;
    if (atom !== undefined) pieces.push({ atom, isRepeated: quantifier !== '' });
  }
  return pieces;
}

/** The repetition is over where the next piece begins: a shorter one would have to be followed by one of its own. */
function endsAt({ atom }: Piece, next: Piece | undefined): boolean {
  if (next === undefined) return true;
  const literal = /^\\?([^A-Za-z0-9\\.[]|[A-Za-z0-9])$/.exec(next.atom)?.[1] ?? (next.atom === '\\.' ? '.' : null);
  const isEscapedLetter = /^\\[A-Za-z0-9]$/.test(next.atom);
  if (literal === null || isEscapedLetter || next.isRepeated) return false;
  return !new RegExp(`^(?:${atom})$`, 's').test(literal);
}

/** What every path that a regular expression matches must start with. */
export interface LiteralPrefix {
  readonly text: string;
  /** True if the text ends where a segment of the path ends, because `/` or the end of the path must follow. */
  readonly endsSegment: boolean;
}

const META = '.[](){}*+?|$^';

/**
 * The literal text after the `^` of `source`, as far as it is certain. `^/api/v\d` gives `/api/v`; alternatives at the
 * top level give nothing, for `^/a|/b` may match anywhere.
 */
export function literalPrefixOf(source: string): LiteralPrefix {
  if (hasTopLevelAlternative(source)) return { text: '', endsSegment: false };
  let text = '';
  let at = 1;
  while (at < source.length) {
    const isEscaped = source.charAt(at) === '\\';
    const character = source.charAt(isEscaped ? at + 1 : at);
    if (isEscaped ? /[A-Za-z0-9]/.test(character) : META.includes(character)) break;
    const next = at + (isEscaped ? 2 : 1);
    const quantifier = source.charAt(next);
    if (quantifier !== '' && '*?{'.includes(quantifier)) break;
    text += character;
    at = next;
  }
  return { text, endsSegment: source.slice(at) === '$' };
}

function hasTopLevelAlternative(source: string): boolean {
  let depth = 0;
  let isInClass = false;
  for (let at = 0; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '\\') at += 1;
    else if (isInClass) isInClass = character !== ']';
    else if (character === '[') isInClass = true;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '|' && depth === 0) return true;
  }
  return false;
}

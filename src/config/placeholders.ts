/** Run-time placeholders by what they stand for; `path.` goes on with the name of a path parameter. */
export const PLACEHOLDERS = {
  client_ip: "the client's address",
  request_id: 'the id of the request',
  route: 'the id of the route',
  consumer: 'the name of the authenticated client; empty without one',
  'path.NAME': 'what {NAME} in the path of the route stands for in this request',
} as const;

const PIECE = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;
/** Finds the path parameters that a template uses. */
export const PLACEHOLDER_OF_PATH = /(?<!\{)\{path\.([A-Za-z_][A-Za-z0-9_-]*)\}/g;

const PATH_PARAMETER = /^path\.([A-Za-z_][A-Za-z0-9_-]*)$/;

/** A text cut at its placeholders: texts to take as they are, and names. */
export type TemplatePart = string | { readonly placeholder: string };

/**
 * Reads a text with placeholders: `{client_ip}`, `{path.id}`; `{{` and `}}` are literal braces.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function parseTemplate(text: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = '';
  let from = 0;
  for (const match of text.matchAll(PIECE)) {
    literal += text.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[1] === undefined) literal += literalBrace(match[0]);
    else {
      if (literal !== '') parts.push(literal);
      parts.push({ placeholder: knownPlaceholder(match[1]) });
      literal = '';
    }
  }
  literal += text.slice(from);
  return literal === '' ? parts : [...parts, literal];
}

function literalBrace(piece: string): string {
  if (piece.length === 2) return piece.charAt(0);
  throw new SyntaxError('"{{" or "}}" for a literal brace');
}

function knownPlaceholder(name: string): string {
  if (name !== 'path.NAME' && Object.hasOwn(PLACEHOLDERS, name)) return name;
  if (PATH_PARAMETER.test(name)) return name;
  const known = Object.keys(PLACEHOLDERS).map((each) => `{${each}}`);
  throw new SyntaxError(`one of the placeholders ${known.join(', ')} ("{{" for a literal brace)`);
}

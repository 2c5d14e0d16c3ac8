import type { ConfigNode, Path } from './config-node.ts';
import { visitScalars } from './config-node.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Span } from './source-text.ts';

/** Keys whose values are secrets, at any depth below them. */
const SECRET_KEY = /secret|(?<!ht)passw|token|credential|private_?key|authorization|^keys$|^users$|^consumers$/i;

/**
 * The same keys in text that could not be parsed, with the rest of their line. What a key goes on with is bounded: a line
 * may have megabytes of letters, and each of them is tried as a beginning.
 */
const SECRET_ASSIGNMENT =
  /(?:(?:secret|passw|token|credential|private_?key|authorization)[\w-]{0,64}|\b(?:keys|users|consumers))["']?\s{0,64}[:=]\s*(.+)/gi;

/** Whoever misspells one of these hides its value no less. */
const SECRET_WORDS = ['secret', 'password', 'passwd', 'credentials', 'private_key', 'api_token'];

export function isSecretPath(path: Path): boolean {
  return path.some((step) => typeof step === 'string' && isSecretKey(step));
}

function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key) || didYouMean(key, SECRET_WORDS) !== null;
}

/** Where the secrets of a document are written out. */
export function secretSpans(root: ConfigNode): readonly Span[] {
  const spans: Span[] = [];
  // Ten thousand routes have the same ten keys.
  const known = new Map<string, boolean>();
  const isSecret = (key: string): boolean => {
    const answer = known.get(key) ?? isSecretKey(key);
    known.set(key, answer);
    return answer;
  };
  const collect = (node: ConfigNode): void => {
    if (node.kind === 'list') for (const item of node.items) collect(item);
    if (node.kind !== 'mapping') return;
    for (const [key, { value }] of node.entries) {
      if (isSecret(key)) visitScalars(value, (scalar) => spans.push(scalar.span));
      else collect(value);
    }
  };
  collect(root);
  return spans;
}

/** Where secrets seem to be written out in a line that could not be parsed; offsets within the line. */
export function secretSpansOfLine(line: string): readonly Span[] {
  return [...line.matchAll(SECRET_ASSIGNMENT)].map((match) => {
    const end = match.index + match[0].length;
    return { start: end - (match[1]?.length ?? 0), end };
  });
}

import { originExpression } from '../http/origin-expression.ts';

/** Tells which origins (RFC 6454 6.2, lower case) are meant by a list. */
export class OriginMatcher {
  readonly #exact: ReadonlySet<string>;
  readonly #patterns: readonly RegExp[];
  /** Everybody. */
  readonly every: boolean;

  /**
   * `texts`: `*`, origins, origins whose host begins with `*.` (exactly one label, as in routes), with a scheme or for any, and regular
   * expressions, which begin with `^` and are always held against the whole origin.
   */
  constructor(texts: readonly string[]) {
    this.every = texts.includes('*');
    this.#exact = new Set(texts.filter((text) => !isPattern(text)));
    this.#patterns = texts.filter(isPattern).map(compile);
  }

  /** `origin` as a browser sends it. */
  includes(origin: string): boolean {
    return this.every || this.#exact.has(origin) || this.#patterns.some((pattern) => pattern.test(origin));
  }
}

const isPattern = (text: string): boolean => text.startsWith('^') || text.startsWith('*.') || text.includes('://*.');

function compile(text: string): RegExp {
  if (text.startsWith('^')) return new RegExp(originExpression(text));
  const [, scheme = '', host = ''] = /^(?:(.*):\/\/)?\*\.(.*)$/.exec(text) ?? [];
  const anyScheme = '[a-z][a-z0-9+.-]*';
  return new RegExp(`^${scheme === '' ? anyScheme : RegExp.escape(scheme)}://[a-z0-9_-]+\\.${RegExp.escape(host)}$`);
}

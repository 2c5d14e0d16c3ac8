/**
 * Makes text that came from outside safe to stand between quotes in a log line. What is not printable ASCII, the quote and the
 * backslash are escaped, so that no client can end a line, forge one, or draw on the terminal that shows it.
 */
export class LineText {
  readonly #escapeOf: (code: number) => string;

  /** `escapeOf` writes one character that must not stand in a line as it is. */
  constructor(escapeOf: (code: number) => string) {
    this.#escapeOf = escapeOf;
  }

  /** At most `limit` characters of the text; one that is cut ends in three dots. */
  of(text: string, limit: number): string {
    const cut = text.length <= limit ? text : `${text.slice(0, limit - CUT.length)}${CUT}`;
    return UNSAFE.test(cut) ? cut.replace(ALL_UNSAFE, (character) => this.#escapeOf(character.charCodeAt(0))) : cut;
  }
}

const CUT = '...';
const UNSAFE = /[^ !#-[\]-~]/;
const ALL_UNSAFE = /[^ !#-[\]-~]/g;

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

/** RFC 8259 7. */
export const jsonText: LineText = new LineText((code) => `\\u${hex(code, 4)}`);

/** As nginx and Apache do; a character beyond the bytes is written with four digits. */
export const combinedText: LineText = new LineText((code) =>
  code <= 0xff ? `\\x${hex(code, 2).toUpperCase()}` : `\\u${hex(code, 4)}`,
);

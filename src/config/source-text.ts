/** A piece of the source: offsets in UTF-16 units, the end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place in the source as editors count it: both from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The text of a configuration file, with a way from offsets to lines. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  /** False for a module, whose values have no places: only the file can be named. */
  readonly hasPlaces: boolean;
  readonly #lineStarts: number[] = [0];

  constructor(file: string, text: string, hasPlaces = true) {
    this.file = file;
    this.text = text;
    this.hasPlaces = hasPlaces;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  positionOf(offset: number): Position {
    const line = this.#lineIndexOf(offset);
    return { line: line + 1, column: offset - (this.#lineStarts[line] ?? 0) + 1 };
  }

  /** The line that holds `offset`, without its line break. */
  lineSpanOf(offset: number): Span {
    const line = this.#lineIndexOf(offset);
    const start = this.#lineStarts[line] ?? 0;
    const next = this.#lineStarts[line + 1];
    const end = next === undefined ? this.text.length : next - 1;
    return { start, end: end > start && this.text[end - 1] === '\r' ? end - 1 : end };
  }

  /** Index of the last line that starts at or before `offset`. */
  #lineIndexOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

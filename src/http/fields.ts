import { numberOfName } from './field-names.ts';

/**
 * The field lines of one message: the text that they stand in, and where. Every protocol fills this one shape, and nothing
 * makes an object per field.
 *
 *   text   "GET / HTTP/1.1\r\nHost: a.example\r\nAccept: *\/*\r\n\r\n"
 *                            ^   ^ ^        ^
 *   index  [ nameStart, nameEnd, valueStart, valueEnd, number,   nameStart, ... ]   FIELD_STRIDE entries a field
 *
 * Invariant: 0 <= nameStart < nameEnd < valueStart <= valueEnd <= text.length, fields in the order of arrival.
 */
export class Fields {
  /** What the offsets point into, one character a byte (latin1). */
  text = '';
  readonly index: Int32Array;
  count = 0;
  /** Every line stands in `text` as `Name: value CRLF`: one space, and nothing after the value. Set by the decoder. */
  canonical = false;

  /** `capacity`: how many fields there is room for. */
  constructor(capacity: number) {
    this.index = new Int32Array(capacity * FIELD_STRIDE);
  }

  get capacity(): number {
    return this.index.length / FIELD_STRIDE;
  }

  clear(): void {
    this.text = '';
    this.count = 0;
    this.canonical = false;
  }

  /** The same fields, which stay when these become those of another message. */
  copy(): Fields {
    const copy = new Fields(this.count);
    copy.text = this.text;
    copy.index.set(this.index.subarray(0, this.count * FIELD_STRIDE));
    copy.count = this.count;
    copy.canonical = this.canonical;
    return copy;
  }

  name(field: number): string {
    const at = field * FIELD_STRIDE;
    return this.text.slice(this.index[at], this.index[at + NAME_END]);
  }

  value(field: number): string {
    const at = field * FIELD_STRIDE;
    return this.text.slice(this.index[at + VALUE_START], this.index[at + VALUE_END]);
  }

  /** Whether `value` is the value of a field. */
  hasValue(field: number, value: string): boolean {
    const at = field * FIELD_STRIDE;
    const start = this.index[at + VALUE_START] as number;
    return (this.index[at + VALUE_END] as number) - start === value.length && this.text.startsWith(value, start);
  }

  /** The number (`FIELD`) of a field's name, 0 for a name that the gateway does not know. */
  number(field: number): number {
    return this.index[field * FIELD_STRIDE + NUMBER] as number;
  }

  /** The first field with this number (`FIELD`), or -1. */
  find(number: number): number {
    for (let field = 0, at = NUMBER; field < this.count; field++, at += FIELD_STRIDE) {
      if (this.index[at] === number) return field;
    }
    return -1;
  }

  /**
   * The values of all fields of a name, joined as one list (RFC 9110 5.3), or undefined when there is none.
   */
  combinedValue(lowerCaseName: string): string | undefined {
    const number = numberOfName(lowerCaseName);
    const separator = separatorOf(lowerCaseName);
    let combined: string | undefined;
    for (let field = 0; field < this.count; field++) {
      const matches = number > 0 ? this.number(field) === number : this.isNamed(field, lowerCaseName);
      if (matches) combined = combined === undefined ? this.value(field) : combined + separator + this.value(field);
    }
    return combined;
  }

  /** Whether a field has this name. */
  isNamed(field: number, lowerCaseName: string): boolean {
    const at = field * FIELD_STRIDE;
    if ((this.index[at + NAME_END] as number) - (this.index[at] as number) !== lowerCaseName.length) return false;
    return this.name(field).toLowerCase() === lowerCaseName;
  }
}

/** What joins the values of several fields of a name. Cookie is no list: some clients split it all the same, as RFC 9113 8.2.3 lets them. */
export function separatorOf(lowerCaseName: string): string {
  return lowerCaseName === 'cookie' ? '; ' : ', ';
}

/** Entries of `Fields.index` per field, and what stands at each offset; the name's start is at 0. */
export const FIELD_STRIDE = 5;
export const NAME_END = 1;
export const VALUE_START = 2;
export const VALUE_END = 3;
export const NUMBER = 4;

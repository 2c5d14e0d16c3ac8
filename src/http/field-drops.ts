import { FIELD, FIELD_COUNT, FIELD_NAMES } from './field-names.ts';
import { FIELD_STRIDE, type Fields, NAME_END } from './fields.ts';

/** Few: middleware of users makes one of these for a request that it takes a field out of. */
const SLOTS = 64;
const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const TO_LOWER_CASE = 0x20;

/**
 * Names of fields that do not pass, besides those that never do. A name is taken in any case and with `_` for `-`: what reads field
 * names as variables (CGI, WSGI, PHP) takes `X_User_ID` for `X-User-ID`.
 */
export class FieldDrops {
  /** By number (`FIELD`): 1 for the known ones among the names. */
  readonly #numbers = new Uint8Array(FIELD_COUNT);
  /** As `dropName` has them. */
  readonly names: ReadonlySet<string>;
  /** Host is among the names: the request line cannot be copied with it. */
  readonly hasHost: boolean;
  /** The names by their slots: most fields are known to pass because theirs has none. */
  readonly #slots: (readonly string[] | null)[] = new Array(SLOTS).fill(null);

  constructor(names: Iterable<string>) {
    this.names = new Set([...names].map(dropName));
    this.hasHost = this.names.has('host');
    for (const name of this.names) {
      const number = FIELD_NAMES.indexOf(name);
      if (number > 0) this.#numbers[number] = 1;
      const slot = slotOf(name.length, name.charCodeAt(0));
      this.#slots[slot] = [...(this.#slots[slot] ?? []), name];
    }
  }

  /** Whether a field of this name does not pass. */
  hasName(name: string): boolean {
    return this.names.has(dropName(name));
  }

  /** Whether a field of `fields`, by its place, does not pass. */
  has(fields: Fields, field: number): boolean {
    const number = fields.number(field);
    if (number !== FIELD.OTHER) return this.#numbers[number] !== 0;
    const at = field * FIELD_STRIDE;
    const start = fields.index[at] as number;
    const end = fields.index[at + NAME_END] as number;
    const names = this.#slots[slotOf(end - start, dropCode(fields.text.charCodeAt(start)))] as readonly string[] | null;
    return names !== null && isOneOf(names, fields.text, start, end);
  }
}

/** The one spelling of all that counts as this name. */
export function dropName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** The same for one character. */
function dropCode(code: number): number {
  if (code === UNDERSCORE) return HYPHEN;
  return code >= UPPER_A && code <= UPPER_Z ? code | TO_LOWER_CASE : code;
}

const slotOf = (length: number, first: number): number => (length * 37 + first) & (SLOTS - 1);

/** Nothing is cut out of the text for it: a name that is dropped may come with every request. */
function isOneOf(names: readonly string[], text: string, start: number, end: number): boolean {
  for (const name of names) {
    let at = start;
    while (at < end && dropCode(text.charCodeAt(at)) === name.charCodeAt(at - start)) at++;
    if (at === end && name.length === end - start) return true;
  }
  return false;
}

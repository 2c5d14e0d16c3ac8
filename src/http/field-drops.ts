import { FIELD, FIELD_COUNT, FIELD_NAMES } from './field-names.ts';
import { FIELD_STRIDE, type Fields, NAME_END } from './fields.ts';

/** Longer names are looked up without asking for their length first. */
const LENGTHS = 64;

/**
 * Names of fields that do not pass, besides those that never do. A name is taken in any case and with `_` for `-`: what reads field
 * names as variables (CGI, WSGI, PHP) takes `X_User_ID` for `X-User-ID`.
 */
export class FieldDrops {
  /** By number (`FIELD`): 1 for the known ones among the names. */
  readonly #numbers = new Uint8Array(FIELD_COUNT);
  /** As `dropName` has them. */
  readonly names: ReadonlySet<string>;
  /** 1 for each length that one of the names has: most fields are known to pass by that alone. */
  readonly #lengths = new Uint8Array(LENGTHS);

  constructor(names: Iterable<string>) {
    this.names = new Set([...names].map(dropName));
    for (const name of this.names) {
      const number = FIELD_NAMES.indexOf(name);
      if (number > 0) this.#numbers[number] = 1;
      this.#lengths[name.length % LENGTHS] = 1;
    }
  }

  /** Whether a field of `fields`, by its place, does not pass. */
  has(fields: Fields, field: number): boolean {
    const number = fields.number(field);
    if (number !== FIELD.OTHER) return this.#numbers[number] !== 0;
    const at = field * FIELD_STRIDE;
    const length = (fields.index[at + NAME_END] as number) - (fields.index[at] as number);
    if (this.#lengths[length % LENGTHS] === 0) return false;
    return this.names.has(dropName(fields.name(field)));
  }
}

/** The one spelling of all that counts as this name. */
export function dropName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

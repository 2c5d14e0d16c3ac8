import { isToken } from '../../http/characters.ts';
import { dropName } from '../../http/field-drops.ts';
import type { FieldList } from '../../http/field-list.ts';
import { isConnectionField } from '../../http/hop-by-hop.ts';

/** The fields of a message, received and written, for `EditableHeaders`. */
export interface HeaderSource {
  /** The value of a field (by its name in lower case) as it goes out, several fields of the name joined by `, `; undefined when there is none. */
  value(lowerCaseName: string): string | undefined;
  /** Fields that are written beside them. */
  readonly additions: FieldList;
  /** A field that came does not pass. `name` is as `dropName` has it. */
  drop(name: string): void;
  /** Fields that stand there once, as `dropName` has them. */
  readonly single: ReadonlySet<string>;
  /** Writes one (as `dropName` has it) that is no field among the others; null: takes it out. Returns false for any other. Throws a TypeError when that cannot be done. */
  replace(name: string, value: string | null): boolean;
}

/** What may stand in the value of a field (RFC 9110 5.5), where nothing else is safe to send. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** The header fields of a message, to be looked at and changed. Names have no case. */
export class EditableHeaders {
  readonly #source: HeaderSource;

  constructor(source: HeaderSource) {
    this.#source = source;
  }

  /** The value as it goes out, several fields of the name joined by `, `; null when there is none. */
  get(name: string): string | null {
    return this.#source.value(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** The field stands there once, with this value. Throws a TypeError for what cannot be a field, or is about the connection. */
  set(name: string, value: string): void {
    const alike = spellingOf(name);
    checkValue(name, value);
    if (this.#source.replace(alike, value)) return;
    this.#remove(alike);
    this.#source.additions.add(name, value);
  }

  /** Another field beside those of the name. Throws a TypeError likewise, and for one that the gateway writes, which there is once. */
  append(name: string, value: string): void {
    const alike = spellingOf(name);
    checkValue(name, value);
    if (this.#source.single.has(alike)) {
      throw new TypeError(`Cannot append to ${name}: the gateway writes it once. It can be set`);
    }
    this.#source.additions.add(name, value);
  }

  delete(name: string): void {
    const alike = spellingOf(name);
    if (!this.#source.replace(alike, null)) this.#remove(alike);
  }

  #remove(alike: string): void {
    this.#source.drop(alike);
    this.#source.additions.remove(new Set([alike]));
  }
}

/** The name as `dropName` has it. Throws a TypeError for one that cannot be changed. */
function spellingOf(name: string): string {
  if (!isToken(name)) throw new TypeError(`Cannot use ${JSON.stringify(name)} as the name of a header`);
  const alike = dropName(name);
  if (!isConnectionField(alike)) return alike;
  throw new TypeError(`Cannot change ${name}: it is about the connection or the framing of messages`);
}

function checkValue(name: string, value: unknown): void {
  if (typeof value === 'string' && VALUE.test(value)) return;
  throw new TypeError(`Cannot use this value of ${name}: want a text of printable ASCII`);
}

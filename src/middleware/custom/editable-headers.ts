import { isToken } from '../../http/characters.ts';
import { dropName } from '../../http/field-drops.ts';
import { withoutFields } from '../../http/field-text.ts';
import { isConnectionField } from '../../http/hop-by-hop.ts';

/** Where the fields of a message come from, and what is to become of them. */
export interface HeaderSource {
  /** The value of a field (by its name in lower case) as it goes out, several fields of the name joined by `, `; undefined when there is none. */
  value(lowerCaseName: string): string | undefined;
  /** Field lines that are written beside them. */
  additions: string;
  /** A field that came does not pass. `name` is in lower case. */
  drop(name: string): void;
  /** Fields that stand there once, as `dropName` has them. */
  readonly single: ReadonlySet<string>;
  /** Writes one that is no line among the others; null: takes it out. Returns false for any other. Throws a TypeError when that cannot be done. */
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
    check(name, value);
    if (this.#source.replace(name.toLowerCase(), value)) return;
    this.delete(name);
    this.#source.additions += `${name}: ${value}\r\n`;
  }

  /** Another field beside those of the name. Throws a TypeError likewise, and for one that the gateway writes, which there is once. */
  append(name: string, value: string): void {
    check(name, value);
    if (this.#source.single.has(dropName(name))) {
      throw new TypeError(`Cannot append to ${name}: the gateway writes it once. It can be set`);
    }
    this.#source.additions += `${name}: ${value}\r\n`;
  }

  delete(name: string): void {
    const lower = name.toLowerCase();
    check(name, '');
    if (this.#source.replace(lower, null)) return;
    this.#source.drop(lower);
    this.#source.additions = withoutFields(this.#source.additions, new Set([dropName(lower)]));
  }
}

function check(name: string, value: string): void {
  if (!isToken(name)) throw new TypeError(`Cannot use ${JSON.stringify(name)} as the name of a header`);
  if (isConnectionField(name)) {
    throw new TypeError(`Cannot change ${name}: it is about the connection or the framing of messages`);
  }
  if (!VALUE.test(value)) throw new TypeError(`Cannot use this value of ${name}: want printable ASCII`);
}

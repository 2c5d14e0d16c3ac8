import { assertFieldValue, type FieldGroup, type FieldPair } from '../base/field-group.ts';
import { trimBlanks } from './characters.ts';
import { dropName } from './field-drops.ts';

const NONE: readonly string[] = [];

/** Entries whose memory a list keeps between messages. Few messages have more. */
const KEPT_ENTRIES = 64;

/** The places of an entry: its name or group, and its value. */
export const FIELD_LIST_STRIDE = 2;

/**
 * Fields that the gateway writes into one message, in their order. Each entry is a pair, or a group of fields with the value of its open
 * name:
 *
 *   entries   [ group, '4f6e...',   'Set-Cookie', 'at=x1',   ... ]
 *
 * An exchange uses one list again for every message: it makes no object per message.
 *
 * Invariant: what is before `end` is the fields of the message; the rest is empty.
 */
export class FieldList {
  /** In pairs: a name or a group, and a value, which is empty beside a group without an open name. */
  readonly entries: (string | FieldGroup)[] = [];
  #end = 0;

  /** How many places of `entries` are in use. */
  get end(): number {
    return this.#end;
  }

  /** Keeps the memory of some entries, and none of the texts. */
  clear(): void {
    if (this.#end > 0) this.#empty();
  }

  #empty(): void {
    const { entries } = this;
    for (let at = 0; at < this.#end; at++) entries[at] = '';
    this.#end = 0;
    if (entries.length > KEPT_ENTRIES * FIELD_LIST_STRIDE) entries.length = KEPT_ENTRIES * FIELD_LIST_STRIDE;
  }

  /** Throws an Error for a value that would end its line. `name` is a token. */
  add(name: string, value: string): void {
    assertFieldValue(name, value);
    this.#push(name, value);
  }

  /** `openValue`: of the open name of the group. It has no line break and no NUL: it was decoded, or is made here. */
  addGroup(group: FieldGroup, openValue = ''): void {
    this.#push(group, openValue);
  }

  /** Adds the fields of another list. */
  addAll(other: FieldList): void {
    for (let at = 0; at < other.#end; at += FIELD_LIST_STRIDE) this.#push(other.#name(at), other.#value(at));
  }

  #push(name: string | FieldGroup, value: string): void {
    this.entries[this.#end] = name;
    this.entries[this.#end + 1] = value;
    this.#end += FIELD_LIST_STRIDE;
  }

  #name(at: number): string | FieldGroup {
    return this.entries[at] as string | FieldGroup;
  }

  #value(at: number): string {
    // Sound: beside each name is a value.
    return this.entries[at + 1] as string;
  }

  /** The values of the fields of a name, by that name in lower case. */
  valuesOf(lowerCaseName: string): readonly string[] {
    let found = NONE;
    for (let at = 0; at < this.#end; at += FIELD_LIST_STRIDE) {
      const name = this.#name(at);
      if (!isAmong(name, lowerCaseName)) continue;
      for (const [each, value] of pairsOf(name, this.#value(at))) {
        if (each.toLowerCase() === lowerCaseName) found = [...found, trimBlanks(value)];
      }
    }
    return found;
  }

  /** The same values as one list (RFC 9110 5.3); undefined if there is none. */
  combinedValue(lowerCaseName: string): string | undefined {
    const values = this.valuesOf(lowerCaseName);
    return values.length === 0 ? undefined : values.join(', ');
  }

  /** Removes the fields of some names, which are as `dropName` has them. Hardly ever is one of them there. */
  remove(names: ReadonlySet<string>): void {
    const first = this.#firstOf(names);
    if (first === -1) return;
    const old = new FieldList();
    for (let at = first; at < this.#end; at += FIELD_LIST_STRIDE) old.#push(this.#name(at), this.#value(at));
    this.#end = first;
    for (let at = 0; at < old.#end; at += FIELD_LIST_STRIDE) this.#keep(old.#name(at), old.#value(at), names);
    this.entries.fill('', this.#end);
  }

  /** Adds what is not among `removed` of the fields of an entry. */
  #keep(name: string | FieldGroup, value: string, removed: ReadonlySet<string>): void {
    if (!isOneOf(name, removed)) this.#push(name, value);
    else for (const pair of pairsOf(name, value)) if (!removed.has(dropName(pair[0]))) this.#push(...pair);
  }

  #firstOf(names: ReadonlySet<string>): number {
    for (let at = 0; at < this.#end; at += FIELD_LIST_STRIDE) if (isOneOf(this.#name(at), names)) return at;
    return -1;
  }

  /** Each field on its own, for code that does not run with every request. */
  *[Symbol.iterator](): Generator<FieldPair, void, undefined> {
    for (let at = 0; at < this.#end; at += FIELD_LIST_STRIDE) yield* pairsOf(this.#name(at), this.#value(at));
  }
}

function isAmong(name: string | FieldGroup, lowerCaseName: string): boolean {
  if (typeof name !== 'string') return name.lowerCaseNames.includes(lowerCaseName);
  return name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName;
}

function isOneOf(name: string | FieldGroup, dropNames: ReadonlySet<string>): boolean {
  if (typeof name === 'string') return dropNames.has(dropName(name));
  for (const each of name.lowerCaseNames) {
    // A name in lower case without an underscore is as `dropName` has it.
    if (dropNames.has(name.hasUnderscore ? dropName(each) : each)) return true;
  }
  return false;
}

function pairsOf(name: string | FieldGroup, value: string): readonly FieldPair[] {
  if (typeof name === 'string') return [[name, value]];
  return name.openName === null ? name.pairs : [...name.pairs, [name.openName, value]];
}

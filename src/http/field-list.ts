import { assertFieldValue, type FieldGroup, type FieldPair } from '../base/field-group.ts';
import { trimBlanks } from './characters.ts';
import { dropName } from './field-drops.ts';

const NONE: readonly string[] = [];

/** Entries whose memory a list keeps between messages. Few messages have more. */
const KEPT_ENTRIES = 64;

/**
 * Fields that the gateway writes into one message, in their order. Each entry is a pair, or a group of fields with the value of its open
 * name:
 *
 *   names    [ group,     'Set-Cookie', ... ]
 *   values   [ '4f6e...', 'at=x1',      ... ]
 *
 * An exchange uses one list again for every message: it makes no object per message.
 *
 * Invariant: the first `count` entries are the fields of the message; the rest is empty.
 */
export class FieldList {
  readonly names: (string | FieldGroup)[] = [];
  /** Empty beside a group without an open name. */
  readonly values: string[] = [];
  count = 0;

  /** Keeps the memory of some entries, and none of the texts. */
  clear(): void {
    for (let at = 0; at < this.count; at++) {
      this.names[at] = '';
      this.values[at] = '';
    }
    this.count = 0;
    if (this.names.length > KEPT_ENTRIES) this.names.length = this.values.length = KEPT_ENTRIES;
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
    for (let at = 0; at < other.count; at++) {
      // Sound: both arrays have `count` entries.
      this.#push(other.names[at] as string | FieldGroup, other.values[at] as string);
    }
  }

  #push(name: string | FieldGroup, value: string): void {
    this.names[this.count] = name;
    this.values[this.count] = value;
    this.count++;
  }

  /** The values of the fields of a name, by that name in lower case. */
  valuesOf(lowerCaseName: string): readonly string[] {
    let found = NONE;
    for (let at = 0; at < this.count; at++) {
      const name = this.names[at] as string | FieldGroup;
      if (!isAmong(name, lowerCaseName)) continue;
      for (const [each, value] of pairsOf(name, this.values[at] as string)) {
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
    const [oldNames, oldValues] = [this.names.slice(first, this.count), this.values.slice(first, this.count)];
    this.count = first;
    for (const [at, name] of oldNames.entries()) {
      const value = oldValues[at] as string;
      if (!isOneOf(name, names)) this.#push(name, value);
      else for (const pair of pairsOf(name, value)) if (!names.has(dropName(pair[0]))) this.#push(...pair);
    }
    this.names.fill('', this.count);
    this.values.fill('', this.count);
  }

  #firstOf(names: ReadonlySet<string>): number {
    for (let at = 0; at < this.count; at++) if (isOneOf(this.names[at] as string | FieldGroup, names)) return at;
    return -1;
  }

  /** Each field on its own, for code that does not run with every request. */
  *[Symbol.iterator](): Generator<FieldPair, void, undefined> {
    for (let at = 0; at < this.count; at++) {
      yield* pairsOf(this.names[at] as string | FieldGroup, this.values[at] as string);
    }
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

/** The name and the value of a field. */
export type FieldPair = readonly [name: string, value: string];

/** Ends a line, or a text, for some reader. */
const UNSAFE = /[\n\r\0]/;

/**
 * Asserts that a value cannot end the line of its field (RFC 9110 5.5). Nothing that clients send or users configure gets this far with
 * such a character. The value is not in the error: it may be a secret.
 */
export function assertFieldValue(name: string, value: string): void {
  if (UNSAFE.test(value)) throw new Error(`the value of the field ${name} has a line break or a NUL`);
}

/**
 * Fields that are the same in many messages, in their order. One more name may follow, whose value each message gives:
 *
 *   Via: 1.1 photon        a pair
 *   X-Request-ID: ...      the open name
 *
 * Only `h1Text` ever changes. Each wire keeps its encoded form of a group in the group.
 */
export class FieldGroup {
  readonly pairs: readonly FieldPair[];
  /** The name whose value each message gives; null for none. */
  readonly openName: string | null;
  /** A name has an underscore: some recipients take it for another name (`dropName`). */
  readonly hasUnderscore: boolean;
  /** HTTP/1 text up to the value of the open name. `wire/h1` sets it at the first use; null before. Nothing else uses it. */
  h1Text: string | null = null;
  #lowerCaseNames: readonly string[] | null = null;

  /** Throws an Error for a value that would end its line. */
  constructor(pairs: readonly FieldPair[], openName: string | null = null) {
    for (const [name, value] of pairs) assertFieldValue(name, value);
    this.pairs = pairs;
    this.openName = openName;
    this.hasUnderscore = openName?.includes('_') || pairs.some(([name]) => name.includes('_'));
  }

  /** The names of the pairs in lower case, and then the open name. */
  get lowerCaseNames(): readonly string[] {
    this.#lowerCaseNames ??= this.#names().map((name) => name.toLowerCase());
    return this.#lowerCaseNames;
  }

  #names(): readonly string[] {
    const names = this.pairs.map(([name]) => name);
    return this.openName === null ? names : [...names, this.openName];
  }
}

import { trimBlanks } from '../../http/characters.ts';

/** Media types, and whole families of them (`text/*`). */
export class MediaTypes {
  readonly #types: ReadonlySet<string>;

  constructor(types: readonly string[]) {
    this.#types = new Set(types.map((type) => type.toLowerCase()));
  }

  /** `contentType`: the value of Content-Type, parameters and all (RFC 9110 8.3). */
  includes(contentType: string): boolean {
    // Two of them are none.
    if (contentType.includes(',')) return false;
    const semicolon = contentType.indexOf(';');
    const type = trimBlanks(semicolon === -1 ? contentType : contentType.slice(0, semicolon)).toLowerCase();
    return this.#types.has(type) || this.#types.has(`${type.slice(0, type.indexOf('/'))}/*`);
  }
}

import { flatText } from './latin1.ts';

/**
 * What was made of the last latin1 text, for texts that many requests in a row have in common. It keeps one, so that it is bounded and found
 * by one comparison.
 */
export class LastText<T> {
  readonly #make: (text: string) => T;
  #text: string | null = null;
  #made: T | null = null;

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  /** Throws what `make` throws, and then keeps what it had. */
  of(text: string): T {
    if (text !== this.#text) {
      this.#made = this.#make(text);
      this.#text = flatText(text);
    }
    // Sound: `#text` is set behind it.
    return this.#made as T;
  }
}

/** The value of Date (RFC 9110 6.6.1), formatted once a second. */
export class HttpDate {
  readonly #unixMs: () => number;
  #second = -1;
  #text = '';

  /** `unixMs`: milliseconds since 1970. */
  constructor(unixMs: () => number = Date.now) {
    this.#unixMs = unixMs;
  }

  /** Now, as IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`. */
  get text(): string {
    const now = this.#unixMs();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(now).toUTCString();
    }
    return this.#text;
  }
}

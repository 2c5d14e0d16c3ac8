/** So long a warning is not said again, in milliseconds. */
const QUIET_MS = 10_000;

/** A warning that may be due for every connection: it is said a few times in ten seconds at most, with how often it was due since then. */
export class RepeatedWarning {
  readonly #say: (fields: object) => void;
  readonly #time: { readonly nowMs: number };
  readonly #most: number;
  /** Since when it has been said so often. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  #said = 0;
  #failures = 0;

  /** `say` gets the fields of the last one, and the count as `failures`. `most`: how often it is said in ten seconds. */
  constructor(time: { readonly nowMs: number }, say: (fields: object) => void, most = 1) {
    this.#time = time;
    this.#say = say;
    this.#most = most;
  }

  warn(fields: object): void {
    this.#failures++;
    const { nowMs } = this.#time;
    if (nowMs - this.#sinceMs >= QUIET_MS) {
      this.#sinceMs = nowMs;
      this.#said = 0;
    }
    if (this.#said === this.#most) return;
    this.#said++;
    this.#say({ ...fields, failures: this.#failures });
    this.#failures = 0;
  }
}

/** So long a warning is not said again, in milliseconds. */
const QUIET_MS = 10_000;

/** A warning that may be due for every connection: it is said a few times in ten seconds at most, with how often it was due since then. */
export class RepeatedWarning {
  readonly #log: (fields: object) => void;
  readonly #time: { readonly nowMs: number };
  readonly #most: number;
  /** When the ten seconds began in which `logged` counts. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  #logged = 0;
  #failures = 0;

  /** `log` gets the fields of the last warning, and the count as `failures`. `most`: how many are logged in ten seconds. */
  constructor(time: { readonly nowMs: number }, log: (fields: object) => void, most = 1) {
    this.#time = time;
    this.#log = log;
    this.#most = most;
  }

  warn(fields: object): void {
    this.#failures++;
    const { nowMs } = this.#time;
    if (nowMs - this.#sinceMs >= QUIET_MS) {
      this.#sinceMs = nowMs;
      this.#logged = 0;
    }
    if (this.#logged === this.#most) return;
    this.#logged++;
    this.#log({ ...fields, failures: this.#failures });
    this.#failures = 0;
  }
}

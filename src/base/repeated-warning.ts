/** So long a warning is not said again, in milliseconds. */
const QUIET_MS = 10_000;

/** A warning that may be due for every connection: it is said at most every ten seconds, with how often it was due since then. */
export class RepeatedWarning {
  readonly #say: (fields: object) => void;
  readonly #time: { readonly nowMs: number };
  #saidMs = Number.NEGATIVE_INFINITY;
  #failures = 0;

  /** `say` gets the fields of the last one, and the count as `failures`. */
  constructor(time: { readonly nowMs: number }, say: (fields: object) => void) {
    this.#time = time;
    this.#say = say;
  }

  warn(fields: object): void {
    this.#failures++;
    const { nowMs } = this.#time;
    if (nowMs - this.#saidMs < QUIET_MS) return;
    this.#saidMs = nowMs;
    this.#say({ ...fields, failures: this.#failures });
    this.#failures = 0;
  }
}

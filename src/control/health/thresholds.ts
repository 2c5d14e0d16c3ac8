/** How many checks in a row say the opposite before it is believed. */
export interface ThresholdLimits {
  readonly failureThreshold: number;
  readonly successThreshold: number;
}

/**
 *              failureThreshold failures in a row
 *   healthy -----------------------------------------> unhealthy
 *      ^                                                   |
 *      +---------------------------------------------------+
 *              successThreshold successes in a row
 *
 * A check that agrees with the state starts the count anew: what flips it has to come in one row.
 */
export class Thresholds {
  readonly #limits: ThresholdLimits;
  #healthy: boolean;
  /** Checks in a row that disagreed with the state. */
  #against = 0;

  constructor(limits: ThresholdLimits, healthy: boolean) {
    this.#limits = limits;
    this.#healthy = healthy;
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  /** Counts a check; true when the state has flipped with it. */
  count(passed: boolean): boolean {
    if (passed === this.#healthy) {
      this.#against = 0;
      return false;
    }
    this.#against++;
    if (this.#against < (passed ? this.#limits.successThreshold : this.#limits.failureThreshold)) return false;
    this.#healthy = passed;
    this.#against = 0;
    return true;
  }
}

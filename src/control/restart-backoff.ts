const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;

/** A worker that lived this long was healthy: its death starts the count anew. */
const HEALTHY_LIFE_MS = 10_000;

/**
 * How long to wait before a dead worker is replaced. The first death costs nothing; deaths in quick succession wait
 * 100 ms, 200 ms, 400 ms and so on, up to 10 s, so that a worker that cannot live does not eat the machine.
 */
export class RestartBackoff {
  #quickDeaths = 0;

  /** The pause in ms after a life of `livedMs`. */
  delayAfterMs(livedMs: number): number {
    this.#quickDeaths = livedMs >= HEALTHY_LIFE_MS ? 1 : this.#quickDeaths + 1;
    return this.#quickDeaths === 1 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.#quickDeaths - 2), LONGEST_DELAY_MS);
  }
}

/** In so many steps the time of a deadline is counted. */
const STEPS = 20;

/**
 * Says when something takes too long. The time is counted in steps of this thread: when the process was stopped, or the machine slept, a
 * step was longer, and no one is blamed for it.
 */
export class Deadline {
  readonly #timer: NodeJS.Timeout;
  #left = STEPS;
  /** It has neither expired nor ended. */
  isRunning = true;

  /** `expired` is called once, unless `end` is called before. */
  constructor(limitMs: number, expired: () => void) {
    this.#timer = setInterval(() => {
      this.#left -= 1;
      if (this.#left > 0) return;
      this.end();
      expired();
    }, limitMs / STEPS);
    this.#timer.unref();
  }

  /** There is progress: the whole time is left again. */
  restart(): void {
    this.#left = STEPS;
  }

  end(): void {
    this.isRunning = false;
    clearInterval(this.#timer);
  }
}

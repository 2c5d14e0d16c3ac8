/** Lets work that must not overlap be done one after the other, in the order in which it is asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as `work` does, which begins when all that was asked for before has ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Something with output that waits to be written. */
export interface Flushable {
  /** Writes what is pending. It may make more of them pending, itself included. */
  flush(): void;
}

/**
 * What was said to a connection during one event, or during several that came together, is written in one go at the end: a head and the
 * first bytes of its body leave with one system call, and so do the replies to requests that came pipelined.
 *
 *   pending   | written | written | waits | waits |
 *                                   ^next           ^end
 */
export class OutputBatch {
  readonly #pending: (Flushable | undefined)[] = [];
  #next = 0;
  #end = 0;

  add(flushable: Flushable): void {
    this.#pending[this.#end++] = flushable;
  }

  /** Flushes until nothing is pending, in the order in which they were added. What throws is out of the batch. */
  flush(): void {
    while (this.#next < this.#end) {
      const flushable = this.#pending[this.#next] as Flushable;
      this.#pending[this.#next++] = undefined;
      flushable.flush();
    }
    this.#next = 0;
    this.#end = 0;
  }
}

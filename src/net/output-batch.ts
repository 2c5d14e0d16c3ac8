/** An object with output that waits to be written. */
export interface Flushable {
  /** Writes its pending output. That may make other outputs pending, itself included. */
  flush(): void;
}

/**
 * The output to a connection during one event, or during several that came together, is written at once at the end: a head and the first
 * bytes of its body leave with one system call, and so do the replies to pipelined requests.
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

  /** Flushes until nothing is pending, in the order in which they were added. An output that throws is out of the batch. */
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

/** Something with output that waits to be written. */
export interface Flushable {
  /** Writes what is pending. It may make more of them pending, itself included. */
  flush(): void;
}

/**
 * What was said to a connection during one event is written in one go at its end: a head and the first bytes of its body leave
 * with one system call, and so do the replies to requests that came pipelined.
 */
export class OutputBatch {
  readonly #pending: Flushable[] = [];

  add(flushable: Flushable): void {
    this.#pending.push(flushable);
  }

  /** Flushes until nothing is pending. */
  flush(): void {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) next.flush();
  }
}

/**
 * The place where a backend of a configuration is found while its servers change, because names stand for other addresses. A route that
 * still has an old backend finds the current one here, and keeps none of those in between in memory.
 *
 *   old backend ------+
 *                     +--> reference --> current backend
 *   current backend --+
 */
export class BackendReference<B> {
  #current: B | null = null;

  /** The backend that serves; null: none has served yet. */
  get current(): B | null {
    return this.#current;
  }

  /** Makes `next` the current backend. Returns the one before. */
  replace(next: B): B | null {
    const before = this.#current;
    this.#current = next;
    return before;
  }
}

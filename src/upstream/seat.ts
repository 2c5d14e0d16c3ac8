/**
 * The place of a backend, over changes of its servers: names stand for other addresses, and the configuration is the same. Whoever
 * still has the backend from before finds the one that has taken its place, and keeps none of those in between in memory.
 *
 *   backend of yesterday --+
 *                          +--> seat --> backend of today
 *   backend of today ------+
 */
export class Seat<B> {
  #holder: B | null = null;

  /** Who has it now; null: nobody has served yet. */
  get holder(): B | null {
    return this.#holder;
  }

  /** Returns who had it before. */
  take(next: B): B | null {
    const before = this.#holder;
    this.#holder = next;
    return before;
  }
}

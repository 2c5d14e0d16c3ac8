/**
 *   new --prepare()--> preparing --it resolves--> prepared --commit()--> committed --finish()--> finished
 *                          \                         \--abandon()--> abandoned
 *                           \--it rejects--> failed
 */
type ChangeState = 'new' | 'preparing' | 'prepared' | 'committed' | 'finished' | 'abandoned' | 'failed';

/** Which states may follow each state. */
const FOLLOWING: Readonly<Record<ChangeState, readonly ChangeState[]>> = {
  new: ['preparing'],
  preparing: ['prepared', 'failed'],
  prepared: ['committed', 'abandoned'],
  committed: ['finished'],
  finished: [],
  abandoned: [],
  failed: [],
};

/**
 * One part of what changes with a configuration: its listeners, its certificates, its workers. `runTransaction` runs several of them.
 *
 * Invariant: a change is prepared once; if that succeeds, it is either committed and then finished, or abandoned. A call out of this order
 * throws an Error and does nothing else.
 */
export abstract class Change {
  #state: ChangeState = 'new';

  /** Makes the change ready; what is served stays the same. Rejects if it cannot be made, and then nothing is left of it. */
  async prepare(): Promise<void> {
    this.#enter('preparing');
    try {
      await this.onPrepare();
    } catch (error) {
      this.#enter('failed');
      throw error;
    }
    this.#enter('prepared');
  }

  /** Goes over to what was prepared. It cannot fail. A promise resolves when nothing uses what was served before. */
  commit(): void | Promise<void> {
    this.#enter('committed');
    return this.onCommit();
  }

  /** Releases what was served before. All parts of the transaction are committed by then, and their promises have resolved. */
  finish(): void {
    this.#enter('finished');
    this.onFinish();
  }

  /** Releases what was prepared. */
  async abandon(): Promise<void> {
    this.#enter('abandoned');
    await this.onAbandon();
  }

  protected abstract onPrepare(): void | Promise<void>;
  protected abstract onCommit(): void | Promise<void>;
  protected onFinish(): void {}
  protected onAbandon(): void | Promise<void> {}

  #enter(state: ChangeState): void {
    if (!FOLLOWING[this.#state].includes(state)) {
      throw new Error(`${this.constructor.name} is ${this.#state}, and cannot be ${state}`);
    }
    this.#state = state;
  }
}

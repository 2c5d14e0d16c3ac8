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

/** How one part of the gateway changes. `Prepared` is what it has ready for the commit. */
export interface ChangeSteps<Prepared> {
  /** Makes it ready; what is served stays the same. Throws or rejects if that cannot be done, and then leaves nothing behind. */
  prepare(): Prepared | Promise<Prepared>;
  /** Goes over to it. It cannot fail. A promise resolves when nothing uses any more what was served before. */
  commit(prepared: Prepared): void | Promise<void>;
  /** Releases what was served before. Every part of the transaction is committed by then, and their promises have resolved. */
  finish?(prepared: Prepared): void;
  /** Releases what was prepared. */
  abandon?(prepared: Prepared): void | Promise<void>;
}

/**
 * One part of what changes with a configuration: its listeners, its certificates, its workers. `runTransaction` runs several of them.
 *
 * Invariant: a change is prepared once; if that succeeds, it is either committed and then finished, or abandoned. A call out of this order
 * throws an Error and does nothing else.
 */
export class Change<Prepared = unknown> {
  readonly #name: string;
  readonly #steps: ChangeSteps<Prepared>;
  #state: ChangeState = 'new';
  #prepared: Prepared | null = null;

  /** `name`: what changes, for the messages of errors. */
  constructor(name: string, steps: ChangeSteps<Prepared>) {
    this.#name = name;
    this.#steps = steps;
  }

  /** What is ready for the commit. Throws an Error before the change is prepared. */
  get prepared(): Prepared {
    if (this.#state === 'new' || this.#state === 'preparing' || this.#state === 'failed') {
      throw new Error(`the change of ${this.#name} is ${this.#state}, and has nothing ready`);
    }
    // Sound: every other state comes after `prepare` has set it.
    return this.#prepared as Prepared;
  }

  async prepare(): Promise<void> {
    this.#enter('preparing');
    try {
      this.#prepared = await this.#steps.prepare();
    } catch (error) {
      this.#enter('failed');
      throw error;
    }
    this.#enter('prepared');
  }

  commit(): void | Promise<void> {
    this.#enter('committed');
    return this.#steps.commit(this.prepared);
  }

  finish(): void {
    this.#enter('finished');
    this.#steps.finish?.(this.prepared);
  }

  async abandon(): Promise<void> {
    this.#enter('abandoned');
    await this.#steps.abandon?.(this.prepared);
  }

  #enter(state: ChangeState): void {
    if (!FOLLOWING[this.#state].includes(state)) {
      throw new Error(`the change of ${this.#name} is ${this.#state}, and cannot be ${state}`);
    }
    this.#state = state;
  }
}

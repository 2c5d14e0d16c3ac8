import type { HashAnswer, HashRequest, PasswordHasher } from '../../src/control/password-hasher.ts';
import { PasswordQueue } from '../../src/control/password-queue.ts';
import type { PasswordDesk } from './gateway.ts';
import type { ManualClock } from './manual-clock.ts';

type Plane = Parameters<PasswordDesk['ask']>[0];

/** What the control thread does about passwords, for data planes of this process; the test says how each hash comes out. */
export class PasswordOffice implements PasswordDesk {
  readonly queue: PasswordQueue;
  /** All that was hashed, or is to be. */
  readonly requests: HashRequest[] = [];
  readonly events: string[] = [];
  starts = 0;
  #planes = new Map<number, Plane>();
  #answer: (answer: HashAnswer) => void = () => {};
  #gone = Promise.withResolvers<string>();
  #hashNow: ((request: HashRequest) => boolean) | null;

  /** Without `hashNow` every hash waits for `answer`. */
  constructor(hashNow: ((request: HashRequest) => boolean) | null = null, clock?: ManualClock) {
    this.#hashNow = hashNow;
    const note = (event: string) => void this.events.push(event);
    const log = { info: note, warn: note, error: note, fatal: note };
    this.queue = new PasswordQueue(log as never, (row, answer) => this.#planes.get(row)?.answerPassword(answer), {
      start: (answer) => this.#start(answer),
      ...(clock === undefined ? {} : { clock }),
    });
    this.queue.use(true);
  }

  get memory(): SharedArrayBuffer {
    return this.queue.memory;
  }

  ask(plane: Plane, row: number, question: Parameters<PasswordDesk['ask']>[2]): void {
    this.#planes.set(row, plane);
    // As a message would come: later.
    setImmediate(() => this.queue.ask(row, question));
  }

  /** The hash that waits comes out like this. */
  answer(holds: boolean): void {
    this.#answer({ holds, failure: null });
  }

  /** The thread ends. */
  die(): void {
    this.#gone.resolve('it was shot');
  }

  #start(answer: (answer: HashAnswer) => void): PasswordHasher {
    this.starts++;
    this.#answer = answer;
    this.#gone = Promise.withResolvers<string>();
    const hash = (request: HashRequest): void => {
      this.requests.push(request);
      const now = this.#hashNow;
      if (now !== null) setImmediate(() => answer({ holds: now(request), failure: null }));
    };
    return { gone: this.#gone.promise, hash, end: () => this.#gone.resolve('ended') };
  }
}

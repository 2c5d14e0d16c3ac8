import { PhotonError } from '../base/errors.ts';
import { FieldGroup } from '../base/field-group.ts';
import { MAX_WAITING_PASSWORDS, PasswordQueueState } from '../memory/password-queue.ts';
import type { PasswordAnswer } from '../messages/to-worker.ts';
import type { PasswordChecks, PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { RecentDigests } from '../middleware/auth/basic/recent-digests.ts';

/**
 * Passwords in one worker, which hashes none: it asks the control thread, each question once however many requests wait for it, and
 * remembers what was right.
 */
export class WorkerPasswords implements PasswordChecks {
  readonly #nowMs: () => number;
  readonly #post: (question: PasswordQuestion) => void;
  readonly #queue: PasswordQueueState;
  readonly #known = new RecentDigests();
  readonly #asked = new Map<string, PromiseWithResolvers<boolean>>();

  /** Every question that is posted is answered with `answer`. `queue` is of `PasswordQueueState.allocate`. */
  constructor(nowMs: () => number, queue: SharedArrayBuffer, post: (question: PasswordQuestion) => void) {
    this.#nowMs = nowMs;
    this.#queue = new PasswordQueueState(queue);
    this.#post = post;
  }

  isKnown(digest: string): boolean {
    return this.#known.untilOf(digest, this.#nowMs()) !== 0;
  }

  check(question: PasswordQuestion): Promise<boolean> {
    const asked = this.#asked.get(question.digest);
    if (asked !== undefined) return asked.promise;
    // Our own are counted too: they may not have been seen yet where the queue is.
    if (this.#queue.isFull || this.#asked.size > MAX_WAITING_PASSWORDS) throw this.#busy();
    const answer = Promise.withResolvers<boolean>();
    this.#asked.set(question.digest, answer);
    this.#post(question);
    return answer.promise;
  }

  answer({ digest, verdict, untilMs }: PasswordAnswer): void {
    const asked = this.#asked.get(digest);
    this.#asked.delete(digest);
    if (verdict === 'right') this.#known.put(digest, untilMs);
    if (verdict === 'right' || verdict === 'wrong') asked?.resolve(verdict === 'right');
    else asked?.reject(verdict === 'full' ? this.#busy() : unavailable());
  }

  #busy(): PhotonError {
    const seconds = this.#queue.retryAfterSeconds;
    const detail = `Too many passwords wait to be checked. Come again in ${seconds} s.`;
    return new PhotonError('authentication_unavailable', detail, new FieldGroup([['Retry-After', String(seconds)]]));
  }
}

const unavailable = (): PhotonError =>
  new PhotonError('authentication_unavailable', 'Passwords cannot be checked at the moment.');

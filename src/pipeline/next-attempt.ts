import type { PhotonError } from '../base/errors.ts';
import { isIdempotent } from '../http/methods.ts';
import { type Attempt, PROGRESS } from './attempt.ts';

/** What may follow a failed attempt. */
export const NEXT = {
  /** Nothing: the client gets the failure. */
  NONE: 0,
  /** The same upstream on a new connection, at once. */
  NEW_CONNECTION: 1,
  /** Another upstream, after a pause. */
  ANOTHER: 2,
} as const;

export type Next = (typeof NEXT)[keyof typeof NEXT];

/** The facts about a request that decide whether it may be sent again. */
export interface Repeatable {
  readonly method: string;
  /** All of its body that has come is kept. */
  readonly bodyKept: boolean;
  readonly retriedOnNewConnection: boolean;
  /** How many retries its route still allows. */
  readonly retriesLeft: number;
}

/**
 * Decides what may follow a failed attempt. The budget of retries is asked by the caller.
 *
 * A connection from the pool may have been dead for a while without our knowing: then the request is sent once more on a new one, which
 * counts neither as a retry nor against their budget. Every other attempt after the first does.
 *
 * RFC 9110 9.2.2: a request is repeated only when its method is idempotent, or when nothing of it was sent, and here only if all of its
 * body that has come is still kept. A POST may have taken effect although no reply came: its client has to decide. An interim reply that
 * was passed on counts as a part of the reply, and so does a head that a response hook has seen.
 */
export function nextAttempt({ progress, onDeadConnection }: Attempt, error: PhotonError, request: Repeatable): Next {
  if (progress > PROGRESS.SENT || !request.bodyKept) return NEXT.NONE;
  if (progress !== PROGRESS.UNSENT && !isIdempotent(request.method)) return NEXT.NONE;
  const isDead = onDeadConnection && error.code === 'upstream_reset';
  if (isDead && !request.retriedOnNewConnection) return NEXT.NEW_CONNECTION;
  return error.retryable && request.retriesLeft > 0 ? NEXT.ANOTHER : NEXT.NONE;
}

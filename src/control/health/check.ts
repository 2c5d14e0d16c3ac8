/** Hears how a check goes. */
export interface CheckListener {
  /** How it went: why the upstream is not well, or null. At most once in a check, and before its end. */
  checkJudged(failure: string | null): void;
  /** The check is over, said exactly once in each that is not abandoned. */
  checkOver(ending: CheckEnding): void;
}

/**
 * - `kept`: the connection can serve the next check
 * - `closed`: it is gone
 * - `stale`: it is gone, and was so before anything was asked: the server gave up an idle connection, as it may
 * - `starved`: it did not come about for want of descriptors or ports of our own, which says nothing about the upstream
 */
export type CheckEnding = 'kept' | 'closed' | 'stale' | 'starved';

/** A check under way, which began when this was made. */
export interface Check {
  /** Whether another one can be asked for here. */
  readonly idle: boolean;
  /** Begins with the next one. */
  ask(): void;
  /** Time is over: whoever has not passed yet has failed. */
  expire(timeoutMs: number): void;
  /** Ends it; nothing more is said. */
  abandon(): void;
}

/** What the system says when it is we who have nothing to connect with. */
export const OWN_FAULTS: ReadonlySet<string | null> = new Set([
  'EMFILE',
  'ENFILE',
  'EADDRNOTAVAIL',
  'ENOBUFS',
  'ENOMEM',
]);

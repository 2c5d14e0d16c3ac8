import type { Change } from './change.ts';

/** What a transaction is given to work with. */
export interface TransactionContext {
  /** Gives the changes up until the first commit. Its reason is then the error of the transaction. */
  readonly stopping?: AbortSignal;
  /** Reports the error of an `abandon`, which the error of the transaction would hide. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Makes all of these changes, or none of them.
 *
 *   prepare 1 --> prepare 2 --> ... --> commit 1, 2, ... --> wait until all are over --> finish 1, 2, ...
 *           \________________\_____ error, or stopping --> abandon ..., 2, 1 --> reject
 *
 * Each is prepared when those before it are prepared, so that it can use what they have prepared. Nothing is waited for between the last
 * `prepare` and the commits, nor between two commits.
 *
 * Rejects with the first error of a `prepare`; then those that were prepared are abandoned, the last one first, also if an `abandon` throws.
 * A `commit` or `finish` cannot fail. If one does, that is a fault of the program. The workers cannot go back, therefore all others are
 * committed and finished, and the transaction rejects with the first error after that.
 */
export async function runTransaction(changes: readonly Change[], context: TransactionContext): Promise<void> {
  await prepareAll(changes, context);
  const faults: unknown[] = [];
  const note = (fault: unknown) => {
    faults.push(fault);
  };
  const commits = changes.map((change) => attempt(() => change.commit(), note));
  await Promise.all(commits);
  for (const change of changes) void attempt(() => change.finish(), note);
  if (faults.length > 0) throw faults[0];
}

async function prepareAll(changes: readonly Change[], { stopping, onFault }: TransactionContext): Promise<void> {
  const prepared: Change[] = [];
  try {
    stopping?.throwIfAborted();
    for (const change of changes) {
      await change.prepare();
      prepared.push(change);
      stopping?.throwIfAborted();
    }
  } catch (error) {
    for (const change of prepared.toReversed()) await attempt(() => change.abandon(), onFault);
    // If the gateway stops, that is the reason, whatever error it has led to.
    stopping?.throwIfAborted();
    throw error;
  }
}

/** Begins `work` at once, and never rejects. */
async function attempt(work: () => void | Promise<void>, onFault: (error: unknown) => void): Promise<void> {
  try {
    await work();
  } catch (error) {
    onFault(error);
  }
}

import { BreakerState } from './breaker-state.ts';
import { releasedBy } from './breaker-word.ts';
import { clearWorkerRow, type SharedMemory } from './shared-memory.ts';

/**
 * Forgets what a dead worker counted, and releases its claims of circuit breakers. Only the control thread calls it,
 * before it starts the next worker on the row.
 */
export function forgetDeadWorker(shared: SharedMemory, row: number): void {
  clearWorkerRow(shared, row);
  for (let number = 0; number < shared.upstreams; number++) {
    const breaker = new BreakerState({ memory: shared, number }, row);
    // The sums of all rows have changed: the counts at the beginning of the window are no base any more.
    breaker.forgetWindow();
    releaseClaim(breaker);
  }
}

function releaseClaim(breaker: BreakerState): void {
  let word = breaker.word;
  while (!breaker.swap(word, releasedBy(word, breaker.row))) word = breaker.word;
}

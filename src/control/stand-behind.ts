import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** The argument of a process that says: others are being served, and go first. */
export const BEHIND = '--behind';

/**
 * This process waits for others, without waiting for ever where they take all: it gets a tenth beside one that is busy. Linux has a
 * priority for each thread, and other systems one for the process.
 */
export function standBehind(): void {
  try {
    for (const thread of threads()) setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Then it takes its share like any other.
  }
}

function threads(): readonly number[] {
  return process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [process.pid];
}

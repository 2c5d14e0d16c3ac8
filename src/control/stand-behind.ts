import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** The argument of a process that says: others are being served, and go first. */
export const BEHIND = '--behind';

/** This process takes what others leave of the processors. Linux has a priority for each thread, and the others one for the process. */
export function standBehind(): void {
  try {
    for (const thread of threads()) setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch {
    // Then it takes its share.
  }
}

function threads(): readonly number[] {
  return process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [process.pid];
}

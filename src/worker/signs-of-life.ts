import { readlinkSync } from 'node:fs';
import { SharedCount, type SharedMemory } from '../memory/shared-memory.ts';

/** How often the control thread gets a sign of life, in milliseconds. */
const BEAT_MS = 100;

/** From here on the control thread sees whether this thread's event loop turns, and what the system does with the thread. */
export function giveSignsOfLife(shared: SharedMemory, row: number): void {
  SharedCount.threadNumber(shared, row).publish(ownNumber());
  const beats = SharedCount.beats(shared, row);
  beats.publish(1);
  setInterval(() => beats.add(1), BEAT_MS).unref();
}

/** Linux says it: `PID/task/NUMBER`. */
function ownNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/')[2] ?? 0);
  } catch {
    return 0;
  }
}

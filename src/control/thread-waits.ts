import { readFileSync } from 'node:fs';

/**
 * For how long a thread of this process has waited for a processor, in milliseconds, since it began; 0 where the system does not say. `number`: the
 * system's, or 0. Linux counts it in the second field of schedstat, in nanoseconds (proc(5); Documentation/scheduler/sched-stats.rst).
 */
export function waitedForProcessorMs(number: number): number {
  if (number === 0) return 0;
  try {
    return Number(readFileSync(`/proc/self/task/${number}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}

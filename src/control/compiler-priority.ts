import { readdirSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** A reload of ten thousand routes takes less: only a configuration that is unusually large, or never ends, gets here. */
const USUAL_CPU_MS = 2000;
const LOOK_EVERY_MS = 100;
/** Linux counts the CPU time of a process in hundredths of a second (proc_pid_stat(5), USER_HZ). */
const MS_PER_TICK = 10;

/**
 * Lowers the priority of a process once it has used two seconds of CPU time. Until then it has its share of a busy machine, so that a
 * reload is quick there too; after that it gets a tenth beside a busy process, and the workers go first. It cannot start low and be
 * raised later: raising needs root. The process cannot do this itself: a timer of its own never runs while it computes.
 *
 * Returns how to stop watching.
 */
export function lowerPriorityWhenLong(pid: number): () => void {
  const startedMs = performance.now();
  const timer = setInterval(() => {
    if ((cpuMsOf(pid) ?? performance.now() - startedMs) < USUAL_CPU_MS) return;
    clearInterval(timer);
    lowerPriority(pid);
  }, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

/** CPU time of all threads of a process, in milliseconds; null where the system does not say. */
function cpuMsOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, which may have blanks, is in brackets; user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return null;
  }
}

/** Linux has a priority for each thread, and other systems one for the process. */
function lowerPriority(pid: number): void {
  try {
    for (const thread of threadsOf(pid)) setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended, or takes its share like any other.
  }
}

function threadsOf(pid: number): readonly number[] {
  return process.platform === 'linux' ? readdirSync(`/proc/${pid}/task`).map(Number) : [pid];
}

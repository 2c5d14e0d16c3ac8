import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { sep } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * What a test file leaves behind. Each file has a temporary directory of its own, and `TMPDIR` names it in the
 * environment of the file's process and of all processes below it. So a process can be told even when the process
 * that started it is gone.
 */

/** Until then a process that is about to end may do so: a compiler notices the death of its gateway in its own time. */
const ENDING_MS = Number(process.env['PHOTON_TEST_ENDING_MS'] ?? 20_000);
const LOOK_MS = 50;

interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended, or belongs to another user.
    return '';
  }
};

/** The processes whose temporary directory is `directory` or one below it. None where the system has no /proc. */
function processesIn(directory: string): readonly LeftProcess[] {
  const pids = existsSync('/proc/self') ? readdirSync('/proc').map(Number).filter(Number.isInteger) : [];
  const isWithin = (variable: string) =>
    variable === `TMPDIR=${directory}` || variable.startsWith(`TMPDIR=${directory}${sep}`);
  return pids
    .filter((pid) => textOf(`/proc/${pid}/environ`).split('\0').some(isWithin))
    .map((pid) => ({ pid, command: textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }));
}

function endProcess({ pid }: LeftProcess): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Ends all processes of the directory, and those that they start meanwhile, then removes it. */
export async function removeAll(directory: string): Promise<void> {
  const startMs = performance.now();
  for (let left = processesIn(directory); left.length > 0; left = processesIn(directory)) {
    if (performance.now() - startMs > ENDING_MS) {
      break;
    }
    left.forEach(endProcess);
    await pause(LOOK_MS);
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
}

/** Waits for processes that are about to end, then removes what a test file has left and says what it was. */
export async function removeLeftovers(directory: string): Promise<readonly string[]> {
  const startMs = performance.now();
  while (processesIn(directory).length > 0 && performance.now() - startMs < ENDING_MS) {
    await pause(LOOK_MS);
  }
  const processes = processesIn(directory).map(({ pid, command }) => `process ${pid} (${command})`);
  const files = readdirSync(directory).map((name) => `${name} in the temporary directory`);
  await removeAll(directory);
  return [...processes, ...files];
}

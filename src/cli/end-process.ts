import type { ExitCode } from './exit-code.ts';

/**
 * Ends the process at once, whatever its threads do. `process.exit` waits for all of them, and one in a native call keeps it waiting for as
 * long as that lasts; the threads of a process end when another program takes its place, and that one ends with the code.
 */
export function endProcess(code: ExitCode): never {
  try {
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exitCode = ${code}`], {});
  } catch {
    // The program may be gone from the disk.
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('the process has ended');
}

import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Writes this process's id. Throws when the file cannot be written. */
export function writePidFile(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    throw new Error(`Cannot write the pid file ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Removes the file, unless another instance has written its own id there in the meantime. */
export function removePidFile(path: string): void {
  try {
    if (readFileSync(path, 'utf8') === `${process.pid}\n`) {
      rmSync(path);
    }
  } catch {
    // It is gone already, or not ours to touch: nothing is left to do for a process that ends.
  }
}

/** The micro-benchmarks: every file of bench/micro, each in a process of its own, which prints its figures itself. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, 'micro');

/** Runs all of them, or those whose name contains `part`. @returns the exit code */
export function runMicro(part = ''): number {
  const names = readdirSync(directory).filter((name) => name.endsWith('.ts') && name.includes(part));
  if (names.length === 0) throw new Error(`Cannot run micro: want a file of bench/micro with "${part}" in its name`);
  let worst = 0;
  for (const name of names.sort()) {
    process.stdout.write(`\n# ${name}\n`);
    const { status } = spawnSync(process.execPath, ['--expose-gc', join(directory, name)], { stdio: 'inherit' });
    worst = Math.max(worst, status ?? 1);
  }
  return worst;
}

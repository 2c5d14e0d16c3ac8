/**
 * A process that compiles one configuration and ends: reading ten thousand routes takes half a second and half a gigabyte, and what a
 * configuration written in TypeScript loads stays loaded for as long as its process lives.
 */
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { BEHIND } from './compiler.ts';

process.title = 'photon-compiler';
if (process.argv.includes(BEHIND)) standBehind();
// They are meant for the gateway, and reach the whole group of a terminal: whether it goes on is the gateway's decision.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// The gateway is gone.
process.on('disconnect', () => process.exit());
// Loaded now, for a file that may be named at any time.
const compiling = import('./compile.ts');
process.once('message', async (file: string) => process.send?.(await (await compiling).compile(file)));

/** Takes what the threads that serve leave of the processors. Linux has a priority for each thread, and the others one for the process. */
function standBehind(): void {
  try {
    for (const thread of threads()) setPriority(thread, constants.priority.PRIORITY_LOW);
  } catch {
    // Then it takes its share.
  }
}

function threads(): readonly number[] {
  return process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [process.pid];
}

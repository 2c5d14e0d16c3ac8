import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Failure } from './failures.ts';

/** A step that reads the source instead of running it. */
export interface Check {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
}

export const CHECKS: readonly Check[] = [
  { name: 'format', command: ['biome', 'format', '.'] },
  { name: 'lint', command: ['biome', 'check', '--formatter-enabled=false', '--error-on-warnings', '.'] },
  { name: 'types', command: ['npm', 'run', '--silent', 'types'] },
  { name: 'import-rules', command: ['npm', 'run', '--silent', 'import-rules'] },
  { name: 'dead-code', command: ['npm', 'run', '--silent', 'dead-code'] },
];

interface CheckPlace {
  readonly root: string;
  /** The temporary directory of the run. */
  readonly directory: string;
  readonly interrupted: AbortSignal;
}

/** Runs a check and prints what it says if it fails. Null when it passes. */
export async function runCheck({ name, command }: Check, place: CheckPlace): Promise<Failure | null> {
  const { root, directory, interrupted } = place;
  const [program, ...args] = command;
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: interrupted,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const status = await once(child, 'close').then(
    ([code]) => code as number | null,
    (error: Error) => {
      output += error.message;
      return null;
    },
  );
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (status === 0) {
    console.log(`=== ${name}: ${seconds} s`);
    return null;
  }
  console.log(`${output}\n=== ${name}: failed (${command.join(' ')})`);
  return { name, place: null, reason: 'Its output is above.', command: `npm test -- ${name}` };
}

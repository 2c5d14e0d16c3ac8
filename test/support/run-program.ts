import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface ProgramResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with `input` on its standard input. It never blocks this process's event loop. */
export async function runProgram(program: string, args: readonly string[], input?: Readable): Promise<ProgramResult> {
  const child = spawn(program, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  const { promise: exit, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('close', resolve).once('error', reject);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A program that has heard enough closes its input early: its exit code says whether that was right.
  if (input !== undefined && child.stdin !== null) await pipeline(input, child.stdin).catch(() => {});
  return { exitCode: await exit, stdout: await stdout, stderr: await stderr };
}

async function collect(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

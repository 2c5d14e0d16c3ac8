import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** What changes whenever a file is written, replaced, or another one is linked in its place. */
function describe({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** What files are like at some moment, by their names; to be compared with what they are like at another one. */
export type FileStates = ReadonlyMap<string, string>;

const describeAbsence = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/** The state of files as one text, to be compared with another one. */
export async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(files.map((file) => stat(file).then(describe, describeAbsence)));
  return joined(files.map((file, index) => [file, states[index] as string]));
}

export function stateNow(files: readonly string[]): string {
  return joined(statesNow(files));
}

export function statesNow(files: readonly string[]): FileStates {
  return new Map(files.map((file) => [file, describeNow(file)]));
}

/** The same text as `stateOf` gives for the same files in the same order. */
export function joined(states: Iterable<readonly [file: string, state: string]>): string {
  return Array.from(states, ([file, state]) => `${file} ${state}`).join('\n');
}

function describeNow(file: string): string {
  try {
    return describe(statSync(file));
  } catch (error) {
    return describeAbsence(error);
  }
}

import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** What changes whenever a file is written, replaced, or another one is linked in its place. */
function describe({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

const describeAbsence = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/** The state of files as one text, to be compared with another one. */
export async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(files.map((file) => stat(file).then(describe, describeAbsence)));
  return states.map((state, index) => `${files[index]} ${state}`).join('\n');
}

export function stateNow(files: readonly string[]): string {
  return files.map((file) => `${file} ${describeNow(file)}`).join('\n');
}

function describeNow(file: string): string {
  try {
    return describe(statSync(file));
  } catch (error) {
    return describeAbsence(error);
  }
}

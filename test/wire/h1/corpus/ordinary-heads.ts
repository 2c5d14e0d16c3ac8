import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A request head as an ordinary client sends it. */
export interface OrdinaryHead {
  /** Whose it is. */
  readonly name: string;
  /** One character a byte, with CRLF and the empty line. */
  readonly text: string;
}

const FOLDER = join(import.meta.dirname, 'heads');

/**
 * The heads in `heads/*.http`, where `###` and a name stand before each. In the files lines end in LF; bytes above ASCII are
 * as they would be sent.
 */
export function ordinaryHeads(): readonly OrdinaryHead[] {
  return globSync('*.http', { cwd: FOLDER })
    .sort()
    .flatMap((file) => readFileSync(join(FOLDER, file), 'latin1').split(/^### /m).slice(1).map(toHead));
}

function toHead(section: string): OrdinaryHead {
  const [name = '', ...lines] = section.split('\n');
  const empty = lines.indexOf('');
  return { name, text: `${lines.slice(0, empty).join('\r\n')}\r\n\r\n` };
}

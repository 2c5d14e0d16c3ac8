import { hash } from 'node:crypto';
import { parsePasswordHash } from '../base/password-hash.ts';
import type { UserFile } from './config.ts';
import { errorAt, type Finding, quote } from './finding.ts';
import { readTextFile } from './read-text-file.ts';
import { isUserName, userNameWanted } from './schema/middleware/basic.ts';
import type { SourceSet } from './source-set.ts';
import { SourceText, type Span } from './source-text.ts';

/** About fourteen thousand users. */
const MAX_USER_FILE_BYTES = 1024 * 1024;

/** A file of something else has a fault in every line. */
const MAX_FINDINGS = 20;

interface Line {
  readonly text: string;
  /** In the source as a whole. */
  readonly start: number;
}

/** A file of users and what is wrong with it. */
export interface ReadUserFile extends UserFile {
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** Where each user stands. */
  readonly places: ReadonlyMap<string, Span>;
  /** Where hashes stand, or what may be passwords, in the lines that findings are about. */
  readonly secrets: readonly Span[];
}

/**
 * Reads a file as `htpasswd` makes it, a line `name:hash` for each user, with empty lines and comments (`#`) between them. The file is
 * added to `sources`, so that faults have their place in it.
 *
 * @throws UnreadableFile
 */
export function readUserFile(path: string, sources: SourceSet): ReadUserFile {
  const text = readTextFile(path, MAX_USER_FILE_BYTES);
  const base = sources.add(new SourceText(path, text));
  const reader = new UserFileReader();
  for (const line of linesOf(text, base)) reader.read(line);
  const { users, findings, places, secrets } = reader;
  return { path, digest: hash('sha256', text), users: [...users], findings, places, secrets };
}

class UserFileReader {
  readonly users = new Map<string, string>();
  readonly places = new Map<string, Span>();
  readonly findings: Finding[] = [];
  readonly secrets: Span[] = [];

  read({ text, start }: Line): void {
    if (text === '' || text.startsWith('#') || this.findings.length >= MAX_FINDINGS) return;
    const colon = text.indexOf(':');
    const hashSpan = { start: start + colon + 1, end: start + text.length };
    const known = this.findings.length;
    this.#readLine(text, start, colon, hashSpan);
    // No other line is ever shown. One without a colon may be a password.
    if (this.findings.length > known) this.secrets.push(hashSpan);
  }

  #readLine(text: string, start: number, colon: number, hashSpan: Span): void {
    const name = text.slice(0, Math.max(0, colon));
    if (colon === -1) this.#refuse(hashSpan, 'this line: want name:hash');
    else this.#add(name, { start, end: start + colon }, text.slice(colon + 1), hashSpan);
  }

  #add(name: string, span: Span, hashText: string, hashSpan: Span): void {
    if (!isUserName(name)) this.#refuse(span, `this name: want ${userNameWanted}`);
    else if (this.users.has(name)) this.#refuseSecond(name, span);
    else this.#keep(name, span, hashText, hashSpan);
  }

  #keep(name: string, span: Span, hashText: string, hashSpan: Span): void {
    this.places.set(name, span);
    this.users.set(name, hashText);
    try {
      parsePasswordHash(hashText);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#refuse(hashSpan, `the hash of ${quote(name)}: want ${error.message}`);
    }
  }

  #refuse(span: Span, what: string): void {
    this.findings.push(errorAt('unusable-user', span, [], `Cannot use ${what}`));
  }

  #refuseSecond(name: string, span: Span): void {
    const first = this.places.get(name) ?? span;
    const finding = errorAt('duplicate-user', span, [], `Cannot have the user ${quote(name)} twice`);
    this.findings.push({ ...finding, other: { span: first, message: 'the first one' } });
  }
}

/** Lines end with LF or CR LF. Blanks alone are an empty line. */
function linesOf(text: string, base: number): readonly Line[] {
  let start = base;
  return text.split('\n').map((whole) => {
    const line = { text: whole.replace(/\r$/, '').replace(/^[ \t]+$/, ''), start };
    start += whole.length + 1;
    return line;
  });
}

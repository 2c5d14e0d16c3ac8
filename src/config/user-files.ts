import { resolve } from 'node:path';
import type { UserFile } from './config.ts';
import { type ConfigNode, childOf, formatPath, type Path } from './config-node.ts';
import { errorAt, type Finding, quote, warningAt } from './finding.ts';
import { UnreadableFile } from './read-text-file.ts';
import type { BuiltInOptions } from './schema/middleware/block.ts';
import type { SourceSet } from './source-set.ts';
import type { Span } from './source-text.ts';
import { type ReadUserFile, readUserFile } from './user-file.ts';

type Options = BuiltInOptions['authentication'];

/** The files of users that options of authentication name, each read once. */
export class UserFiles {
  readonly findings: Finding[] = [];
  readonly secrets: Span[] = [];
  /** Also of those that cannot be read: they may come into being. */
  readonly paths: string[] = [];
  readonly #sources: SourceSet;
  readonly #read = new Map<string, ReadUserFile | UnreadableFile>();
  /** By the options: thousands of routes may have the same. */
  readonly #completed = new Map<Options, Options>();

  constructor(sources: SourceSet) {
    this.#sources = sources;
  }

  get files(): readonly UserFile[] {
    return [...this.#read.values()].flatMap((file) =>
      file instanceof UnreadableFile ? [] : [{ path: file.path, digest: file.digest, users: file.users }],
    );
  }

  /** The options with the file that they name read, and its name made absolute. `node` is where they stand, at `path`. */
  complete(options: Options, node: ConfigNode, path: Path): Options {
    const { auth_type: type, basic } = options;
    const place = childOf(childOf(node, 'basic'), 'htpasswd');
    const isUsed = type === 'basic' || type === 'any';
    if (basic?.htpasswd === undefined || place === null || !isUsed) return options;
    const known = this.#completed.get(options);
    if (known !== undefined) return known;
    const htpasswd = resolve(this.#sources.directoryOf(place.span), basic.htpasswd);
    const completed = { ...options, basic: { ...basic, htpasswd } };
    this.#completed.set(options, completed);
    const file = this.#fileAt(htpasswd);
    if (file instanceof UnreadableFile) this.#reportUnreadable(file, basic.htpasswd, place, path);
    else this.#compare(file, childOf(childOf(node, 'basic'), 'users'), place, path);
    return completed;
  }

  #fileAt(path: string): ReadUserFile | UnreadableFile {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const file = this.#open(path);
    this.paths.push(path);
    this.#read.set(path, file);
    if (file instanceof UnreadableFile) return file;
    this.findings.push(...file.findings);
    this.secrets.push(...file.secrets);
    return file;
  }

  #open(path: string): ReadUserFile | UnreadableFile {
    try {
      return readUserFile(path, this.#sources);
    } catch (error) {
      if (error instanceof UnreadableFile) return error;
      throw error;
    }
  }

  #reportUnreadable({ code, message }: UnreadableFile, written: string, { span }: ConfigNode, path: Path): void {
    const at = [...path, 'basic', 'htpasswd'];
    this.findings.push(errorAt(code, span, at, `Cannot use ${formatPath(at)}: ${quote(written)} ${message}`));
  }

  /** Of two hashes for one user neither is the right one. */
  #compare(file: ReadUserFile, users: ConfigNode | null, { span }: ConfigNode, path: Path): void {
    const inline = users?.kind === 'mapping' ? users.entries : new Map<string, never>();
    for (const [name, { keySpan }] of inline) {
      const there = file.places.get(name);
      if (there === undefined) continue;
      const message = `Cannot have the user ${quote(name)} twice: also in the file of htpasswd`;
      const finding = errorAt('duplicate-user', keySpan, [...path, 'basic', 'users', name], message);
      this.findings.push({ ...finding, other: { span: there, message: 'the other one' } });
    }
    if (file.users.length > 0 || inline.size > 0 || file.findings.length > 0) return;
    const at = [...path, 'basic', 'htpasswd'];
    this.findings.push(
      warningAt('no-credentials', span, at, `Nobody passes ${formatPath(at)}: there is no user in it`),
    );
  }
}

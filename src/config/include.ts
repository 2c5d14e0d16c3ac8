import { globSync } from 'node:fs';
import { dirname, extname, isAbsolute, join, normalize, resolve } from 'node:path';
import { type ConfigNode, childOf, itemsOf, type Path, type ScalarNode } from './config-node.ts';
import { DocumentMerger } from './document-merger.ts';
import type { DiagnosticCode } from './finding.ts';
import { errorAt, type Finding, quote } from './finding.ts';
import { formatOf, parseText } from './parse-text.ts';
import { readTextFile, UnreadableFile } from './read-text-file.ts';
import { movedBy, type SourceSet } from './source-set.ts';
import { SourceText } from './source-text.ts';
import { type Environment, Substitution } from './substitute.ts';

const MAX_FILES = 1_000;

/** All included files together. */
const MAX_TOTAL_CHARS = 16 * 1024 * 1024;

/** A document with what its files say together. */
export interface IncludedDocument {
  readonly root: ConfigNode;
  readonly findings: readonly Finding[];
  /** What `include` says, as absolute paths. */
  readonly patterns: readonly string[];
}

/**
 * Reads the files that `include` names and merges their routes, backends and middleware into the document. Patterns are
 * relative to `file`, and the files of each come in the order of their names. What two files both define is an error.
 */
export function includeFiles(root: ConfigNode, file: string, env: Environment, sources: SourceSet): IncludedDocument {
  const list = childOf(root, 'include');
  if (root.kind !== 'mapping' || list === null) return { root, findings: [], patterns: [] };
  // The whole document is substituted when it is complete, and what fails here is reported then.
  const patterns = itemsOf(new Substitution(env, sources.directoryOf).apply(list, ['include']));
  const includer = new Includer(file, sources);
  for (const [index, pattern] of patterns.entries()) includer.include(pattern, ['include', index]);
  const merger = new DocumentMerger(root);
  for (const part of includer.parts) merger.add(part);
  return { root: merger.merged(), findings: [...includer.findings, ...merger.findings], patterns: includer.patterns };
}

class Includer {
  readonly findings: Finding[] = [];
  /** What each file brings in. */
  readonly parts: ConfigNode[] = [];
  readonly patterns: string[] = [];
  readonly #file: string;
  readonly #sources: SourceSet;
  readonly #seen: Set<string>;
  #chars = 0;

  constructor(file: string, sources: SourceSet) {
    this.#file = file;
    // A pattern may fit the file that it stands in.
    this.#seen = new Set([normalize(file)]);
    this.#sources = sources;
  }

  include(pattern: ConfigNode, path: Path): void {
    if (pattern.kind !== 'scalar' || typeof pattern.value !== 'string' || pattern.origin === 'unresolved') return;
    const directory = dirname(this.#file);
    this.patterns.push(resolve(directory, pattern.value));
    const isPattern = /[*?[{]/.test(pattern.value);
    const names = isPattern ? globSync(pattern.value, { cwd: directory }).toSorted() : [pattern.value];
    for (const name of names) {
      const file = isAbsolute(name) ? name : join(directory, name);
      if (this.#seen.has(file)) continue;
      this.#seen.add(file);
      if (this.parts.length >= MAX_FILES) {
        this.#fail('include-limit', pattern, path, `want at most ${MAX_FILES} files`);
        return;
      }
      this.#read(file, pattern, path);
    }
  }

  #read(file: string, pattern: ScalarNode, path: Path): void {
    const format = formatOf(extname(file));
    if (format === null) {
      this.#fail('unknown-format', pattern, path, `${quote(file)} does not end in .yaml, .yml, .json or .toml`);
      return;
    }
    try {
      const text = readTextFile(file, MAX_TOTAL_CHARS);
      this.#chars += text.length;
      if (this.#chars > MAX_TOTAL_CHARS) {
        this.#fail('include-limit', pattern, path, `the files are larger than ${MAX_TOTAL_CHARS} characters together`);
        return;
      }
      this.#parse(new SourceText(file, text), format);
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      const code = error.code === 'file-not-found' ? 'include-not-found' : error.code;
      this.#fail(code, pattern, path, `${quote(file)} ${error.message}`);
    }
  }

  #parse(source: SourceText, format: Parameters<typeof parseText>[1]): void {
    const base = this.#sources.add(source);
    const { root, findings } = movedBy(base, parseText(source.text, format));
    this.findings.push(...findings);
    if (root !== null) this.parts.push(root);
  }

  #fail(code: DiagnosticCode, { span }: ConfigNode, path: Path, reason: string): void {
    this.findings.push(errorAt(code, span, path, `Cannot include: ${reason}`));
  }
}

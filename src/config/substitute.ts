import { resolve } from 'node:path';
import type { ConfigNode, MappingEntry, Path, ScalarNode } from './config-node.ts';
import { errorAt, type Finding, quote } from './finding.ts';
import { readTextFile, UnreadableFile } from './read-text-file.ts';
import type { DirectoryOf } from './source-set.ts';
import type { Span } from './source-text.ts';

/** The variables that `${...}` can name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_SECRET_BYTES = 1_048_576;

/** `$${`, or `${...}` up to its first closing brace, or a `${` that is never closed. */
const EXPRESSION = /\$\$\{|\$\{([^}]*)\}|\$\{/g;

/** NAME, NAME:-default or NAME:?message. */
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([\s\S]*))?$/;

const WANTED_FORMS = `\${NAME}, \${NAME:-default}, \${NAME:?message} or \${file:/path}, not nested; a literal "\${" is written "$\${"`;

/** Why one `${...}` has no value. */
class Unresolved extends Error {
  readonly code: 'bad-substitution' | 'unset-variable' | 'unreadable-secret';

  constructor(code: Unresolved['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Replaces `${...}` in every text value: `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `${file:/path}`; `$${` stands for a
 * literal `${`. This happens after parsing, so that a value can never become structure, and only once, so that a value
 * which holds a `${` itself stays as it is. What fails is reported, and its node marked as unresolved.
 */
export class Substitution {
  readonly findings: Finding[] = [];
  /** The files of `${file:...}`. */
  readonly files: string[] = [];
  readonly #env: Environment;
  readonly #directoryOf: DirectoryOf;

  constructor(env: Environment, directoryOf: DirectoryOf) {
    this.#env = env;
    this.#directoryOf = directoryOf;
  }

  apply(node: ConfigNode, path: Path): ConfigNode {
    if (node.kind === 'scalar') return this.#applyToScalar(node, path);
    if (node.kind === 'list') {
      return { ...node, items: node.items.map((item, index) => this.apply(item, [...path, index])) };
    }
    const entries = new Map<string, MappingEntry>();
    for (const [key, { keySpan, value }] of node.entries) {
      entries.set(key, { keySpan, value: this.apply(value, [...path, key]) });
    }
    return { ...node, entries };
  }

  #applyToScalar(node: ScalarNode, path: Path): ScalarNode {
    const text = node.value;
    if (typeof text !== 'string' || !text.includes('${')) return node;
    try {
      const value = text.replace(EXPRESSION, (whole, inner?: string) =>
        whole === '$${' ? '${' : this.#valueOf(inner, node.span),
      );
      return { ...node, value, origin: 'substituted', expression: text };
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      this.findings.push(errorAt(error.code, node.span, path, error.message));
      return { ...node, origin: 'unresolved', expression: text };
    }
  }

  #valueOf(inner: string | undefined, span: Span): string {
    if (inner?.startsWith('file:')) return this.#readSecret(inner.slice('file:'.length), span);
    const match = VARIABLE.exec(inner ?? '');
    if (match === null || inner?.includes('${')) {
      throw new Unresolved('bad-substitution', `Cannot understand this \${...}: want ${WANTED_FORMS}`);
    }
    const [, name = '', operator, argument = ''] = match;
    const value = Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
    // As in a shell, the colon makes an empty variable count as unset.
    if (value !== undefined && (value !== '' || operator === undefined)) return value;
    if (operator === '-') return argument;
    const reason = argument === '' ? 'the environment variable is not set' : argument;
    throw new Unresolved('unset-variable', `Cannot replace \${${name}}: ${reason}`);
  }

  #readSecret(name: string, span: Span): string {
    const file = resolve(this.#directoryOf(span), name);
    this.files.push(file);
    try {
      return readTextFile(file, MAX_SECRET_BYTES).replace(/\r?\n$/, '');
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      throw new Unresolved('unreadable-secret', `Cannot replace \${file:...}: ${quote(name)} ${error.message}`);
    }
  }
}

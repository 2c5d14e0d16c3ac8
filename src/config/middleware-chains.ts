import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import type { RouteMiddleware, UserFile } from './config.ts';
import {
  type ConfigNode,
  childOf,
  entriesOf,
  itemsOf,
  type MappingNode,
  type Path,
  toPlainValue,
} from './config-node.ts';
import { didYouMean } from './did-you-mean.ts';
import { errorAt, type Finding, quote } from './finding.ts';
import { mergeMappings } from './merge-nodes.ts';
import { withFiles } from './middleware-files.ts';
import { checkBlock, checkInRoute } from './middleware-references.ts';
import { checkPublicKey, publicKeyText, UnusablePublicKey } from './public-key-file.ts';
import { ALIASES, BUILT_IN, type BuiltIn, builtInNamed } from './schema/middleware/block.ts';
import { customMiddleware } from './schema/middleware/custom.ts';
import type { SourceSet } from './source-set.ts';
import type { Span } from './source-text.ts';
import { UserFiles } from './user-files.ts';
import { type Validated, validate } from './validate.ts';

/** The middleware of all lists of a document, and what is wrong with it. */
export interface MiddlewareChains {
  readonly findings: readonly Finding[];
  /** Of every route. */
  readonly ofServer: readonly RouteMiddleware[];
  /** By the index of the route. */
  readonly ofRoutes: readonly (readonly RouteMiddleware[])[];
  /** The files that options name and that were read for them. */
  readonly files: readonly string[];
  /** The files of users among them. */
  readonly userFiles: readonly UserFile[];
  /** What must not be shown of files that are sources now. */
  readonly secrets: readonly Span[];
}

/** An entry of a list of middleware. */
interface Entry {
  readonly name: string;
  readonly node: ConfigNode;
  /** The options for this list; null when there are none. */
  readonly overrides: MappingNode | null;
  readonly path: Path;
  /** Null in the list of the server. */
  readonly route: ConfigNode | null;
}

/**
 * Puts together what each list of middleware asks for: the options of the block, overridden by those of the list, and
 * validated as one. Files of users are added to `sources`.
 */
export function readMiddleware(root: ConfigNode, sources: SourceSet): MiddlewareChains {
  const reader = new ChainReader(root, sources);
  const ofServer = reader.read(childOf(root, 'server'), ['server'], null);
  const ofRoutes = itemsOf(childOf(root, 'routes')).map((route, index) => reader.read(route, ['routes', index], route));
  const { userFiles } = reader;
  return {
    findings: [...reader.findings, ...userFiles.findings, ...reader.unusedBlocks()],
    ofServer,
    ofRoutes,
    files: [...reader.files, ...userFiles.paths],
    userFiles: userFiles.files,
    secrets: userFiles.secrets,
  };
}

type Authentication = Extract<RouteMiddleware, { readonly name: 'authentication' }> & {
  readonly module: null;
};

class ChainReader {
  readonly findings: Finding[] = [];
  readonly files: string[] = [];
  readonly #blocks: ConfigNode | null;
  readonly #sources: SourceSet;
  readonly userFiles: UserFiles;
  readonly #used = new Set<string>();
  readonly #unchanged = new Map<BuiltIn, Validated<unknown>>();
  /** By the options that name the file of a key: thousands of routes may have the same. */
  readonly #withKeys = new Map<Authentication['options'], Authentication>();
  /** The blocks that are wrong in themselves; nothing that is made from them is looked at. */
  readonly #broken = new Set<string>();

  constructor(root: ConfigNode, sources: SourceSet) {
    this.#blocks = childOf(root, 'middleware');
    this.#sources = sources;
    this.userFiles = new UserFiles(sources);
    for (const name of Object.keys(BUILT_IN) as BuiltIn[]) this.#checkBlock(name);
    this.#checkCustomNames();
  }

  /** One of your own could never be named by the name of one that is there already. */
  #checkCustomNames(): void {
    const custom = childOf(this.#blocks, 'custom');
    for (const [name, { keySpan }] of custom?.kind === 'mapping' ? custom.entries : []) {
      if (builtInNamed(name) === null) continue;
      const message = `Cannot use the name ${quote(name)} for middleware of your own: Photon has one of that name`;
      this.findings.push(errorAt('bad-value', keySpan, ['middleware', 'custom', name], message));
    }
  }

  #checkBlock(name: BuiltIn): void {
    const block = childOf(this.#blocks, name);
    if (block === null) return;
    const own = checkBlock(name, block, ['middleware', name]);
    this.findings.push(...own);
    const isWrong =
      own.some(({ severity }) => severity === 'error') || validate(BUILT_IN[name], block).document === null;
    if (isWrong) this.#broken.add(name);
  }

  /** The middleware that the list in `owner` names. */
  read(owner: ConfigNode | null, path: Path, route: ConfigNode | null): readonly RouteMiddleware[] {
    const chain: RouteMiddleware[] = [];
    for (const [index, node] of itemsOf(childOf(owner, 'middleware')).entries()) {
      const entry = entryOf(node, [...path, 'middleware', index], route);
      if (entry === null) continue;
      const middleware = this.#middlewareOf(entry);
      if (middleware === null) continue;
      if (chain.some((other) => isDuplicate(other, middleware))) {
        const how = middleware.name === 'rate_limiting' ? ' with the same options' : '';
        const message = `Cannot use ${quote(entry.name)} twice in one list${how}`;
        this.findings.push(errorAt('duplicate-middleware', node.span, entry.path, message));
      }
      chain.push(middleware);
    }
    return chain;
  }

  /** Blocks that no list names do nothing, which whoever wrote them should know. */
  unusedBlocks(): readonly Finding[] {
    const custom = childOf(this.#blocks, 'custom');
    const blocks = [...entriesOf(this.#blocks)].filter(([name]) => name !== 'custom' && Object.hasOwn(BUILT_IN, name));
    return [
      ...blocks.map(([name, node]) => ({ name, node, path: ['middleware', name] })),
      ...[...entriesOf(custom)].map(([name, node]) => ({ name, node, path: ['middleware', 'custom', name] })),
    ].flatMap(({ name, node, path }) => (this.#used.has(name) ? [] : [unused(node, path, name)]));
  }

  #middlewareOf(entry: Entry): RouteMiddleware | null {
    const name = builtInNamed(entry.name);
    if (name !== null) return this.#builtIn(entry, name);
    const block = childOf(childOf(this.#blocks, 'custom'), entry.name);
    if (block !== null) return this.#custom(entry, block);
    this.findings.push(this.#unknownName(entry));
    return null;
  }

  #builtIn(entry: Entry, name: BuiltIn): RouteMiddleware | null {
    this.#used.add(name);
    if (this.#broken.has(name)) return null;
    const options = optionsOf(childOf(this.#blocks, name), entry);
    const { document, findings } = this.#validated(name, options, entry);
    if (document === null) {
      const needsBlock = entry.overrides === null && findings.every(({ code }) => code === 'missing-key');
      this.findings.push(...(needsBlock ? [missingBlock(entry, name)] : findings));
      return null;
    }
    const references = [
      ...(entry.overrides === null ? [] : checkBlock(name, options, entry.path)),
      ...(entry.route === null ? [] : checkInRoute(options, entry.route, entry.path)),
    ];
    const completed = withFiles(name, document, options, entry.path);
    this.findings.push(...references, ...completed.findings);
    // Sound: the options are those that the schema of this name gave.
    const middleware = {
      name,
      module: null,
      options: completed.options,
      overrides: plainOverrides(entry),
    } as RouteMiddleware;
    const isSound = references.every(({ severity }) => severity !== 'error');
    return isSound && middleware.name === 'authentication' && middleware.module === null
      ? this.#withUsers(this.#withPublicKey(middleware, options, entry), options, entry)
      : middleware;
  }

  /** What goes on has the text of the key, so that nothing is read, and nothing can fail, when a request comes. */
  #withPublicKey(middleware: Authentication, node: MappingNode, { path }: Entry): Authentication {
    const { jwt } = middleware.options;
    const key = childOf(childOf(node, 'jwt'), 'public_key');
    if (jwt?.public_key === undefined || key === null) return middleware;
    const known = this.#withKeys.get(middleware.options);
    if (known !== undefined) return known;
    this.#withKeys.set(middleware.options, middleware);
    try {
      const text = publicKeyText(jwt.public_key, this.#sources.directoryOf(key.span), (file) => this.files.push(file));
      checkPublicKey(text, jwt.algorithm === undefined ? (jwt.algorithms ?? []) : [jwt.algorithm]);
      const read = { ...middleware, options: { ...middleware.options, jwt: { ...jwt, public_key: text } } };
      this.#withKeys.set(middleware.options, read);
      return read;
    } catch (error) {
      if (!(error instanceof UnusablePublicKey)) throw error;
      const message = `Cannot use this public_key: ${error.message}`;
      this.findings.push(errorAt('unusable-public-key', key.span, [...path, 'jwt', 'public_key'], message));
      return middleware;
    }
  }

  #withUsers(middleware: Authentication, node: MappingNode, { path }: Entry): Authentication {
    const options = this.userFiles.complete(middleware.options, node, path);
    return options === middleware.options ? middleware : { ...middleware, options };
  }

  /** Ten thousand routes may name one block, which is the same for all that change nothing. */
  #validated(name: BuiltIn, options: MappingNode, { overrides, path }: Entry): Validated<unknown> {
    const known = overrides === null ? this.#unchanged.get(name) : undefined;
    if (known !== undefined) return known;
    const validated = validate<z.ZodType>(BUILT_IN[name], options, path);
    if (overrides === null && validated.document !== null) this.#unchanged.set(name, validated);
    return validated;
  }

  #custom(entry: Entry, block: ConfigNode): RouteMiddleware | null {
    this.#used.add(entry.name);
    const { document } = validate(customMiddleware, block);
    if (document === null) return null;
    const options = toPlainValue(optionsOf(childOf(block, 'options'), entry), new Map()) as Record<string, unknown>;
    const module = resolve(this.#sources.directoryOf(block.span), document.module);
    return { name: entry.name, module, options, overrides: plainOverrides(entry) };
  }

  #unknownName({ name, node, path }: Entry): Finding {
    const own = [...entriesOf(childOf(this.#blocks, 'custom'))].map(([each]) => each);
    const known = [...Object.keys(ALIASES), ...Object.keys(BUILT_IN), ...own];
    const wanted = `one of ${known.join(', ')}`;
    const message = `Unknown middleware ${quote(name)}: want ${wanted}`;
    const near = didYouMean(name, known);
    return { ...errorAt('unknown-middleware', node.span, path, message), wanted, found: quote(name), didYouMean: near };
  }
}

/** Several rate limits are several limits. The same one twice would be one, which counts each request twice. */
function isDuplicate(one: RouteMiddleware, other: RouteMiddleware): boolean {
  if (one.name !== other.name) return false;
  return (
    one.name !== 'rate_limiting' ||
    (isChanged(one) === isChanged(other) && isDeepStrictEqual(one.options, other.options))
  );
}

const isChanged = ({ overrides }: RouteMiddleware): boolean => Object.keys(overrides).length > 0;

/** Null for what the schema refuses. */
function entryOf(node: ConfigNode, path: Path, route: ConfigNode | null): Entry | null {
  if (node.kind === 'scalar') {
    const isName = typeof node.value === 'string' && node.value !== '' && node.origin !== 'unresolved';
    return isName ? { name: String(node.value), node, overrides: null, path, route } : null;
  }
  if (node.kind === 'list' || node.entries.size !== 1) return null;
  const [[name, { value: overrides }] = ['', { value: node }]] = node.entries;
  if (overrides.kind !== 'mapping') return null;
  return { name, node, overrides, path: [...path, name], route };
}

function optionsOf(block: ConfigNode | null, { node, overrides }: Entry): MappingNode {
  const empty: MappingNode = { kind: 'mapping', span: node.span, entries: new Map() };
  const base = block?.kind === 'mapping' ? block : empty;
  return overrides === null ? { ...base, span: node.span } : mergeMappings(base, overrides);
}

function plainOverrides({ overrides }: Entry): Readonly<Record<string, unknown>> {
  return overrides === null ? {} : (toPlainValue(overrides, new Map()) as Record<string, unknown>);
}

function missingBlock({ name, node, path }: Entry, block: BuiltIn): Finding {
  const wanted = `a block middleware.${block}, or options here`;
  const message = `Cannot use ${quote(name)} without options: want ${wanted}`;
  return { ...errorAt('missing-block', node.span, path, message), wanted };
}

function unused(node: ConfigNode, path: Path, name: string): Finding {
  const place = path.join('.');
  const message = `Nothing uses ${place}: neither a route nor server.middleware names ${quote(name)}`;
  const span = { start: node.span.start, end: node.span.start + 1 };
  return { ...errorAt('no-effect', span, path, message), severity: 'warning' };
}

import type { Span } from './source-text.ts';

/**
 * A configuration before its meaning is known: what YAML, JSON and TOML have in common, each value with its place in the
 * source. Nodes are never changed once they are made.
 */
export type ConfigNode = ScalarNode | ListNode | MappingNode;

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly span: Span;
  readonly value: Scalar;
  /**
   * `substituted`: the value was put together from `${...}` and may be a secret. `unresolved`: that failed, which has been
   * reported, and the value means nothing.
   */
  readonly origin: 'written' | 'substituted' | 'unresolved';
  /** The text with its `${...}`, for the eyes of the user; null when the value is as written. */
  readonly expression: string | null;
}

export interface ListNode {
  readonly kind: 'list';
  readonly span: Span;
  readonly items: readonly ConfigNode[];
}

export interface MappingEntry {
  readonly keySpan: Span;
  readonly value: ConfigNode;
}

export interface MappingNode {
  readonly kind: 'mapping';
  readonly span: Span;
  readonly entries: ReadonlyMap<string, MappingEntry>;
}

/** The way from the root of a configuration to a value: keys and indices. */
export type Path = readonly (string | number)[];

/** How deep lists and mappings may be nested in each other; the options need ten levels. */
export const MAX_DEPTH = 64;

const PLAIN_KEY = /^[A-Za-z0-9_-]+$/;

/** `routes[2].match.headers["X.Y"]`; the root is an empty string. */
export function formatPath(path: Path): string {
  const text = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return PLAIN_KEY.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  return text.join('').replace(/^\./, '');
}

export function scalarNode(value: Scalar, span: Span): ScalarNode {
  return { kind: 'scalar', span, value, origin: 'written', expression: null };
}

/** What is at the end of a path, or how far the path goes. */
export interface Lookup {
  /** Null when the path ends in nothing. */
  readonly node: ConfigNode | null;
  /** The key of the value, or the beginning of the list item; for nothing, that of what should have held it. */
  readonly keySpan: Span;
  /** True when a value on the way could not be put together from its `${...}`. */
  readonly unresolved: boolean;
}

export function lookUp(root: ConfigNode, path: Path): Lookup {
  let node: ConfigNode = root;
  let keySpan = startOf(root);
  for (const step of path) {
    const next: MappingEntry | null = entryOf(node, step);
    if (next === null) return { node: null, keySpan, unresolved: isUnresolved(node) };
    ({ keySpan, value: node } = next);
  }
  return { node, keySpan, unresolved: isUnresolved(node) };
}

function entryOf(node: ConfigNode, step: string | number): MappingEntry | null {
  if (node.kind === 'mapping') return node.entries.get(String(step)) ?? null;
  const item = node.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined;
  return item === undefined ? null : { keySpan: startOf(item), value: item };
}

/** A mapping or list is shown by its first character: its end may be many lines away. */
export function startOf(node: ConfigNode): Span {
  return { start: node.span.start, end: node.span.start + 1 };
}

function isUnresolved(node: ConfigNode): boolean {
  return node.kind === 'scalar' && node.origin === 'unresolved';
}

/** The value under a key of a mapping; null where there is none, or no mapping. */
export function childOf(node: ConfigNode | null, key: string): ConfigNode | null {
  return node?.kind === 'mapping' ? (node.entries.get(key)?.value ?? null) : null;
}

/** The items of a list; none where there is no list. */
export function itemsOf(node: ConfigNode | null): readonly ConfigNode[] {
  return node?.kind === 'list' ? node.items : [];
}

/** The keys and values of a mapping; none where there is no mapping. */
export function* entriesOf(node: ConfigNode | null): Iterable<readonly [string, ConfigNode]> {
  if (node?.kind === 'mapping') for (const [key, { value }] of node.entries) yield [key, value];
}

/** The value means true or false; one that was put together from `${...}` is a text. */
export const isTrue = (node: ConfigNode | null): boolean => node?.kind === 'scalar' && String(node.value) === 'true';
export const isFalse = (node: ConfigNode | null): boolean => node?.kind === 'scalar' && String(node.value) === 'false';

/** Values that replace what a scalar says, by node. */
export type Conversions = ReadonlyMap<ConfigNode, Scalar>;

/** The same as plain arrays and objects, with the converted scalars in their places. */
export function toPlainValue(node: ConfigNode, conversions: Conversions): unknown {
  if (node.kind === 'scalar') return conversions.get(node) ?? node.value;
  if (node.kind === 'list') return node.items.map((item) => toPlainValue(item, conversions));
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlainValue(entry.value, conversions)]));
}

/** Calls `visit` for every scalar. */
export function visitScalars(node: ConfigNode, visit: (scalar: ScalarNode) => void): void {
  if (node.kind === 'scalar') visit(node);
  else if (node.kind === 'list') for (const item of node.items) visitScalars(item, visit);
  else for (const entry of node.entries.values()) visitScalars(entry.value, visit);
}

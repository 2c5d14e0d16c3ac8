import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import {
  type ConfigNode,
  type ListNode,
  MAX_DEPTH,
  type MappingEntry,
  type MappingNode,
  type Path,
  scalarNode,
} from './config-node.ts';
import { errorAt, type Finding } from './finding.ts';
import { reportReservedKey } from './mapping-builder.ts';
import type { ParsedDocument } from './parsed-document.ts';
import type { Span } from './source-text.ts';

/** A mapping that is still being filled: TOML spreads the keys of one table over the whole file. */
interface OpenTable extends MappingNode {
  readonly entries: Map<string, MappingEntry>;
}

interface OpenList extends ListNode {
  readonly items: ConfigNode[];
}

/** Parses TOML 1.0. The parser knows duplicate keys and tables that contradict each other. */
export function parseToml(text: string): ParsedDocument {
  try {
    const [top] = parseTOML(text, { tomlVersion: '1.0' }).body;
    const builder = new TomlBuilder();
    return { root: builder.build(top), findings: builder.findings };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const span = { start: error.index, end: error.index + 1 };
    const finding = errorAt('syntax-error', span, [], `Cannot read the TOML: ${error.message}`);
    return { root: null, findings: [{ ...finding, help: unquotedText(text, error.index) }] };
  }
}

/** A value that is neither a number nor a word of TOML can only be a text. */
function unquotedText(text: string, at: number): string | null {
  const isValue = /=[ \t]*$/.test(text.slice(text.lastIndexOf('\n', at - 1) + 1, at));
  return isValue && !/["'[{\s]/.test(text.charAt(at)) ? 'a text needs quotes: name = "text"' : null;
}

class TomlBuilder {
  readonly findings: Finding[] = [];

  build(top: AST.TOMLTopLevelTable): ConfigNode {
    const root = openTable(spanOf(top));
    for (const part of top.body) {
      if (part.type === 'TOMLKeyValue') this.#addKeyValue(root, part, []);
      else this.#addTable(root, part);
    }
    return root;
  }

  #addTable(root: OpenTable, table: AST.TOMLTable): void {
    const target = this.#openPath(root, table.resolvedKey, table.key.keys, []);
    if (target === null) return;
    for (const keyValue of table.body) this.#addKeyValue(target, keyValue, table.resolvedKey);
  }

  #addKeyValue(table: OpenTable, { key, value }: AST.TOMLKeyValue, path: Path): void {
    const names = key.keys.map(nameOf);
    const last = key.keys.at(-1);
    const target = this.#openPath(table, names.slice(0, -1), key.keys, path);
    if (target === null || last === undefined) return;
    const parentPath = [...path, ...names.slice(0, -1)];
    if (reportReservedKey(nameOf(last), spanOf(last), parentPath, this.findings)) return;
    const node = this.#convert(value, [...path, ...names]);
    target.entries.set(nameOf(last), { keySpan: spanOf(last), value: node });
  }

  /** The table at the end of `steps`, made where it is missing; null when a key on the way cannot be used. */
  #openPath(from: OpenTable, steps: Path, keys: readonly TomlKey[], base: Path): OpenTable | null {
    let node: ConfigNode = from;
    let keyIndex = 0;
    for (const [index, step] of steps.entries()) {
      const path = [...base, ...steps.slice(0, index)];
      const key = keys[typeof step === 'string' ? keyIndex++ : keyIndex - 1];
      const span = key === undefined ? from.span : spanOf(key);
      if (typeof step === 'string' && reportReservedKey(step, span, path, this.findings)) return null;
      if (index === MAX_DEPTH) return this.#giveUp(span, path);
      node = childOf(node, step, span, typeof steps[index + 1] === 'number');
    }
    // Sound: the parser refuses a path that leads through anything but tables, and tables here are made open.
    return node as OpenTable;
  }

  #convert(node: AST.TOMLContentNode, path: Path): ConfigNode {
    const span = spanOf(node);
    if (path.length > MAX_DEPTH) {
      this.#giveUp(span, path);
      return scalarNode(null, span);
    }
    if (node.type === 'TOMLArray') {
      return { kind: 'list', span, items: node.elements.map((item, index) => this.#convert(item, [...path, index])) };
    }
    if (node.type === 'TOMLInlineTable') {
      const table = openTable(span);
      for (const keyValue of node.body) this.#addKeyValue(table, keyValue, path);
      return table;
    }
    if (!(node.value instanceof Date)) return scalarNode(node.value, span);
    this.findings.push(errorAt('wrong-type', span, path, 'Cannot use a date: want a text, a number, true or false'));
    return { ...scalarNode(null, span), origin: 'unresolved' };
  }

  #giveUp(span: Span, path: Path): null {
    const message = `Cannot read more than ${MAX_DEPTH} levels of nesting`;
    this.findings.push(errorAt('too-complex', span, path.slice(0, 3), message));
    return null;
  }
}

type TomlKey = AST.TOMLKey['keys'][number];

function nameOf(key: TomlKey): string {
  return key.type === 'TOMLBare' ? key.name : key.value;
}

function childOf(node: ConfigNode, step: string | number, span: Span, asList: boolean): ConfigNode {
  if (typeof step === 'number') {
    const { items } = node as OpenList;
    items[step] ??= openTable(span);
    return items[step];
  }
  const { entries } = node as OpenTable;
  const present = entries.get(step);
  if (present !== undefined) return present.value;
  const value: ConfigNode = asList ? { kind: 'list', span, items: [] } : openTable(span);
  entries.set(step, { keySpan: span, value });
  return value;
}

function openTable(span: Span): OpenTable {
  return { kind: 'mapping', span, entries: new Map() };
}

function spanOf(node: { readonly range: readonly [number, number] }): Span {
  return { start: node.range[0], end: node.range[1] };
}

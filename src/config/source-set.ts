import { dirname } from 'node:path';
import type { ConfigNode, MappingEntry } from './config-node.ts';
import type { Finding } from './finding.ts';
import type { ParsedDocument } from './parsed-document.ts';
import type { SourceText, Span } from './source-text.ts';

/** A place in one of the files. */
export interface SourcePlace {
  readonly source: SourceText;
  readonly span: Span;
}

/** The directory of the file that holds a place of the source: where its relative paths start from. */
export type DirectoryOf = (span: Span) => string;

/**
 * The files of one configuration, laid out behind each other, so that an offset says which file it is in:
 *
 *   photon.yaml          conf.d/a.yaml    conf.d/b.toml
 *   0 ... length         base ...         base ...
 *
 * Between two files there is one offset that belongs to the first: its end.
 */
export class SourceSet {
  readonly #parts: { readonly base: number; readonly source: SourceText }[] = [];
  #end = 0;

  /** Adds a file and returns the offset where it begins. */
  add(source: SourceText): number {
    const base = this.#end;
    this.#parts.push({ base, source });
    this.#end = base + source.text.length + 1;
    return base;
  }

  /** The files, in their order. */
  get files(): readonly string[] {
    return this.#parts.map(({ source }) => source.file);
  }

  /** Where an offset of the whole is. */
  placeOf({ start, end }: Span): SourcePlace {
    const part = this.#parts.findLast(({ base }) => base <= start);
    if (part === undefined) throw new Error('no source holds this offset');
    return { source: part.source, span: { start: start - part.base, end: end - part.base } };
  }

  directoryOf: DirectoryOf = (span) => dirname(this.placeOf(span).source.file);

  /** The spans that lie in the same file as `source`, with offsets in that file. */
  spansIn(source: SourceText, spans: readonly Span[]): readonly Span[] {
    return spans.map((span) => this.placeOf(span)).flatMap((place) => (place.source === source ? [place.span] : []));
  }
}

/** A document as it came from the parser of its file, moved to where the file begins. */
export function movedBy(base: number, { root, findings }: ParsedDocument): ParsedDocument {
  return {
    root: root === null ? null : moveNode(base, root),
    findings: findings.map((finding): Finding => ({ ...finding, span: moveSpan(base, finding.span) })),
  };
}

function moveNode(base: number, node: ConfigNode): ConfigNode {
  const span = moveSpan(base, node.span);
  if (node.kind === 'scalar') return { ...node, span };
  if (node.kind === 'list') return { ...node, span, items: node.items.map((item) => moveNode(base, item)) };
  const entries = new Map<string, MappingEntry>();
  for (const [key, { keySpan, value }] of node.entries) {
    entries.set(key, { keySpan: moveSpan(base, keySpan), value: moveNode(base, value) });
  }
  return { ...node, span, entries };
}

function moveSpan(base: number, { start, end }: Span): Span {
  return { start: start + base, end: end + base };
}

import type { ConfigNode, MappingEntry, MappingNode, Path } from './config-node.ts';
import { errorAt, type Finding, quote } from './finding.ts';
import type { Span } from './source-text.ts';

/** Collects the entries of one mapping and reports keys that cannot stand in it. */
export class MappingBuilder {
  readonly #entries = new Map<string, MappingEntry>();
  readonly #path: Path;
  readonly #findings: Finding[];

  constructor(path: Path, findings: Finding[]) {
    this.#path = path;
    this.#findings = findings;
  }

  add(key: string, keySpan: Span, value: ConfigNode): void {
    const first = this.#entries.get(key);
    if (first !== undefined) {
      const message = `Cannot use the key ${quote(key)} twice in one mapping`;
      const other = { span: first.keySpan, message: 'it is here first' };
      this.#findings.push({ ...errorAt('duplicate-key', keySpan, [...this.#path, key], message), other });
    } else if (!reportReservedKey(key, keySpan, this.#path, this.#findings)) {
      this.#entries.set(key, { keySpan, value });
    }
  }

  build(span: Span): MappingNode {
    return { kind: 'mapping', span, entries: this.#entries };
  }
}

/** True, and reported, for a key that would not be an entry of a plain object, but the object's prototype. */
export function reportReservedKey(key: string, keySpan: Span, path: Path, findings: Finding[]): boolean {
  if (key !== '__proto__') return false;
  findings.push(errorAt('reserved-key', keySpan, [...path, key], `Cannot use the key ${quote(key)}: it is reserved`));
  return true;
}

import { type ConfigNode, formatPath, type MappingEntry, type MappingNode, type Path } from './config-node.ts';
import { type DiagnosticCode, errorAt, type Finding, quote } from './finding.ts';

/** Keys of the blocks that files may share, each with what they hold. */
type Entries = Map<string, MappingEntry>;

/** Adds the blocks of included files to the document of the main file. */
export class DocumentMerger {
  readonly findings: Finding[] = [];
  readonly #root: MappingNode;
  readonly #entries: Entries;

  constructor(root: MappingNode) {
    this.#root = root;
    this.#entries = new Map(root.entries);
  }

  /** Adds what one file says. */
  add(part: ConfigNode): void {
    if (part.kind === 'mapping') for (const [key, entry] of part.entries) this.#addBlock(key, entry);
    else this.#refuse(part.span, [], 'want a mapping with routes, load_balancing.backends or middleware');
  }

  merged(): MappingNode {
    return { ...this.#root, entries: this.#entries };
  }

  #addBlock(key: string, entry: MappingEntry): void {
    if (key === 'routes') this.#addRoutes(entry);
    else if (key === 'load_balancing') this.#addBackends(entry);
    else if (key === 'middleware') this.#addMiddleware(entry);
    else if (key !== '$schema') {
      this.#refuse(
        entry.keySpan,
        [key],
        `${quote(key)} stands in the main file only; want routes, load_balancing.backends or middleware`,
      );
    }
  }

  #addRoutes({ keySpan, value }: MappingEntry): void {
    const present = this.#entries.get('routes');
    if (present === undefined || present.value.kind !== 'list' || value.kind !== 'list') {
      if (present === undefined || value.kind !== 'list') this.#entries.set('routes', { keySpan, value });
      return;
    }
    const items = [...present.value.items, ...value.items];
    this.#entries.set('routes', { ...present, value: { ...present.value, items } });
  }

  #addBackends({ keySpan, value }: MappingEntry): void {
    if (value.kind !== 'mapping') {
      this.#refuse(keySpan, ['load_balancing'], 'want a mapping with backends');
      return;
    }
    for (const [key, entry] of value.entries) {
      if (key === 'backends') this.#addNamed(['load_balancing', 'backends'], entry, 'duplicate-backend');
      else
        this.#refuse(
          entry.keySpan,
          ['load_balancing', key],
          `${quote(key)} stands in the main file only; want backends`,
        );
    }
  }

  #addMiddleware({ keySpan, value }: MappingEntry): void {
    if (value.kind !== 'mapping') {
      this.#refuse(keySpan, ['middleware'], 'want a mapping of middleware');
      return;
    }
    const custom = value.entries.get('custom');
    const others = new Map([...value.entries].filter(([key]) => key !== 'custom'));
    this.#addNamed(['middleware'], { keySpan, value: { ...value, entries: others } }, 'duplicate-block');
    if (custom !== undefined) this.#addNamed(['middleware', 'custom'], custom, 'duplicate-block');
  }

  /** Adds the entries of a mapping to the one at `path`, which is made where it is missing. */
  #addNamed(path: readonly string[], { keySpan, value }: MappingEntry, code: DiagnosticCode): void {
    if (value.kind !== 'mapping') {
      this.#refuse(keySpan, path, 'want a mapping of names');
      return;
    }
    const target = this.#open(path, keySpan);
    for (const [name, entry] of value.entries) {
      const present = target?.get(name);
      if (present === undefined) target?.set(name, entry);
      else {
        const message = `Cannot use the name ${quote(name)} twice in ${formatPath(path)}`;
        const other = { span: present.keySpan, message: 'it is here, too' };
        this.findings.push({ ...errorAt(code, entry.keySpan, [...path, name], message), other });
      }
    }
  }

  /** The entries of the mapping at `path`, to add to; null where the main file has something else there. */
  #open(path: readonly string[], keySpan: MappingEntry['keySpan']): Entries | null {
    let entries = this.#entries;
    for (const key of path) {
      const present = entries.get(key);
      if (present !== undefined && present.value.kind !== 'mapping') return null;
      const below: Entries = new Map(present?.value.kind === 'mapping' ? present.value.entries : []);
      const span = present?.value.span ?? keySpan;
      entries.set(key, { keySpan: present?.keySpan ?? keySpan, value: { kind: 'mapping', span, entries: below } });
      entries = below;
    }
    return entries;
  }

  #refuse(span: MappingEntry['keySpan'], path: Path, reason: string): void {
    this.findings.push(errorAt('include-not-allowed', span, path, `Cannot include this: ${reason}`));
  }
}

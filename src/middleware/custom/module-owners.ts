import { pathToFileURL } from 'node:url';

/** Which middleware of users the files of their modules belong to: those that name a file, or import it, themselves or over others. */
export class ModuleOwners {
  /** File -> those that import it. */
  readonly #importers = new Map<string, Set<string>>();
  /** File that a configuration names -> names of middleware. */
  readonly #names = new Map<string, Set<string>>();

  /** A middleware has this module. */
  add(file: string, name: string): void {
    entryOf(this.#names, file).add(name);
    entryOf(this.#importers, file);
  }

  /** `importer` is a file that was added, or imported, before; the same file for one by another path. */
  addImport(file: string, importer: string): void {
    entryOf(this.#importers, file).add(importer);
  }

  /** All names. */
  get names(): readonly string[] {
    return [...new Set([...this.#names.values()].flatMap((names) => [...names]))];
  }

  /** The middleware that have a file in the lines of a stack. */
  namesIn(frames: string): readonly string[] {
    const found = new Set<string>();
    const seen = new Set<string>();
    for (const file of this.#importers.keys()) {
      if (isIn(frames, file)) this.#collect(file, seen, found);
    }
    return [...found];
  }

  #collect(file: string, seen: Set<string>, found: Set<string>): void {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of this.#names.get(file) ?? []) found.add(name);
    for (const importer of this.#importers.get(file) ?? []) this.#collect(importer, seen, found);
  }
}

/** Modules stand in stacks by their URLs, which have a query with their version, and those of CommonJS by their paths. */
function isIn(frames: string, file: string): boolean {
  return frames.includes(`${pathToFileURL(file).href}?`) || frames.includes(`${file}:`);
}

function entryOf(map: Map<string, Set<string>>, key: string): Set<string> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const entry = new Set<string>();
  map.set(key, entry);
  return entry;
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MiddlewareDefinition } from './define-middleware.ts';
import { ModuleOwners } from './module-owners.ts';
import { refuseExits, runAs } from './running-middleware.ts';

interface FoundText {
  /** Its file and digest. */
  readonly own: string;
  readonly bytes: number;
}

/** A load of a module, or several at one time. */
class Load {
  /** Files whose URLs are under the digest of their text alone -> those URLs. */
  readonly newest = new Map<string, string>();
  /** What was found in the files: one that changes meanwhile must not be taken for what was loaded. */
  readonly found = new Map<string, FoundText>();
  users = 0;
}

/** Marks the URLs of modules that are ours to load anew when they change. */
const MARK = 'photon-version';
/**
 * What modules import to get `defineMiddleware`: the package, which need not be installed beside them. They get that one file of it, so that a
 * worker does not load the whole.
 */
const PACKAGE = 'photon-gateway';
const DEFINE_MIDDLEWARE = new URL(
  `./define-middleware${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
).href;

/**
 * Loads modules of users, anew when they have changed, or what they import has. The runtime keeps every module that was ever loaded, by
 * its URL; so each gets a URL with the digest of its text and of the texts that it imports:
 *
 *   file:///a.ts?photon-version=D(a.ts, b.ts)  --imports-->  file:///b.ts?photon-version=D(b.ts)
 *
 * What a text imports is known once it has been loaded. Until then its URL has the digest of the text alone, and is remembered under
 * the full one: unchanged code is never loaded twice. What has changed stays in memory beside what takes its place.
 *
 * The runtime also keeps that a module has failed, or that it has not come to its end. What failed for a reason that has gone, such as a
 * server that did not answer, is loaded again under another URL.
 */
export class ModuleLoader {
  /** File and digest of its text -> the files that it imports. */
  readonly #imports = new Map<string, Set<string>>();
  /** Full digest -> URL. */
  readonly #urls = new Map<string, string>();
  /** URL of a module -> its file and the digest of its text. */
  readonly #textOf = new Map<string, string>();
  /** The load under way, and before one begins what it will be. */
  #load = new Load();
  /** Texts that were loaded so far, in bytes. */
  loadedBytes = 0;
  /** Of all modules that were loaded so far. */
  readonly owners = new ModuleOwners();

  constructor() {
    refuseExits();
    registerHooks({
      resolve: (specifier, context, next) => {
        if (specifier === PACKAGE) return { url: DEFINE_MIDDLEWARE, shortCircuit: true };
        const resolved = next(specifier, context);
        this.#follow(specifier, resolved.url);
        const parent = context.parentURL === undefined ? undefined : this.#textOf.get(context.parentURL);
        if (parent === undefined || !isOurs(resolved.url)) return resolved;
        const file = fileURLToPath(resolved.url);
        this.#imports.get(parent)?.add(file);
        this.owners.addImport(file, fileURLToPath(context.parentURL as string));
        return { ...resolved, url: this.#urlOf(file) };
      },
    });
  }

  /**
   * The default export of the module in a file, which is run as code of the middleware `name`. Rejects with what it throws, and with an Error
   * when it is no middleware.
   */
  async load(file: string, name = file): Promise<MiddlewareDefinition> {
    this.owners.add(file, name);
    const { default: definition } = await this.#evaluate(file, name);
    if (isDefinition(definition)) return definition;
    throw new Error('want "export default defineMiddleware({...})"');
  }

  /** Gives up what is being loaded: the files are read again by the next `load`. What the module does meanwhile cannot be stopped. */
  abandon(): void {
    this.#forget(this.#load);
    this.#load = new Load();
  }

  /** Of a module that was loaded: its code, with all that it imports, is the same as long as this is. */
  versionOf(file: string): string {
    this.#load.found.clear();
    return this.#digestOf(file, []);
  }

  /** A file that is a link is found under the name of the one that it leads to. */
  #follow(url: string, found: string): void {
    const text = this.#textOf.get(url);
    if (text === undefined || url === found) return;
    this.#textOf.set(found, text);
    this.owners.addImport(fileURLToPath(found), fileURLToPath(url));
  }

  async #evaluate(file: string, name: string): Promise<{ readonly default?: unknown }> {
    const load = this.#load;
    load.users += 1;
    try {
      const url = this.#urlOf(file);
      const module = (await runAs(name, async () => await import(url))) as { readonly default?: unknown };
      // By now it is known what they import.
      if (load === this.#load) for (const [each, url] of load.newest) this.#urls.set(this.#digestOf(each, []), url);
      return module;
    } catch (error) {
      this.#forget(load);
      throw error;
    } finally {
      load.users -= 1;
      if (load === this.#load && load.users === 0) this.#load = new Load();
    }
  }

  #forget({ newest }: Load): void {
    const urls = new Set(newest.values());
    for (const [full, url] of this.#urls) if (urls.has(url)) this.#urls.delete(full);
  }

  #urlOf(file: string): string {
    const full = this.#digestOf(file, []);
    const known = this.#urls.get(full);
    if (known !== undefined) return known;
    const url = this.#unusedUrl(`${pathToFileURL(file).href}?${MARK}=${full}`);
    const { own, bytes } = this.#textIn(file);
    this.loadedBytes += bytes;
    this.#urls.set(full, url);
    this.#load.newest.set(file, url);
    this.#textOf.set(url, own);
    if (!this.#imports.has(own)) this.#imports.set(own, new Set());
    return url;
  }

  /** The same text may have failed before. */
  #unusedUrl(base: string): string {
    let url = base;
    for (let tries = 2; this.#textOf.has(url); tries += 1) url = `${base}.${tries}`;
    return url;
  }

  /** Of a file's name and text and, as far as they are known, of those that it imports. `above`: those that import it. */
  #digestOf(file: string, above: readonly string[]): string {
    const { own } = this.#textIn(file);
    const imports = above.includes(file) ? [] : [...(this.#imports.get(own) ?? [])];
    const parts = [own, ...imports.map((each) => this.#digestOf(each, [...above, file]))];
    return digest(Buffer.from(parts.join('\n')));
  }

  #textIn(file: string): FoundText {
    const known = this.#load.found.get(file);
    if (known !== undefined) return known;
    const text = readFileSync(file);
    const found = { own: keyOf(file, text), bytes: text.length };
    this.#load.found.set(file, found);
    return found;
  }
}

/** Packages are not looked at: they change with an installation, which takes a restart. */
function isOurs(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/') && url !== DEFINE_MIDDLEWARE && !url.includes('?');
}

/** A file and what is in it: the same text elsewhere may import something else. */
const keyOf = (file: string, text: Uint8Array): string => `${file} ${digest(text)}`;

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isDefinition(value: unknown): value is MiddlewareDefinition {
  return typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function';
}

import { type FSWatcher, globSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type FileStates, joined, stateOf, statesNow } from './file-state.ts';

/** How often the files are looked at where no event says so: what is mounted from elsewhere changes without one. */
const LOOK_EVERY_MS = 1000;
/** A file counts as written when it has not changed for so long. */
const SETTLE_MS = 20;

/** Files, and patterns of more: one that comes to fit a pattern is a change like any other. */
export interface Sources {
  readonly files: readonly string[];
  readonly patterns: readonly string[];
}

/** Those that were read, and those that fit a pattern by now. */
function filesOf({ files, patterns }: Sources): readonly string[] {
  const found = patterns.length === 0 ? [] : globSync([...patterns]).map((file) => resolve(file));
  return [...new Set([...files, ...found])].sort();
}

/**
 * Says when files have changed, and have stopped changing: written over, renamed over, a link that leads elsewhere, gone, back again.
 * Their directories are watched, since a file that is renamed over would take its watch with it.
 *
 *   still --the state differs from the last look--> changing --the same as at the last look--> onChange, still
 *                                                     |   ^
 *                                                     +---+ another change
 */
export class FileWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #polling: NodeJS.Timeout;
  #sources: Sources = { files: [], patterns: [] };
  /** What was said, and what was seen last. */
  #said = '';
  #seen = '';
  #looking: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#polling = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
  }

  /** What the files are like now. Taken before they are read, it shows `use` what has changed since. */
  get states(): FileStates {
    return statesNow(filesOf(this.#sources));
  }

  /**
   * Watches these from now on, and says when they differ from what they were `before` they were read. A file that was read and is not in
   * `before` counts from now on; one that has come to fit a pattern since is a change.
   */
  use(sources: Sources, before: FileStates): void {
    const files = filesOf(sources).filter((file) => before.has(file) || sources.files.includes(file));
    this.#sources = sources;
    this.#said = joined(Array.from(statesNow(files), ([file, now]) => [file, before.get(file) ?? now]));
    this.#seen = this.#said;
    this.#watchDirectories();
    this.#lookSoon();
  }

  #watchDirectories(): void {
    const paths = [...filesOf(this.#sources), ...this.#sources.patterns];
    const directories = new Set(paths.map((path) => dirname(resolve(path))));
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) this.#watchDirectory(directory);
  }

  #watchDirectory(directory: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', () => {
        // The directory is gone, or the system has no watches left: looking now and then has to do.
        watcher.close();
        this.#watchers.delete(directory);
      });
      this.#watchers.set(directory, watcher);
    } catch {
      // As above.
    }
  }

  #lookSoon(): void {
    this.#looking ??= setTimeout(() => {
      this.#looking = null;
      void this.#look();
    }, SETTLE_MS).unref();
  }

  async #look(): Promise<void> {
    const sources = this.#sources;
    const state = await stateOf(filesOf(sources));
    if (this.#closed || sources !== this.#sources) return;
    const settled = state === this.#seen;
    this.#seen = state;
    if (!settled) {
      this.#lookSoon();
    } else if (state !== this.#said) {
      this.#said = state;
      this.#onChange();
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#polling);
    if (this.#looking !== null) clearTimeout(this.#looking);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}

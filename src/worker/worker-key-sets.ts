import type { FetchedKeySet } from '../messages/to-worker.ts';
import { KEY_SET_COOLDOWN_MS, KeySet } from '../middleware/auth/jwt/key-set.ts';
import type { KeySets } from '../middleware/auth/jwt/key-source.ts';

/** What a worker knows of the keys of one URL. */
class Entry {
  text: string | null = null;
  keys: KeySet | null = null;
  failed = false;
  askedMs = Number.NEGATIVE_INFINITY;
  /** Who waits for the answer to the question under way. */
  answer: PromiseWithResolvers<void> | null = null;
}

/**
 * The key sets of issuers in one worker. The control thread fetches them, once for all workers; a worker asks it at most once in a
 * while, so that tokens with invented keys cost it nothing.
 */
export class WorkerKeySets implements KeySets {
  readonly #nowMs: () => number;
  readonly #ask: (url: string) => void;
  readonly #entries = new Map<string, Entry>();

  /** `ask` has the set of a URL fetched; every question is answered with `use`. */
  constructor(nowMs: () => number, ask: (url: string) => void) {
    this.#nowMs = nowMs;
    this.#ask = ask;
  }

  current(url: string): KeySet | null {
    return this.#entries.get(url)?.keys ?? null;
  }

  mayBeOld(url: string): boolean {
    return this.#entries.get(url)?.failed ?? false;
  }

  renew(url: string): Promise<void> | null {
    const entry = this.#entryOf(url);
    if (entry.answer !== null) return entry.answer.promise;
    const nowMs = this.#nowMs();
    if (nowMs - entry.askedMs < KEY_SET_COOLDOWN_MS) return null;
    entry.askedMs = nowMs;
    entry.answer = Promise.withResolvers<void>();
    this.#ask(url);
    return entry.answer?.promise ?? null;
  }

  /** What the last fetch gave. The same text leaves the keys as they are. */
  use({ url, text, failed }: FetchedKeySet): void {
    const entry = this.#entryOf(url);
    entry.failed = failed;
    if (text !== null && text !== entry.text) {
      entry.text = text;
      entry.keys = KeySet.parse(text);
    }
    entry.answer?.resolve();
    entry.answer = null;
  }

  #entryOf(url: string): Entry {
    const entry = this.#entries.get(url) ?? new Entry();
    this.#entries.set(url, entry);
    return entry;
  }
}

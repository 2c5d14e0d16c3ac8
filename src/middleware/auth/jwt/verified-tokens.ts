import { flatText } from '../../../base/latin1.ts';
import type { Identity } from '../scheme.ts';

/** A token that was found to hold; times in milliseconds since 1970. */
export interface VerifiedToken extends Identity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** So long at most a token counts as verified without another look. */
export const MAX_KEPT_MS = 300_000;

/** Characters of the tokens of one half. */
const HALF_CHARS = 2 * 1024 * 1024;
const HALF_ENTRIES = 4096;

/**
 * Tokens that were verified, by their text. Only those that hold are kept: nobody without a good token can push another one out.
 *
 *   put --> young --full: becomes the old one--> old --full again: forgotten
 *             ^____________used____________________|
 *
 * The text itself is the key, not a digest, which would cost as much as all the rest of a hit. Finding it tells nothing by its time:
 * V8 compares texts only when their hashes are the same, which are salted anew in every thread.
 */
export class VerifiedTokens {
  #young = new Map<string, VerifiedToken>();
  #old = new Map<string, VerifiedToken>();
  #youngChars = 0;

  /** Undefined: it is not known, or does not hold at this time. */
  get(token: string, nowMs: number): VerifiedToken | undefined {
    const young = this.#young.get(token);
    const found = young ?? this.#old.get(token);
    if (found === undefined || nowMs < found.fromMs || nowMs >= found.untilMs) return undefined;
    if (young === undefined) this.put(token, found);
    return found;
  }

  put(token: string, verified: VerifiedToken): void {
    if (this.#young.size >= HALF_ENTRIES || this.#youngChars + token.length > HALF_CHARS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngChars = 0;
    }
    // Flat: cut out of the head of a request, it would keep all of that in memory.
    this.#young.set(flatText(token), verified);
    this.#youngChars += token.length;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngChars = 0;
  }
}

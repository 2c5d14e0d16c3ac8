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

/** Tokens by their text, and the ends of all of them. */
class Half {
  readonly tokens = new Map<string, VerifiedToken>();
  readonly ends = new Set<number>();
  chars = 0;

  hasRoomFor(token: string): boolean {
    return this.tokens.size < HALF_ENTRIES && this.chars + token.length <= HALF_CHARS;
  }
}

/**
 * Tokens that were verified, by their text. Only those that hold are kept: nobody without a good token can push another one out.
 *
 *   put --> young --full: becomes the old one--> old --full again: forgotten
 *             ^____________used____________________|
 *
 * The text itself is the key, not a digest, which would cost as much as all the rest of a hit. Finding it tells nothing by its time:
 * V8 compares texts only when their hashes are the same, which are salted anew in every thread. But V8 also puts every text that it looks
 * up into a table of its own, which for a stream of forged tokens is half a microsecond each, and work for the collector: only a token with
 * an end that is known is looked up, which of those that are not known hardly any has.
 */
export class VerifiedTokens {
  #young = new Half();
  #old = new Half();

  /** Undefined: it is not known, or does not hold at this time. */
  get(token: string, nowMs: number): VerifiedToken | undefined {
    const end = endOf(token);
    const young = this.#young.ends.has(end) ? this.#young.tokens.get(token) : undefined;
    const found = young ?? (this.#old.ends.has(end) ? this.#old.tokens.get(token) : undefined);
    if (found === undefined || nowMs < found.fromMs || nowMs >= found.untilMs) return undefined;
    if (young === undefined) this.put(token, found);
    return found;
  }

  put(token: string, verified: VerifiedToken): void {
    if (!this.#young.hasRoomFor(token)) {
      this.#old = this.#young;
      this.#young = new Half();
    }
    const { tokens, ends } = this.#young;
    // Flat: cut out of the head of a request, it would keep all of that in memory.
    tokens.set(flatText(token), verified);
    ends.add(endOf(token));
    this.#young.chars += token.length;
  }

  clear(): void {
    this.#young = new Half();
    this.#old = new Half();
  }
}

/** The last four characters, of seven bits each: nobody knows them of a signature that he has not seen. */
function endOf(token: string): number {
  let end = 0;
  for (let at = token.length - 4; at < token.length; at++) end = (end << 7) | (token.charCodeAt(at) & 0x7f);
  return end;
}

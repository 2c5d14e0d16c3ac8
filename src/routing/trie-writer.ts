/**
 * Writes tries as flat words, for the router to walk without an object in sight. Each node is followed by what is below
 * it, so that the end of a path lies in few cache lines. A reference is the index of a record's first word; 0 is none.
 *
 *   node           0  the best rank at or below it
 *                  1  label length << 16 | size of the child table << 8 | first character in the child table
 *                  2  -> node after one segment, or 0
 *                  3  -> detours, or 0
 *                  4  number of ends
 *                  5  label, a byte per character, filled up to whole words
 *                     child table: -> node, or 0, for each character from the first on
 *                     ends: entries
 *
 *   detours        0  the best rank among them
 *                  1  -> node after any number of segments, or 0
 *                  2  number of the mark that keeps `**` from being tried twice, or -1 where that cannot happen
 *                  3  number of rests
 *                  4  number of regular expressions
 *                  5  number of globs
 *                  6  rests: entries
 *                     regular expressions: entries
 *                     globs: -> glob, -> node
 *
 *   entry          0  the rank of a route
 *                  1  the end of its group
 *                  2  the first column of its list in `methodTakes`
 *                  3  its place in `predicates`, or -1
 *                  4  its place in `regexes`, or -1
 *                  5  its place in the configuration
 *
 *   glob           0  length
 *                  1  text, a byte per character
 */

import type { TrieNode } from './trie.ts';

/** The words of a node before its label. */
export const NODE_WORDS = 5;
/** The words of detours before its lists. */
export const DETOUR_WORDS = 6;
/** The words of an entry, and the places of those behind the rank. */
export const ENTRY_WORDS = 6;
export const GROUP_END = 1;
export const METHOD_ROW = 2;
export const PREDICATES = 3;
export const REGEX = 4;
export const ROUTE = 5;
const NO_RANK = 0x7fff_ffff;

/** The words of the entry for a number in a trie. */
type EntryOf = (number: number) => readonly number[];

export class TrieWriter {
  /** Word 0 stays unused, so that 0 can mean "none". */
  readonly #words: number[] = [0];
  readonly #texts: { readonly at: number; readonly text: string }[] = [];
  #markCount = 0;

  /** How many marks a walk over these tries needs. */
  get markCount(): number {
    return this.#markCount;
  }

  /** Writes a trie of paths. @returns the reference of its root */
  writePaths(root: TrieNode, entryOf: EntryOf): number {
    return this.#writeNode(root, entryOf, false);
  }

  /** Writes a trie of hosts, whose entries are one word: the reference of a root. @returns the reference of its own root */
  writeHosts(root: TrieNode): number {
    return this.#writeNode(root, (reference) => [reference], false);
  }

  /** The words in memory that threads share. */
  toSharedWords(): Int32Array<SharedArrayBuffer> {
    const words = new Int32Array(new SharedArrayBuffer(this.#words.length * Int32Array.BYTES_PER_ELEMENT));
    words.set(this.#words);
    const bytes = new Uint8Array(words.buffer);
    for (const { at, text } of this.#texts) bytes.set(Buffer.from(text, 'latin1'), at * Int32Array.BYTES_PER_ELEMENT);
    return words;
  }

  /** `isBelowAny`: whether a `**` is on the way here, so that a walk may come by more than once. */
  #writeNode(start: TrieNode, entryOf: EntryOf, isBelowAny: boolean): number {
    const { node, label } = start.straightened();
    const codes = [...node.children.keys()].sort((a, b) => a - b);
    const first = codes[0] ?? 0;
    const tableSize = codes.length === 0 ? 0 : (codes.at(-1) as number) - first + 1;
    const at = this.#reserve(NODE_WORDS);
    this.#writeText(label);
    const table = this.#reserve(tableSize);
    this.#writeEntries(node.ends, entryOf);
    const best = [...node.ends];

    const writeBelow = (below: TrieNode): number => {
      const reference = this.#writeNode(below, entryOf, isBelowAny);
      best.push(this.#words[reference] as number);
      return reference;
    };
    if (node.one !== null) this.#words[at + 2] = writeBelow(node.one);
    for (const code of codes) this.#words[table + code - first] = writeBelow(node.children.get(code) as TrieNode);
    const detours = this.#writeDetours(node, entryOf, isBelowAny);
    if (detours !== 0) best.push(this.#words[detours] as number);
    this.#words[at] = smallestOf(best);
    this.#words[at + 1] = (label.length << 16) | (tableSize << 8) | first;
    this.#words[at + 3] = detours;
    this.#words[at + 4] = node.ends.length;
    return at;
  }

  #writeDetours({ any, rests, regexes, globs }: TrieNode, entryOf: EntryOf, isBelowAny: boolean): number {
    if (any === null && rests.length + regexes.length + globs.size === 0) return 0;
    const at = this.#reserve(DETOUR_WORDS);
    this.#writeEntries(rests, entryOf);
    this.#writeEntries(regexes, entryOf);
    const globTable = this.#reserve(globs.size * 2);
    const best = [...rests, ...regexes];
    const writeBelow = (below: TrieNode, isAny: boolean): number => {
      const reference = this.#writeNode(below, entryOf, isAny || isBelowAny);
      best.push(this.#words[reference] as number);
      return reference;
    };
    const mark = isBelowAny && (any !== null || rests.length > 0) ? this.#markCount++ : -1;
    this.#words[at + 1] = any === null ? 0 : writeBelow(any, true);
    this.#words[at + 2] = mark;
    this.#words[at + 3] = rests.length;
    this.#words[at + 4] = regexes.length;
    this.#words[at + 5] = globs.size;
    for (const [index, [text, below]] of [...globs].entries()) {
      this.#words[globTable + index * 2] = this.#writeGlob(text);
      this.#words[globTable + index * 2 + 1] = writeBelow(below, false);
    }
    this.#words[at] = smallestOf(best);
    return at;
  }

  #writeGlob(text: string): number {
    const at = this.#reserve(1);
    this.#words[at] = text.length;
    this.#writeText(text);
    return at;
  }

  #writeText(text: string): void {
    const at = this.#reserve(Math.ceil(text.length / Int32Array.BYTES_PER_ELEMENT));
    this.#texts.push({ at, text });
  }

  #writeEntries(numbers: readonly number[], entryOf: EntryOf): void {
    for (const number of numbers) this.#words.push(...entryOf(number));
  }

  #reserve(count: number): number {
    const at = this.#words.length;
    for (let word = 0; word < count; word += 1) this.#words.push(0);
    return at;
  }
}

/** Not `Math.min(...)`: there may be more ranks than a call takes arguments. */
function smallestOf(ranks: readonly number[]): number {
  return ranks.reduce((smallest, rank) => Math.min(smallest, rank), NO_RANK);
}

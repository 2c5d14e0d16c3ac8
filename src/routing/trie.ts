import type { Pattern, Segment } from './pattern.ts';

/**
 * A radix trie over the bytes of patterns, as it is built before it becomes flat tables (trie-writer.ts). Numbers in it
 * are ranks of routes.
 *
 * Wild segments hang on the node that stands right after the slash, `**` on the node right before it:
 *
 *   "/api/" --one--> "/sub"      /api, one segment, /sub
 *   "/api"  --any--> "/sub"      /api, any number of segments, /sub
 */
export class TrieNode {
  /** The characters to pass on the way in, without the first, by which the parent chose this node. */
  label: string;
  readonly children = new Map<number, TrieNode>();
  /** Routes whose pattern ends here. */
  readonly ends: number[] = [];
  /** Routes whose pattern ends here in `**`. */
  readonly rests: number[] = [];
  /** Regular expressions whose literal prefix ends here. */
  readonly regexes: number[] = [];
  readonly globs = new Map<string, TrieNode>();
  one: TrieNode | null = null;
  any: TrieNode | null = null;

  constructor(label = '') {
    this.label = label;
  }

  /** Adds a pattern below this node, which must be the root. */
  add(pattern: Pattern, rank: number): void {
    if (pattern.kind === 'regex') this.literalNode(pattern.prefix.text).regexes.push(rank);
    else this.#addSegments(pattern.segments, rank);
  }

  #addSegments(segments: readonly Segment[], rank: number): void {
    let node: TrieNode = this;
    for (const [index, segment] of segments.entries()) {
      if (segment.kind === 'any' && index === segments.length - 1) {
        node.rests.push(rank);
        return;
      }
      node = node.#segmentNode(segment);
    }
    node.ends.push(rank);
  }

  #segmentNode(segment: Segment): TrieNode {
    switch (segment.kind) {
      case 'literal':
        return this.literalNode(`/${segment.text}`);
      case 'glob': {
        const { globs } = this.literalNode('/');
        const node = globs.get(segment.text) ?? new TrieNode();
        globs.set(segment.text, node);
        return node;
      }
      case 'one': {
        const node = this.literalNode('/');
        node.one ??= new TrieNode();
        return node.one;
      }
      case 'any':
        this.any ??= new TrieNode();
        return this.any;
    }
  }

  /**
   * This node and its label; where it has an only child and nothing else, that child and both labels, so that a walk makes
   * one step of the two.
   */
  straightened(): { readonly node: TrieNode; readonly label: string } {
    const [only, ...others] = this.children;
    if (only === undefined || others.length > 0 || this.#isMoreThanAStep()) return { node: this, label: this.label };
    const [code, node] = only;
    return { node, label: this.label + String.fromCharCode(code) + node.label };
  }

  #isMoreThanAStep(): boolean {
    const { ends, rests, regexes, globs, one, any } = this;
    return ends.length + rests.length + regexes.length + globs.size > 0 || one !== null || any !== null;
  }

  /** The node that is reached from here by `text`, made if it is not there yet. */
  literalNode(text: string): TrieNode {
    let node: TrieNode = this;
    let at = 0;
    while (at < text.length) {
      node = node.#childFor(text, at);
      at += 1 + node.label.length;
    }
    return node;
  }

  /** The child whose first character and whole label are in `text` at `at`; made, or split off, to be so. */
  #childFor(text: string, at: number): TrieNode {
    const first = text.charCodeAt(at);
    const known = this.children.get(first);
    const child = known === undefined ? new TrieNode(text.slice(at + 1)) : known.#splitAfter(text, at + 1);
    this.children.set(first, child);
    return child;
  }

  /** This node, or one put before it whose label is what both this label and `text` at `at` start with. */
  #splitAfter(text: string, at: number): TrieNode {
    let shared = 0;
    while (shared < this.label.length && this.label[shared] === text[at + shared]) shared += 1;
    if (shared === this.label.length) return this;
    const parent = new TrieNode(this.label.slice(0, shared));
    parent.children.set(this.label.charCodeAt(shared), this);
    this.label = this.label.slice(shared + 1);
    return parent;
  }
}

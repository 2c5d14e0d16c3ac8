import { EVERY_BYTE, firstBytes, isNullable } from './regex-beginnings.ts';
import type { RegexNode } from './regex-syntax.ts';

/** As many ways a part counts that can stop in many places of a text, without an end. */
const ENDLESS_WAYS = 64;

/**
 * In how many ways an expression can go on through one text, at most; Infinity where nothing bounds it. A matcher that goes back tries all of
 * them before it gives up.
 *
 *   choice        a|b          the sum of those that may begin with the same byte
 *   repetition    a{2,4}       a goes on or stops: w^2 + w^3 + w^4, for w ways through a; w^4 where the next byte says which
 *   sequence      ab           the product
 *
 * What has no end counts as a few ways: how the time grows with the text is asked elsewhere.
 */
export function waysThrough(tree: RegexNode): number {
  const ways = waysOf(tree, 0n);
  return beginsAtStart(tree) ? ways : ways * ENDLESS_WAYS;
}

/** The same for a part that another one follows. */
export function waysBefore(part: RegexNode, rest: RegexNode): number {
  return waysOf(part, isNullable(rest) ? EVERY_BYTE : firstBytes(rest));
}

/** Whether the expression is tried at the start of a text only. */
export function beginsAtStart(tree: RegexNode): boolean {
  if (tree.kind === 'choice') return tree.options.every(beginsAtStart);
  const first = tree.kind === 'sequence' ? tree.parts[0] : tree;
  if (first === undefined) return false;
  return first.kind === 'boundary' ? first.isStart : first !== tree && beginsAtStart(first);
}

/** `next`: the bytes that what follows may begin with. */
function waysOf(node: RegexNode, next: bigint): number {
  switch (node.kind) {
    case 'character':
    case 'boundary':
    case 'reference':
      return 1;
    case 'look':
      return waysOf(node.body, EVERY_BYTE);
    case 'sequence':
      return waysOfSequence(node.parts, next);
    case 'choice':
      return waysOfChoice(node.options, next);
    case 'repeat':
      return waysOfRepeat(node, next);
  }
}

function waysOfSequence(parts: readonly RegexNode[], next: bigint): number {
  let ways = 1;
  let after = next;
  for (const part of parts.toReversed()) {
    ways *= waysOf(part, after);
    after = firstBytes(part) | (isNullable(part) ? after : 0n);
  }
  return ways;
}

function waysOfChoice(options: readonly RegexNode[], next: bigint): number {
  const weighed = options.map((option) => ({
    ways: waysOf(option, next),
    begins: firstBytes(option) | (isNullable(option) ? next : 0n),
    isNullable: isNullable(option),
  }));
  const sumOf = (chosen: typeof weighed) => chosen.reduce((sum, { ways }) => sum + ways, 0);
  // At the end of a text all those are tried that need none.
  let most = Math.max(1, sumOf(weighed.filter((each) => each.isNullable)));
  for (let bit = 1n; bit <= EVERY_BYTE; bit <<= 1n) {
    most = Math.max(most, sumOf(weighed.filter(({ begins }) => (begins & bit) !== 0n)));
  }
  return most;
}

function waysOfRepeat({ body, min, max }: Extract<RegexNode, { kind: 'repeat' }>, next: bigint): number {
  if (max === 0) return 1;
  const begins = firstBytes(body);
  const ways = waysOf(body, max === 1 ? next : begins | next);
  const isOpen = min !== max && ((begins & next) !== 0n || isNullable(body));
  if (max === Infinity) return ways > 1 ? Infinity : isOpen ? ENDLESS_WAYS : 1;
  if (!isOpen) return ways ** max;
  if (ways === 1) return max - min + 1;
  let sum = 0;
  for (let count = min; count <= max && sum !== Infinity; count++) sum += ways ** count;
  return sum;
}

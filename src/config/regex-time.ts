import { hasOneWay } from './regex-automaton.ts';
import { partsOf, type RegexNode } from './regex-syntax.ts';
import { beginsAtStart, waysBefore } from './regex-ways.ts';

/** So often what has no end may be begun with one text: each time it may go through the whole of it. */
const MAX_BEGINNINGS = 256;

/**
 * Whether the time that an expression takes is proven to grow no faster than the text: it is tried at the start only, and from there has one way
 * through any text; or few ways to where parts without an end begin, and one from there. False where nothing is proven.
 */
export function takesLinearTime(tree: RegexNode): boolean {
  if (!beginsAtStart(tree)) return false;
  const parts = flattened(tree);
  if (isLinear(sequenceOf(parts))) return true;
  const endless = parts.findIndex(isEndless);
  if (endless === -1) return false;
  const rest = sequenceOf(parts.slice(endless));
  return isLinear(rest) && waysBefore(sequenceOf(parts.slice(0, endless)), rest) <= MAX_BEGINNINGS;
}

/** Whether some part is repeated without an end. What a group has matched may be as long as the text. */
export function isEndless(node: RegexNode): boolean {
  const isOne = node.kind === 'reference' || (node.kind === 'repeat' && node.max === Infinity);
  return isOne || partsOf(node).some(isEndless);
}

/** From one place on. */
function isLinear(node: RegexNode): boolean {
  return hasOneWay(node) && looksAreFew(node);
}

/** Whether each look is taken once at most from one place on, and is ahead, and linear itself. */
function looksAreFew(node: RegexNode): boolean {
  switch (node.kind) {
    case 'look':
      return !node.isBehind && isLinear(node.body);
    case 'repeat':
      return node.max <= 1 ? looksAreFew(node.body) : !hasLook(node.body);
    case 'sequence': {
      const endless = node.parts.findIndex((part) => part.kind !== 'look' && isEndless(part));
      const after = endless === -1 ? [] : node.parts.slice(endless + 1);
      return node.parts.every(looksAreFew) && !after.some(hasLook);
    }
    default:
      return partsOf(node).every(looksAreFew);
  }
}

function hasLook(node: RegexNode): boolean {
  return node.kind === 'look' || partsOf(node).some(hasLook);
}

const sequenceOf = (parts: readonly RegexNode[]): RegexNode => ({ kind: 'sequence', parts });

/** The parts in a row, groups that only group opened. */
function flattened(node: RegexNode): readonly RegexNode[] {
  return node.kind === 'sequence' ? node.parts.flatMap(flattened) : [node];
}

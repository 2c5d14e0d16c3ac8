import type { RegexNode } from '../../src/config/regex-syntax.ts';
import { beginsAtStart } from '../../src/config/regex-ways.ts';

/** A text took more steps than it may. */
class TooManySteps extends Error {}

/**
 * Matches as the engines of JavaScript do (ECMA-262 22.2.2), going back over every way that there is, and counts. Knows no looks, no references
 * and of the boundaries only `^` and `$`.
 */
export function matchSteps(tree: RegexNode, text: string, maxSteps: number): { found: boolean; steps: number } {
  let steps = 0;

  type Rest = (at: number) => boolean;

  function match(node: RegexNode, at: number, rest: Rest): boolean {
    if (++steps > maxSteps) throw new TooManySteps();
    switch (node.kind) {
      case 'character': {
        const byte = text.charCodeAt(at);
        return at < text.length && ((node.set >> BigInt(byte)) & 1n) === 1n && rest(at + 1);
      }
      case 'boundary':
        return at === (node.isStart ? 0 : text.length) && rest(at);
      case 'sequence':
        return matchParts(node.parts, 0, at, rest);
      case 'choice':
        return node.options.some((option) => match(option, at, rest));
      case 'repeat':
        return matchRounds(node, 0, at, rest);
      default:
        throw new Error(`no steps are known of ${node.kind}`);
    }
  }

  function matchParts(parts: readonly RegexNode[], index: number, at: number, rest: Rest): boolean {
    const part = parts[index];
    return part === undefined ? rest(at) : match(part, at, (next) => matchParts(parts, index + 1, next, rest));
  }

  function matchRounds(node: Extract<RegexNode, { kind: 'repeat' }>, count: number, at: number, rest: Rest): boolean {
    const { body, min, max } = node;
    const goesOn =
      count < max && match(body, at, (next) => (next > at || count < min) && matchRounds(node, count + 1, next, rest));
    return goesOn || (count >= min && rest(at));
  }

  const starts = beginsAtStart(tree) ? 1 : text.length + 1;
  for (let start = 0; start < starts; start++) if (match(tree, start, () => true)) return { found: true, steps };
  return { found: false, steps };
}

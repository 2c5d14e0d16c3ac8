import { isNullable } from './regex-beginnings.ts';
import type { RegexNode } from './regex-syntax.ts';

/**
 * A repetition up to a number is written out as long as all of them together do not make more characters; else it counts as one without an end,
 * which has all of its ways, and more.
 */
const MAX_WRITTEN_OUT = 300;
/** Of more characters than that, as written, nothing is told. */
const MAX_CHARACTERS = 2000;
/** Work for the search of one expression, in pairs of steps looked at. */
const MAX_WORK = 2_000_000;

/**
 * The characters of an expression as states (Glushkov): each state reads its character, and `after` are those that can come next.
 *
 *   a(b|c)*d      begin -> a        a -> b, c, d      b -> b, c, d      c -> b, c, d
 *
 * A state that is twice in one list can be reached in two ways at once.
 */
interface Automaton {
  readonly sets: bigint[];
  readonly after: number[][];
}

/** A piece of an automaton. */
interface Piece {
  readonly begins: readonly number[];
  readonly ends: readonly number[];
  /** In how many ways nothing at all goes through. */
  readonly waysOfNothing: number;
}

const NOTHING: Piece = { begins: [], ends: [], waysOfNothing: 1 };

/** The expression has something that this cannot look through. */
class Unclear extends Error {}

/**
 * Whether there is never more than one way to read a text up to a certain character: then a matcher that goes back reads each place at most as
 * often as the expression has characters. False where there may be more, or where it cannot be told. What is looked at ahead or behind counts as
 * nothing here.
 */
export function hasOneWay(tree: RegexNode): boolean {
  try {
    return isUnambiguous(build(tree));
  } catch (error) {
    if (error instanceof Unclear) return false;
    throw error;
  }
}

function build(tree: RegexNode): Automaton & { readonly begins: readonly number[] } {
  if (charactersOf(tree, false) > MAX_CHARACTERS) throw new Unclear();
  const writesOut = charactersOf(tree, true) <= MAX_WRITTEN_OUT;
  const automaton: Automaton = { sets: [], after: [] };
  const { begins } = pieceOf(tree, automaton, writesOut);
  return { ...automaton, begins };
}

/** How many there are, all repetitions up to a number written out or none. */
function charactersOf(node: RegexNode, writesOut: boolean): number {
  switch (node.kind) {
    case 'character':
      return 1;
    case 'boundary':
    case 'look':
    case 'reference':
      return 0;
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + charactersOf(part, writesOut), 0);
    case 'choice':
      return node.options.reduce((sum, option) => sum + charactersOf(option, writesOut), 0);
    case 'repeat':
      return charactersOf(node.body, writesOut) * (writesOut ? roundsOf(node) : 1);
  }
}

const roundsOf = ({ min, max }: Repeat): number => (max === Infinity ? Math.max(1, min) : max);

type Repeat = Extract<RegexNode, { kind: 'repeat' }>;

function pieceOf(node: RegexNode, automaton: Automaton, writesOut: boolean): Piece {
  switch (node.kind) {
    case 'character': {
      const state = automaton.sets.push(node.set) - 1;
      automaton.after.push([]);
      return { begins: [state], ends: [state], waysOfNothing: 0 };
    }
    case 'boundary':
    case 'look':
      return NOTHING;
    case 'reference':
      throw new Unclear();
    case 'sequence':
      return node.parts.reduce(
        (piece, part) => inSequence(piece, pieceOf(part, automaton, writesOut), automaton),
        NOTHING,
      );
    case 'choice':
      return node.options.map((option) => pieceOf(option, automaton, writesOut)).reduce(asChoice);
    case 'repeat':
      return pieceOfRepeat(node, automaton, writesOut);
  }
}

function inSequence(first: Piece, second: Piece, { after }: Automaton): Piece {
  for (const end of first.ends) (after[end] as number[]).push(...second.begins);
  return {
    begins: first.waysOfNothing === 0 ? first.begins : [...first.begins, ...second.begins],
    ends: second.waysOfNothing === 0 ? second.ends : [...first.ends, ...second.ends],
    waysOfNothing: atMostOne(first.waysOfNothing * second.waysOfNothing),
  };
}

function asChoice(one: Piece, other: Piece): Piece {
  return {
    begins: [...one.begins, ...other.begins],
    ends: [...one.ends, ...other.ends],
    waysOfNothing: atMostOne(one.waysOfNothing + other.waysOfNothing),
  };
}

function atMostOne(ways: number): number {
  if (ways > 1) throw new Unclear();
  return ways;
}

function pieceOfRepeat({ body, min, max }: Repeat, automaton: Automaton, writesOut: boolean): Piece {
  if (max === 0) return NOTHING;
  // Any of several rounds may be the one that takes nothing. A round that need not be is not taken for nothing (ECMA-262 22.2.2.3.1).
  if (isNullable(body) && min > 0 && max > 1) throw new Unclear();
  const next = () => pieceOf(body, automaton, writesOut);
  if (max === Infinity || (max > 1 && !writesOut)) {
    const required = Array.from({ length: writesOut ? Math.max(0, min - 1) : 0 }, next);
    return [...required, asLoop(next(), min > 0, automaton)].reduce((piece, each) =>
      inSequence(piece, each, automaton),
    );
  }
  // a{1,3} is a(a(a)?)?.
  let rest = NOTHING;
  for (let count = max; count > min; count--) rest = asOptional(inSequence(next(), rest, automaton));
  return Array.from({ length: min }, next).reduceRight((after, each) => inSequence(each, after, automaton), rest);
}

function asLoop(piece: Piece, isRequired: boolean, { after }: Automaton): Piece {
  for (const end of piece.ends) (after[end] as number[]).push(...piece.begins);
  return isRequired ? piece : asOptional(piece);
}

/** A round that takes nothing is given up at once, so nothing is one way. */
function asOptional(piece: Piece): Piece {
  return { ...piece, waysOfNothing: 1 };
}

/** Follows two ways at once through any text that both can read, as long as they are at different characters. */
function isUnambiguous({ sets, after, begins }: ReturnType<typeof build>): boolean {
  const states = sets.length;
  const seen = new Set<number>();
  const pairs: (readonly [number, number])[] = [];
  let work = 0;

  /** False: the two can come to one state with one text, or it takes too long to tell. */
  function follow(ones: readonly number[], others: readonly number[], areSame: boolean): boolean {
    work += ones.length * others.length;
    if (work > MAX_WORK) return false;
    for (const [index, one] of ones.entries()) {
      for (const other of areSame ? ones.slice(index + 1) : others) {
        const common = (sets[one] as bigint) & (sets[other] as bigint);
        if (common === 0n) continue;
        if (one === other) return false;
        const pair = Math.min(one, other) * states + Math.max(one, other);
        if (!seen.has(pair)) pairs.push([one, other]);
        seen.add(pair);
      }
    }
    return true;
  }

  if (!follow(begins, begins, true)) return false;
  for (const each of after) if (!follow(each, each, true)) return false;
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    if (!follow(after[pair[0]] as number[], after[pair[1]] as number[], false)) return false;
  }
  return true;
}

/**
 * What an expression is made of, as far as it matters for the ways in which it can match. Inputs are one character a byte, so a set of characters
 * has 256 bits.
 */
export type RegexNode =
  | { readonly kind: 'character'; readonly set: bigint }
  /** What matches between characters: `\b`, `$` and, with `isStart`, `^`. */
  | { readonly kind: 'boundary'; readonly isStart: boolean }
  /** A look ahead, or `isBehind`. */
  | { readonly kind: 'look'; readonly isBehind: boolean; readonly body: RegexNode }
  /** What a group has matched. */
  | { readonly kind: 'reference' }
  | { readonly kind: 'sequence'; readonly parts: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  /** `max` is Infinity for one without an end. */
  | { readonly kind: 'repeat'; readonly body: RegexNode; readonly min: number; readonly max: number };

const GROUP = /\((?:\?(?:(?<look><?[=!])|:|<(?![=!])[^>]*>))?(?!\?)/y;
const CLASS = /\[(?:\\.|[^\\\]])*\]/sy;
const BOUNDARY = /\^|\$|\\[bB]/y;
/** Also octal, which a number is that no group has (ECMA-262 B.1.2). */
const ESCAPE = /\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|[0-3][0-7]{0,2}|[4-7][0-7]?|[^c])/y;
const LITERAL = /[^\\]/y;
const ESCAPE_OR_CLASS = /\\.|\[(?:\\.|[^\\\]])*\]/gs;
const CAPTURING = /\((?:(?!\?)|\?<(?![=!]))/g;
const OR = /\|/y;
const END_OF_GROUP = /\)/y;
const NUMBERED = /\\([1-9][0-9]*)/y;
const NAMED = /\\k<[^>]*>/y;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;

/** The parts of a node, one level down. */
export function partsOf(node: RegexNode): readonly RegexNode[] {
  switch (node.kind) {
    case 'sequence':
      return node.parts;
    case 'choice':
      return node.options;
    case 'look':
    case 'repeat':
      return [node.body];
    default:
      return [];
  }
}

/** Groups within groups. */
const MAX_DEPTH = 100;

/**
 * Reads an expression of JavaScript without flags that compiles (ECMA-262 22.2.1 with B.1.2). Null for one that is nested too deeply, or has what
 * hardly any has: modifiers (`(?i:...)`), under which characters mean others, and `\c` without a letter.
 */
export function parseRegex(source: string): RegexNode | null {
  return new RegexReader(source).read();
}

class RegexReader {
  readonly #source: string;
  readonly #groups: number;
  readonly #hasNames: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    // The engine would tell, but it takes 2^30 steps to make ready what it would take 2^30 steps to match.
    const groups = source.replace(ESCAPE_OR_CLASS, '').match(CAPTURING) ?? [];
    this.#groups = groups.length;
    this.#hasNames = groups.some((opening) => opening !== '(');
  }

  read(): RegexNode | null {
    const tree = this.#choice();
    return this.#at === this.#source.length ? tree : null;
  }

  /** Ends at the end, before a bracket that closes, and wherever something is not understood, which nobody who comes after it takes. */
  #choice(): RegexNode {
    const options = [this.#sequence()];
    while (this.#takes(OR) !== null) options.push(this.#sequence());
    return options.length === 1 ? (options[0] as RegexNode) : { kind: 'choice', options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (let part = this.#part(); part !== null; part = this.#part()) parts.push(this.#quantified(part));
    return parts.length === 1 ? (parts[0] as RegexNode) : { kind: 'sequence', parts };
  }

  #part(): RegexNode | null {
    const next = this.#source[this.#at];
    if (next === undefined || next === '|' || next === ')') return null;
    if (next === '(') return this.#group();
    const boundary = this.#takes(BOUNDARY);
    if (boundary !== null) return { kind: 'boundary', isStart: boundary[0] === '^' };
    return this.#reference() ?? this.#character();
  }

  #group(): RegexNode | null {
    const opening = this.#takes(GROUP);
    if (opening === null || this.#depth === MAX_DEPTH) return null;
    this.#depth++;
    const body = this.#choice();
    this.#depth--;
    if (this.#takes(END_OF_GROUP) === null) return null;
    const look = opening.groups?.['look'];
    return look === undefined ? body : { kind: 'look', isBehind: look.startsWith('<'), body };
  }

  #reference(): RegexNode | null {
    const start = this.#at;
    const isNamed = this.#hasNames && this.#takes(NAMED) !== null;
    const number = isNamed ? null : this.#takes(NUMBERED);
    if (isNamed || (number !== null && Number(number[1]) <= this.#groups)) return { kind: 'reference' };
    this.#at = start;
    return null;
  }

  #character(): RegexNode | null {
    const [atom = null] = this.#takes(CLASS) ?? this.#takes(ESCAPE) ?? this.#takes(LITERAL) ?? [];
    return atom === null ? null : { kind: 'character', set: setOf(atom) };
  }

  #quantified(body: RegexNode): RegexNode {
    const quantifier = this.#takes(QUANTIFIER);
    if (quantifier === null) return body;
    const [, sign, least, comma, most] = quantifier;
    if (sign !== undefined)
      return { kind: 'repeat', body, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity };
    const min = Number(least);
    return { kind: 'repeat', body, min, max: comma === '' ? min : most === '' ? Infinity : Number(most) };
  }

  #takes(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }
}

const sets = new Map<string, bigint>();

/** The bytes that a character, an escape or a class stands for, one bit each. */
function setOf(atom: string): bigint {
  const known = sets.get(atom);
  if (known !== undefined) return known;
  // A brace that begins no quantifier is one of the few that stand for themselves only where they stand.
  const pattern = new RegExp(`^${/^[{}\]]$/.test(atom) ? `\\${atom}` : atom}$`);
  let set = 0n;
  for (let byte = 0; byte < 256; byte++) if (pattern.test(String.fromCharCode(byte))) set |= 1n << BigInt(byte);
  sets.set(atom, set);
  return set;
}

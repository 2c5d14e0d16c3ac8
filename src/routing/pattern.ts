/**
 * Path patterns as written in a route:
 *
 *   /api/users      literal segments
 *   /api/*          exactly one non-empty segment; `{name}` is the same with a name
 *   /api/**         any number of segments, none included: `/api`, `/api/`, `/api/a/b`, but not `/apis`
 *   /js/*.min.js    within a segment `*` is any number of characters, none included, and `?` is one; a
 *                   percent-encoding counts as one character
 *   ^/v[12]/        a regular expression (JavaScript's) over the path, anchored or not as written
 *
 * Literal text is brought into the normal form of request paths, so that a pattern means what it says however it is
 * spelled. Paths are case-sensitive, and a slash at the end counts.
 */

import { asciiPath, normalisePath } from '../http/target.ts';
import { type LiteralPrefix, literalPrefixOf } from './regex-prefix.ts';

export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  /** `literalCount`: how many of its characters are no wildcards. */
  | { readonly kind: 'glob'; readonly text: string; readonly literalCount: number }
  | { readonly kind: 'one'; readonly name: string | null }
  | { readonly kind: 'any' };

export type Pattern =
  | { readonly kind: 'segments'; readonly segments: readonly Segment[] }
  | { readonly kind: 'regex'; readonly source: string; readonly prefix: LiteralPrefix };

/** Bounds the depth of the tries, and with it what one look-up can cost. */
const MAX_PATTERN_CHARS = 1024;

const NAMED_SEGMENT = /^\{([A-Za-z_][A-Za-z0-9_-]*)\}$/;

/** What is wrong with the pattern of a route, null if nothing is. */
export function compilePatternError(text: string): string | null {
  try {
    parsePattern(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** @throws SyntaxError saying what is wrong */
export function parsePattern(text: string): Pattern {
  if (text.length > MAX_PATTERN_CHARS) throw new SyntaxError(`want at most ${MAX_PATTERN_CHARS} characters`);
  if (text.startsWith('^')) return parseRegex(text);
  if (!text.startsWith('/')) throw new SyntaxError('want "/" at the start, or "^" for a regular expression');
  const texts = text.slice(1).split('/');
  const segments = texts.map((segment, index) => parseSegment(segment, index === texts.length - 1));
  refuseDuplicateNames(segments);
  return { kind: 'segments', segments: segments.filter((segment, index) => !repeatsAny(segment, segments[index - 1])) };
}

function parseRegex(source: string): Pattern {
  new RegExp(source); // Throws if it is none.
  return { kind: 'regex', source, prefix: literalPrefixOf(source) };
}

function parseSegment(text: string, isLast: boolean): Segment {
  if (text === '' && !isLast) throw new SyntaxError('an empty segment ("//") matches no normalised path');
  if (text === '**') return { kind: 'any' };
  if (text === '*') return { kind: 'one', name: null };
  const name = NAMED_SEGMENT.exec(text)?.[1];
  if (name !== undefined) return { kind: 'one', name };
  if (/[{}]/.test(text)) throw new SyntaxError(`"${text}": want {name} as a whole segment, or %7B and %7D`);
  if (text.includes('**')) throw new SyntaxError(`"${text}": want "**" as a whole segment`);
  return /[*?]/.test(text) ? parseGlob(text) : parseLiteral(text);
}

function parseLiteral(text: string): Segment {
  const normal = normaliseLiteral(text);
  if (normal === '.' || normal === '..') throw new SyntaxError(`"${text}": a dot segment is in no normalised path`);
  return { kind: 'literal', text: normal };
}

function parseGlob(text: string): Segment {
  const normal = text.replace(/[^*?]+/g, normaliseLiteral);
  return { kind: 'glob', text: normal, literalCount: normal.replace(/[*?]/g, '').length };
}

/** The normal form of a piece of a segment; non-ASCII characters are percent-encoded as UTF-8. */
function normaliseLiteral(text: string): string {
  try {
    // The letter in front keeps a piece such as `..` from being taken for a dot segment.
    return normalisePath(`/x${asciiPath(text)}`, false).slice('/x'.length);
  } catch (error) {
    throw new SyntaxError(`"${text}" cannot be in a path: ${(error as Error).message}`);
  }
}

/** Two `**` in a row mean what one means. */
function repeatsAny(segment: Segment, previous: Segment | undefined): boolean {
  return segment.kind === 'any' && previous?.kind === 'any';
}

function refuseDuplicateNames(segments: readonly Segment[]): void {
  const seen = new Set<string>();
  for (const segment of segments) {
    if (segment.kind !== 'one' || segment.name === null) continue;
    if (seen.has(segment.name)) throw new SyntaxError(`{${segment.name}} is there twice`);
    seen.add(segment.name);
  }
}

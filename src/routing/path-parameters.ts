import { matchesGlob } from './glob.ts';
import type { Pattern, Segment } from './pattern.ts';

/**
 * The named segments of `pattern` in a path that it matches: `/users/{id}` gives `{ id: '7' }` for `/users/7`. Of a regular
 * expression, its named groups. Values are as in the path, percent-encoded. Empty if the path does not match.
 */
export function pathParametersOf(pattern: Pattern, path: string): Record<string, string> {
  const named = pattern.kind === 'regex' ? regexGroups(pattern.source, path) : segmentValues(pattern.segments, path);
  return Object.fromEntries(named);
}

function regexGroups(source: string, path: string): (readonly [string, string])[] {
  const groups = new RegExp(source).exec(path)?.groups ?? {};
  return Object.entries(groups).filter(([, value]) => value !== undefined);
}

function segmentValues(segments: readonly Segment[], path: string): (readonly [string, string])[] {
  const texts = path.slice(1).split('/');
  const places = alignSegments(segments, texts);
  if (places === null) return [];
  return segments.flatMap((segment, index) => {
    if (segment.kind !== 'one' || segment.name === null) return [];
    return [[segment.name, texts[places[index] as number] as string] as const];
  });
}

/**
 * For each segment of the pattern the place in the path that it matches, or null if there is no way. Each `**` takes as
 * few segments as it can; only the last one met is ever tried again, for what came before it matched as early as it can.
 */
function alignSegments(segments: readonly Segment[], texts: readonly string[]): number[] | null {
  const places: number[] = [];
  let at = 0;
  let lastAny = -1;
  let anyEnd = 0;
  for (let index = 0; index < segments.length || at < texts.length; ) {
    const segment = segments[index];
    if (segment?.kind === 'any') {
      lastAny = index;
      anyEnd = at;
      index += 1;
    } else if (segment !== undefined && at < texts.length && matchesSegment(segment, texts[at] as string)) {
      places[index] = at;
      index += 1;
      at += 1;
    } else if (lastAny >= 0 && anyEnd < texts.length) {
      anyEnd += 1;
      at = anyEnd;
      index = lastAny + 1;
    } else {
      return null;
    }
  }
  return places;
}

function matchesSegment(segment: Exclude<Segment, { kind: 'any' }>, text: string): boolean {
  switch (segment.kind) {
    case 'literal':
      return segment.text === text;
    case 'glob':
      return matchesGlob(Buffer.from(segment.text, 'latin1'), 0, segment.text.length, text, 0, text.length);
    case 'one':
      return text !== '';
  }
}

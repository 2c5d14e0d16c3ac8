import { readSharedText } from '../memory/shared-texts.ts';
import { matchesGlob } from './glob.ts';
import { pathParametersOf } from './path-parameters.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import { predicatesHold, type RoutePredicates } from './predicates.ts';
import type { RoutedRequest } from './routed-request.ts';
import type { RouterTables } from './router-tables.ts';
import {
  DETOUR_WORDS,
  ENTRY_WORDS,
  GROUP_END,
  METHOD_ROW,
  NODE_WORDS,
  PREDICATES,
  REGEX,
  ROUTE,
} from './trie-writer.ts';

/** No route matches the request: 404. */
export const ROUTE_NOT_FOUND = -1;
/** The route that matches does not take the method: 405, with `allowedMethods` in `Allow`. */
export const ROUTE_METHOD_NOT_ALLOWED = -2;

const SLASH = 0x2f;

/** Above every rank. */
const UNBOUND = 0x7fff_ffff;
/** Where the marks start anew. */
const LAST_EPOCH = 0x3fff_ffff;
/** A power of two. */
const HOST_SLOTS = 16;

/**
 * Finds the route of a request, without allocating. The search walks down the tries of trie-writer.ts, and keeps a bound:
 * the best rank found so far. What cannot be better is not looked into, and because the most specific branches come first,
 * the first find is as a rule the last: what a look-up costs depends on the path, not on how many routes there are.
 * Branches that fail are left for the next more general one. A node is reached in one way only, except below `**`, and
 * there the marks keep the search from taking the same `**` twice; so no path makes it take exponential time.
 *
 * The most specific route whose path and predicates match decides, whatever its methods are: if neither it nor an equally
 * specific one takes the method, the answer is 405, never a more general route. Else `POST /admin/users` would slip past a
 * protected route that takes only GET, to a general one that is open.
 *
 * Reads of typed arrays are cast to `number`: every index comes from the tables or is compared with a length before.
 */
export class Router {
  readonly #tables: RouterTables;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #methodTakes: Uint8Array;
  readonly #methodColumns: ReadonlyMap<string, number>;
  readonly #predicates: readonly RoutePredicates[];
  readonly #regexes: readonly RegExp[];
  readonly #marks: Int32Array;
  readonly #everyRoot: number;
  readonly #patterns = new Map<number, Pattern>();
  #epoch = 0;

  /** Hosts looked up before, each in the one slot that it can be in, and the two roots of its paths. */
  readonly #knownHosts: string[] = new Array(HOST_SLOTS).fill('');
  readonly #knownRoots = new Int32Array(HOST_SLOTS * 2);

  #method = '';

  /** Of the search under way. The path and the request are passed on instead: stored here, they would outlive it. */
  #methodColumn: number;
  #found = ROUTE_NOT_FOUND;
  /** Only ranks below this one matter any more: the one found, or the end of the group that refused the method. */
  #bound = UNBOUND;

  constructor(tables: RouterTables) {
    this.#tables = tables;
    this.#words = tables.words;
    this.#bytes = new Uint8Array(tables.words.buffer);
    this.#methodTakes = tables.methodTakes;
    this.#methodColumns = new Map(tables.methods.map((name, column) => [name, column]));
    this.#predicates = tables.predicates;
    this.#regexes = tables.regexes.map((source) => new RegExp(source));
    this.#marks = new Int32Array(tables.markCount);
    this.#everyRoot = tables.everyHost;
    this.#methodColumn = tables.methods.length;
  }

  /** The place of the route in the configuration, or one of the two negative answers above. */
  find(request: RoutedRequest): number {
    if (request.method !== this.#method) this.#selectMethod(request.method);
    this.#search(request);
    return this.#found;
  }

  /** The value of `Allow` for a request that got ROUTE_METHOD_NOT_ALLOWED. */
  allowedMethods(request: RoutedRequest): string {
    const isAllowed = (method: string): boolean => {
      this.#selectMethod(method);
      this.#search(request);
      return this.#found >= 0;
    };
    return this.#tables.methods.filter(isAllowed).join(', ');
  }

  /** The values of `{name}` in the pattern of a route, taken from a path that it matches. Not for the hot path. */
  pathParameters(route: number, path: string): Record<string, string> {
    let pattern = this.#patterns.get(route);
    if (pattern === undefined) {
      pattern = parsePattern(readSharedText(this.#tables.patterns, route));
      this.#patterns.set(route, pattern);
    }
    return pathParametersOf(pattern, path);
  }

  #selectMethod(method: string): void {
    this.#method = method;
    this.#methodColumn = this.#methodColumns.get(method) ?? this.#methodColumns.size;
  }

  #search(request: RoutedRequest): void {
    const path = request.path;
    this.#found = ROUTE_NOT_FOUND;
    this.#bound = UNBOUND;
    if (this.#marks.length > 0) this.#startEpoch();
    const slot = this.#hostSlot(request.host);
    const exactRoot = this.#knownRoots[slot * 2] as number;
    const wildcardRoot = this.#knownRoots[slot * 2 + 1] as number;
    const everyRoot = this.#everyRoot;
    if (exactRoot !== 0) this.#walk(exactRoot, 0, path, request);
    if (wildcardRoot !== 0) this.#walk(wildcardRoot, 0, path, request);
    if ((this.#words[everyRoot] as number) < this.#bound) this.#walk(everyRoot, 0, path, request);
  }

  #startEpoch(): void {
    if (this.#epoch === LAST_EPOCH) {
      this.#marks.fill(0);
      this.#epoch = 0;
    }
    this.#epoch += 1;
  }

  /** The slot of the host. What was in it before is forgotten. */
  #hostSlot(host: string): number {
    const length = host.length;
    const slot = length === 0 ? 0 : (length + host.charCodeAt(0) * 3 + host.charCodeAt(length >> 1)) & (HOST_SLOTS - 1);
    if (this.#knownHosts[slot] !== host) {
      const dot = host.indexOf('.');
      this.#knownHosts[slot] = host;
      this.#knownRoots[slot * 2] = this.#rootOf(this.#tables.exactHosts, host, 0);
      this.#knownRoots[slot * 2 + 1] = dot > 0 ? this.#rootOf(this.#tables.wildcardHosts, host, dot) : 0;
    }
    return slot;
  }

  /** What the trie of hosts at `node` holds for `host` from `position` on, or 0. */
  #rootOf(root: number, host: string, start: number): number {
    const words = this.#words;
    let node = root;
    let position = start;
    for (;;) {
      const shape = words[node + 1] as number;
      const labelLength = shape >>> 16;
      if (!this.#labelIs(node, labelLength, host, position)) return 0;
      position += labelLength;
      const tableSize = (shape >>> 8) & 0xff;
      const table = node + NODE_WORDS + ((labelLength + 3) >> 2);
      if (position === host.length) return words[node + 4] === 0 ? 0 : (words[table + tableSize] as number);
      const place = host.charCodeAt(position) - (shape & 0xff);
      node = place >= 0 && place < tableSize ? (words[table + place] as number) : 0;
      if (node === 0) return 0;
      position += 1;
    }
  }

  #labelIs(node: number, labelLength: number, text: string, position: number): boolean {
    if (position + labelLength > text.length) return false;
    const label = (node + NODE_WORDS) << 2;
    for (let at = 0; at < labelLength; at += 1) {
      if (this.#bytes[label + at] !== text.charCodeAt(position + at)) return false;
    }
    return true;
  }

  /** Offers every route at or below `start` that matches the path from `from` on. Kept in one loop for speed. */
  #walk(start: number, from: number, path: string, request: RoutedRequest): void {
    const words = this.#words;
    const bytes = this.#bytes;
    const length = path.length;
    let node = start;
    let position = from;
    while ((words[node] as number) < this.#bound) {
      const shape = words[node + 1] as number;
      const labelLength = shape >>> 16;
      const labelEnd = position + labelLength;
      if (labelEnd > length) return;
      for (let label = (node + NODE_WORDS) << 2; position < labelEnd; label += 1, position += 1) {
        if (bytes[label] !== path.charCodeAt(position)) return;
      }
      const table = node + NODE_WORDS + ((labelLength + 3) >> 2);
      const tableSize = (shape >>> 8) & 0xff;
      const one = words[node + 2] as number;
      const detours = words[node + 3] as number;
      if (position < length) {
        const place = path.charCodeAt(position) - (shape & 0xff);
        const child = place >= 0 && place < tableSize ? (words[table + place] as number) : 0;
        if (one === 0 && detours === 0) {
          if (child === 0) return;
          node = child;
          position += 1;
          continue;
        }
        if (child !== 0) this.#walk(child, position + 1, path, request);
      } else {
        this.#offerAll(table + tableSize, words[node + 4] as number, request);
      }
      if (detours !== 0 && (words[detours] as number) < this.#bound) this.#tryDetours(detours, position, path, request);
      if (one === 0 || (words[one] as number) >= this.#bound) return;
      const segmentEnd = segmentEndOf(path, position);
      if (segmentEnd === position) return;
      node = one;
      position = segmentEnd;
    }
  }

  #tryDetours(detours: number, position: number, path: string, request: RoutedRequest): void {
    const words = this.#words;
    const any = words[detours + 1] as number;
    const rests = words[detours + 3] as number;
    const regexes = words[detours + 4] as number;
    const globs = words[detours + 5] as number;
    const restTable = detours + DETOUR_WORDS;
    if (globs > 0) this.#tryGlobs(restTable + (rests + regexes) * ENTRY_WORDS, globs, position, path, request);
    if (regexes > 0) this.#offerRegexes(restTable + rests * ENTRY_WORDS, regexes, path, request);
    if ((any !== 0 || rests > 0) && isBoundary(path, position) && this.#passMark(words[detours + 2] as number)) {
      this.#offerAll(restTable, rests, request);
      if (any !== 0) this.#walkAny(any, position, path, request);
    }
  }

  /**
   * False if this `**` was tried before in this search. The first time was from further left, for each `**` tries its places
   * from left to right, and so covered all that could be found now.
   */
  #passMark(mark: number): boolean {
    if (mark < 0) return true;
    if (this.#marks[mark] === this.#epoch) return false;
    this.#marks[mark] = this.#epoch;
    return true;
  }

  #tryGlobs(table: number, count: number, position: number, path: string, request: RoutedRequest): void {
    const words = this.#words;
    const segmentEnd = segmentEndOf(path, position);
    for (let entry = table; entry < table + count * 2; entry += 2) {
      const glob = words[entry] as number;
      const node = words[entry + 1] as number;
      if ((words[node] as number) >= this.#bound) continue;
      const text = (glob + 1) << 2;
      const textEnd = text + (words[glob] as number);
      if (matchesGlob(this.#bytes, text, textEnd, path, position, segmentEnd))
        this.#walk(node, segmentEnd, path, request);
    }
  }

  /** Tries what follows a `**` at every place where a segment may start, and at the end. */
  #walkAny(node: number, start: number, path: string, request: RoutedRequest): void {
    let position = start;
    while ((this.#words[node] as number) < this.#bound) {
      this.#walk(node, position, path, request);
      if (position >= path.length) return;
      position = segmentEndOf(path, position + 1);
    }
  }

  #offerRegexes(table: number, count: number, path: string, request: RoutedRequest): void {
    for (let entry = table; entry < table + count * ENTRY_WORDS; entry += ENTRY_WORDS) {
      if ((this.#words[entry] as number) >= this.#bound) return;
      const regex = this.#regexes[this.#words[entry + REGEX] as number] as RegExp;
      if (regex.test(path)) this.#offer(entry, request);
    }
  }

  /** Offers `count` routes, which stand in the order of their ranks. */
  #offerAll(table: number, count: number, request: RoutedRequest): void {
    for (let entry = table; entry < table + count * ENTRY_WORDS; entry += ENTRY_WORDS) {
      if ((this.#words[entry] as number) >= this.#bound) return;
      this.#offer(entry, request);
    }
  }

  /** Takes note of a route whose path matches, and whose rank is below the bound. */
  #offer(entry: number, request: RoutedRequest): void {
    const words = this.#words;
    const predicates = words[entry + PREDICATES] as number;
    if (predicates >= 0 && !predicatesHold(this.#predicates[predicates] as RoutePredicates, request)) return;
    if (this.#methodTakes[(words[entry + METHOD_ROW] as number) + this.#methodColumn] === 1) {
      this.#found = words[entry + ROUTE] as number;
      this.#bound = words[entry] as number;
      return;
    }
    const groupEnd = words[entry + GROUP_END] as number;
    if (groupEnd <= this.#bound) {
      // What was found before is less specific than this route, and so out of the question.
      this.#found = ROUTE_METHOD_NOT_ALLOWED;
      this.#bound = groupEnd;
    }
  }
}

function segmentEndOf(path: string, position: number): number {
  const slash = path.indexOf('/', position);
  return slash < 0 ? path.length : slash;
}

function isBoundary(path: string, position: number): boolean {
  return position === path.length || path.charCodeAt(position) === SLASH;
}

/**
 * The request target (RFC 9112 3.2) and the one normal form of its path.
 *
 * The path is normalised once; the result is what routes are matched against and what goes upstream, so that the
 * gateway and the upstream never read one request in two ways.
 */

import { PhotonError } from '../base/errors.ts';
import { parseAuthority } from './authority.ts';

const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;

/** Nothing to do: unreserved, sub-delims, `:` and `@` (RFC 3986 3.3 `pchar`). */
const PLAIN = 0;
/** `/`, `.`, `%` and `?`, which need a look at what is beside them. */
const DELIMITER = 1;
/** Visible, but not in the URI grammar: `"<>^{|}` and the backquote. Written percent-encoded. */
const UNWISE = 2;
/** Control bytes, space, backslash, `#`, and everything above ASCII. */
const REFUSED = 3;

const UNRESERVED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~';

/** What each character is in a path. Those above latin1 are not in the table, and refused like those above ASCII. */
const KIND = new Uint8Array(256).fill(REFUSED);
for (const character of `${UNRESERVED}!$&'()*+,;=:@`) KIND[character.charCodeAt(0)] = PLAIN;
for (const character of '/.%?') KIND[character.charCodeAt(0)] = DELIMITER;
for (const character of '"<>^`{|}') KIND[character.charCodeAt(0)] = UNWISE;

/** What becomes of each byte when it comes percent-encoded. Those refused raw as separators or controls are refused so too. */
const STAYS_ENCODED = 0;
const IS_DECODED = 1;
const IS_REFUSED = 2;

const ENCODED_KIND = new Uint8Array(256);
for (const character of UNRESERVED) ENCODED_KIND[character.charCodeAt(0)] = IS_DECODED;
ENCODED_KIND.fill(IS_REFUSED, 0x00, 0x20);
for (const character of '\x7f\\') ENCODED_KIND[character.charCodeAt(0)] = IS_REFUSED;

/** Scan result: the path is not in normal form. */
const NOT_NORMAL = -1;

/**
 * The normal form of an absolute path (RFC 3986 6.2.2, made stricter). Idempotent; a path that is in normal form already
 * is returned as the same string.
 *
 * - Percent-encoded unreserved characters are decoded, other percent-encodings written in upper case, characters
 *   outside the URI grammar (`{`, `|` ...) percent-encoded. `%2F` stays: it is not a separator.
 * - Dot segments are removed after decoding. Climbing above the root is refused, though RFC 3986 5.2.4 would stop
 *   at the root: no honest client asks for it. For the same reason `..` beside `%2F` and `..;` are refused, which some
 *   upstreams take for a climb that we would not see.
 * - Runs of slashes become one if `mergeSlashes`.
 * - Refused: control bytes and backslash, raw or percent-encoded (`%5C` is a separator to some upstreams); space, `?`,
 *   `#` and non-ASCII raw; percent signs without two hex digits.
 * @throws PhotonError `bad_target`
 */
export function normalisePath(path: string, mergeSlashes: boolean): string {
  if (path.charCodeAt(0) !== SLASH) throw badTarget('the path does not start with a slash');
  if (normalPathEnd(path, 0, mergeSlashes) === path.length) return path;
  return rewritePath(path, mergeSlashes);
}

/**
 * A path, or a piece of one, that a configuration has: what is not ASCII percent-encoded as UTF-8.
 * @throws URIError for half a character
 */
export function asciiPath(text: string): string {
  return text.replace(/[^\0-\x7f]+/g, encodeURIComponent);
}

/**
 * Index of the `?` or of the end of the path that starts at `start`, or NOT_NORMAL. One look at each character, kept in
 * one loop for speed (bench/micro/request-target.ts).
 */
function normalPathEnd(text: string, start: number, mergeSlashes: boolean): number {
  const length = text.length;
  let lastSlash = NOT_NORMAL - 1;
  for (let at = start; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (KIND[code] === PLAIN) continue;
    if (code === SLASH) {
      if (mergeSlashes && lastSlash === at - 1) return NOT_NORMAL;
      lastSlash = at;
    } else if (code === DOT) {
      if (lastSlash === at - 1 && mayStartDotSegment(text, at)) return NOT_NORMAL;
    } else if (code === PERCENT && isNormalEncoding(text, at)) {
      at += 2;
    } else {
      return code === QUESTION_MARK ? at : NOT_NORMAL;
    }
  }
  return length;
}

/** `text[at]` is a dot that starts a segment. `.well-known` is no dot segment; `..name` is left to the slow path. */
function mayStartDotSegment(text: string, at: number): boolean {
  if (at + 1 === text.length) return true;
  const next = text.charCodeAt(at + 1);
  return next === DOT || next === SLASH || next === QUESTION_MARK;
}

/** Whether the percent-encoding at `at` is kept as it is, with nothing odd after it. */
function isNormalEncoding(text: string, at: number): boolean {
  if (at + 2 >= text.length) return false;
  const high = upperHexValue(text.charCodeAt(at + 1));
  const low = upperHexValue(text.charCodeAt(at + 2));
  if (high < 0 || low < 0) return false;
  const code = high * 16 + low;
  if (code === SLASH && at + 3 < text.length) return text.charCodeAt(at + 3) !== DOT;
  return ENCODED_KIND[code] === STAYS_ENCODED;
}

/** The value of `0-9` and `A-F`, else -1. */
function upperHexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x41 && code <= 0x46 ? code - 0x37 : -1;
}

function rewritePath(path: string, mergeSlashes: boolean): string {
  const segments = rewriteCharacters(path).slice(1).split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (climbsForSomeUpstreams(segment)) throw badTarget('a dot segment beside "%2F" or ";"');
    if (segment === '..') {
      if (kept.pop() === undefined) throw badTarget('the path climbs above the root');
    } else if (segment !== '.' && (segment !== '' || !mergeSlashes)) {
      kept.push(segment);
    }
  }
  // RFC 3986 5.2.4: `/a/`, `/a/.` and `/a/b/..` end in a slash.
  const last = segments.at(-1);
  const endsInSlash = last === '.' || last === '..' || (last === '' && mergeSlashes);
  return `/${kept.join('/')}${endsInSlash && kept.length > 0 ? '/' : ''}`;
}

/**
 * `..%2Fa` is a climb to an upstream that decodes before it splits; `..;a` is one to servlet containers, and `a%2F..;b` to
 * those of them that decode `%2F`. A plain `..` is no riddle to anybody.
 */
function climbsForSomeUpstreams(segment: string): boolean {
  if (segment === '..' || !segment.includes('..')) return false;
  return segment.split('%2F').some((part) => part === '..' || part.startsWith('..;'));
}

function rewriteCharacters(path: string): string {
  let rewritten = '';
  for (let at = 0; at < path.length; at += 1) {
    const code = path.charCodeAt(at);
    const kind = KIND[code] ?? REFUSED;
    if (code === PERCENT) {
      rewritten += rewriteEncoding(path, at);
      at += 2;
    } else if (kind === UNWISE) {
      rewritten += percentEncode(code);
    } else if (kind === REFUSED || code === QUESTION_MARK) {
      throw badTarget(`a character that is not allowed in the path, at offset ${at}`);
    } else {
      rewritten += path.charAt(at);
    }
  }
  return rewritten;
}

function rewriteEncoding(path: string, at: number): string {
  const digits = path.slice(at + 1, at + 3);
  if (!/^[0-9a-f]{2}$/i.test(digits)) throw badTarget(`want two hex digits after "%" at offset ${at}`);
  const code = Number.parseInt(digits, 16);
  if (ENCODED_KIND[code] === IS_REFUSED) throw badTarget(`a refused character, percent-encoded, at offset ${at}`);
  return ENCODED_KIND[code] === IS_DECODED ? String.fromCharCode(code) : percentEncode(code);
}

function percentEncode(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Index of the first character that a query must not have, or -1. Anything visible but `#` passes. */
function refusedQueryOffset(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x23) return at;
  }
  return -1;
}

/** The four forms of RFC 9112 3.2. */
export type TargetForm = 'origin' | 'absolute' | 'authority' | 'asterisk';

/**
 * A parsed request target. One object serves many requests, one after the other: `parse` overwrites all of it, and for a
 * target in normal form allocates nothing but the strings cut out of it.
 */
export class RequestTarget {
  form: TargetForm = 'origin';
  /** Normalised; `''` in authority-form, `*` in asterisk-form. */
  path = '';
  /** As received, without the `?`. */
  query = '';
  /** Tells `/a?` from `/a`. */
  hasQuery = false;
  /** The target came in origin-form with its path in normal form: written anew it would be the same. */
  isNormal = false;
  /** The authority named in the target, unparsed; it overrides `Host` (RFC 9112 3.2.2). Null in origin-form. */
  authority: string | null = null;

  /**
   * @throws PhotonError `bad_target`; in authority-form also `bad_host`. After a throw the fields mean nothing.
   */
  parse(target: string, method: string, mergeSlashes: boolean): void {
    if (method === 'CONNECT') {
      this.#parseAuthorityForm(target);
    } else if (target.charCodeAt(0) === SLASH) {
      this.form = 'origin';
      this.authority = null;
      this.isNormal = this.#parsePathAndQuery(target, 0, mergeSlashes);
    } else if (target === '*') {
      if (method !== 'OPTIONS') throw badTarget('"*" is for OPTIONS only');
      this.#become('asterisk', '*', null);
    } else {
      this.#parseAbsoluteForm(target, method, mergeSlashes);
    }
  }

  /** Returns whether the path was in normal form. */
  #parsePathAndQuery(target: string, start: number, mergeSlashes: boolean): boolean {
    let pathEnd = normalPathEnd(target, start, mergeSlashes);
    const isNormal = pathEnd !== NOT_NORMAL;
    if (!isNormal) pathEnd = endOf(target, '?', start);
    const path = start === 0 && pathEnd === target.length ? target : target.slice(start, pathEnd);
    this.path = isNormal ? path : rewritePath(path, mergeSlashes);
    this.#setQuery(target, pathEnd);
    return isNormal;
  }

  /** Takes what follows the `?` at `questionMark`, or no query if the target ends there. */
  #setQuery(target: string, questionMark: number): void {
    this.hasQuery = questionMark < target.length;
    if (!this.hasQuery) {
      this.query = '';
      return;
    }
    const refused = refusedQueryOffset(target, questionMark + 1);
    if (refused >= 0) throw badTarget(`a character that is not allowed in the query, at offset ${refused}`);
    this.query = target.slice(questionMark + 1);
  }

  #parseAbsoluteForm(target: string, method: string, mergeSlashes: boolean): void {
    const prefix = /^https?:\/\//i.exec(target);
    if (prefix === null) throw badTarget('want a path, "http://" or "https://"');
    const start = prefix[0].length;
    const authorityEnd = Math.min(endOf(target, '/', start), endOf(target, '?', start), endOf(target, '#', start));
    const authority = target.slice(start, authorityEnd);
    if (authorityEnd === target.length && method === 'OPTIONS') {
      // RFC 9112 3.2.4: OPTIONS of an authority without path or query is how "*" passes through a proxy.
      this.#become('asterisk', '*', authority);
      return;
    }
    this.#become('absolute', '/', authority);
    if (target.charCodeAt(authorityEnd) === SLASH) this.#parsePathAndQuery(target, authorityEnd, mergeSlashes);
    else if (target.charCodeAt(authorityEnd) === QUESTION_MARK) this.#setQuery(target, authorityEnd);
    else if (authorityEnd < target.length) throw badTarget('"#" is not allowed');
  }

  #parseAuthorityForm(target: string): void {
    // RFC 9112 3.2.3: CONNECT has no default port, and its target no other form.
    if (parseAuthority(target).port === null) throw badTarget('CONNECT wants host:port');
    this.#become('authority', '', target);
  }

  #become(form: TargetForm, path: string, authority: string | null): void {
    this.form = form;
    this.isNormal = false;
    this.path = path;
    this.query = '';
    this.hasQuery = false;
    this.authority = authority;
  }
}

/** Where `delimiter` stands at or after `start`, or the end of the text. */
function endOf(text: string, delimiter: string, start: number): number {
  const at = text.indexOf(delimiter, start);
  return at < 0 ? text.length : at;
}

function badTarget(reason: string): PhotonError {
  return new PhotonError('bad_target', `Cannot read the request target: ${reason}`);
}

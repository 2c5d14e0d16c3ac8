import { hasControlOrHighByte } from '../base/byte-words.ts';
import { TOKEN_LOWER_CASE } from './characters.ts';

/**
 * The field names that the gateway itself looks at. A decoder finds the number of a name while it scans the name's bytes, so
 * that nothing after it compares strings: 0 is every name that is not listed here.
 */
export const FIELD = {
  OTHER: 0,
  HOST: 1,
  CONNECTION: 2,
  CONTENT_LENGTH: 3,
  TRANSFER_ENCODING: 4,
  TE: 5,
  UPGRADE: 6,
  KEEP_ALIVE: 7,
  PROXY_CONNECTION: 8,
  EXPECT: 9,
  X_FORWARDED_FOR: 10,
  X_FORWARDED_PROTO: 11,
  X_FORWARDED_HOST: 12,
  X_FORWARDED_PORT: 13,
  X_REQUEST_ID: 14,
  ACCEPT: 15,
  CONTENT_TYPE: 16,
  HTTP2_SETTINGS: 17,
  PROXY_AUTHENTICATE: 18,
  PROXY_AUTHORIZATION: 19,
  TRAILER: 20,
  FORWARDED: 21,
  DATE: 22,
  X_CLIENT_CERT_SUBJECT: 23,
  USER_AGENT: 24,
  REFERER: 25,
  ORIGIN: 26,
  AUTHORIZATION: 27,
  COOKIE: 28,
  WWW_AUTHENTICATE: 29,
  /** A known name with `_` in the place of `-`: what reads field names as variables (CGI, WSGI, PHP) takes it for that name. */
  LOOKALIKE: 30,
} as const;

/** Lower-case names by number; index 0 is unused. */
export const FIELD_NAMES: readonly string[] = [
  '',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'te',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'expect',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-request-id',
  'accept',
  'content-type',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  'trailer',
  'forwarded',
  'date',
  'x-client-cert-subject',
  'user-agent',
  'referer',
  'origin',
  'authorization',
  'cookie',
  'www-authenticate',
];

const NUMBERS: ReadonlyMap<string, number> = new Map(FIELD_NAMES.entries().map(([number, name]) => [name, number]));

/** The number of a lower-case name, 0 when it is not a known one. */
export function numberOfName(lowerCaseName: string): number {
  return NUMBERS.get(lowerCaseName) ?? FIELD.OTHER;
}

/** How many numbers there are, those without a name included: the size of a table indexed by them. */
export const FIELD_COUNT = FIELD_NAMES.length + 1;

const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;
const SLOTS = 256;

/**
 * The slot of a lower-case name, from three things that are cheap to know: its length, its first character and its last but
 * one. The factors are such that no two known names share a slot; a new name that does is found when this file is loaded.
 */
const slotOf = (length: number, first: number, lastButOne: number): number =>
  (length * 12 + first * 47 + lastButOne) & (SLOTS - 1);

/** slot -> number of the one known name in it. */
const NUMBER_BY_SLOT = buildSlots();

function buildSlots(): Uint8Array {
  const slots = new Uint8Array(SLOTS);
  for (let number = 1; number < FIELD_NAMES.length; number++) {
    const name = FIELD_NAMES[number] as string;
    const slot = slotOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 2));
    if (slots[slot] !== 0) throw new Error(`${name} and ${FIELD_NAMES[slots[slot] as number]} share a slot`);
    slots[slot] = number;
  }
  return slots;
}

/** Words of four bytes that the longest known name takes. */
const WORDS_PER_NAME = 6;
const LOWER_CASE_BITS = 0x20202020;

/** The known names, `WORDS_PER_NAME` words each. The last word of a name ends with it and may overlap the one before. */
const NAME_WORDS = buildNameWords();

function buildNameWords(): Int32Array {
  const words = new Int32Array(FIELD_NAMES.length * WORDS_PER_NAME);
  for (const [number, name] of FIELD_NAMES.entries()) {
    const bytes = Buffer.from(name, 'latin1');
    for (let i = 0; i * 4 < bytes.length && bytes.length >= 4; i++) {
      words[number * WORDS_PER_NAME + i] = bytes.readInt32LE(Math.min(i * 4, bytes.length - 4));
    }
  }
  return words;
}

/**
 * The number of the field name that stands in `bytes` from `start` to `end` in any case, 0 when it is not a known one. `words` is
 * `wordsOf(bytes)`.
 */
export function fieldNumber(bytes: Uint8Array, words: DataView, start: number, end: number): number {
  const length = end - start;
  if (length < 2) return FIELD.OTHER;
  const first = TOKEN_LOWER_CASE[bytes[start] as number] as number;
  const lastButOne = TOKEN_LOWER_CASE[bytes[end - 2] as number] as number;
  const number = NUMBER_BY_SLOT[slotOf(length, first, lastButOne)] as number;
  if (number === FIELD.OTHER || (FIELD_NAMES[number] as string).length !== length) return FIELD.OTHER;
  if (length < 4) return sameShortName(bytes, start, number);
  return sameName(words, start, end, number) ? number : lookalike(bytes, start, number);
}

/** Called for the rare other name in the slot of a known one, so that looking costs nothing. */
function lookalike(bytes: Uint8Array, start: number, number: number): number {
  const name = FIELD_NAMES[number] as string;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i] as number;
    const alike = byte === UNDERSCORE ? HYPHEN : TOKEN_LOWER_CASE[byte];
    if (alike !== name.charCodeAt(i)) return FIELD.OTHER;
  }
  return FIELD.LOOKALIKE;
}

/** From 0x20 on, setting bit 0x20 makes no byte equal to one of a known name but that byte itself and its upper case. */
function sameName(words: DataView, start: number, end: number, number: number): boolean {
  const last = end - 4;
  let word = number * WORDS_PER_NAME;
  for (let at = start; at < last; at += 4, word++) {
    if (!sameWord(words.getInt32(at, true), NAME_WORDS[word] as number)) return false;
  }
  return sameWord(words.getInt32(last, true), NAME_WORDS[word] as number);
}

const sameWord = (word: number, lowerCase: number): boolean =>
  (word | LOWER_CASE_BITS) === lowerCase && !hasControlOrHighByte(word);

function sameShortName(bytes: Uint8Array, start: number, number: number): number {
  const name = FIELD_NAMES[number] as string;
  for (let i = 0; i < name.length; i++) {
    if (TOKEN_LOWER_CASE[bytes[start + i] as number] !== name.charCodeAt(i)) return FIELD.OTHER;
  }
  return number;
}

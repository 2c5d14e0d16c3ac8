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
];

/** How many numbers there are, 0 included: the size of a table indexed by them. */
export const FIELD_COUNT = FIELD_NAMES.length;

const SLOTS = 256;

/** The hash of a lower-case name. A decoder computes it byte by byte: `hash = (Math.imul(hash, 31) + byte) | 0`, from 0. */
function hashName(lowerCaseName: string): number {
  let hash = 0;
  for (let i = 0; i < lowerCaseName.length; i++) hash = (Math.imul(hash, 31) + lowerCaseName.charCodeAt(i)) | 0;
  return hash;
}

const slotOf = (hash: number): number => (hash ^ (hash >>> 11)) & (SLOTS - 1);

/** slot -> number of the one known name in it. Two known names in one slot would be a bug of this file, found at load. */
const NUMBER_BY_SLOT = buildSlots();
const HASHES = Int32Array.from(FIELD_NAMES, hashName);

function buildSlots(): Uint8Array {
  const slots = new Uint8Array(SLOTS);
  for (let number = 1; number < FIELD_COUNT; number++) {
    const slot = slotOf(hashName(FIELD_NAMES[number] as string));
    if (slots[slot] !== 0) throw new Error(`field names ${number} and ${slots[slot]} share slot ${slot}`);
    slots[slot] = number;
  }
  return slots;
}

/**
 * The number of the field name that stands in `bytes` from `start` to `end` in any case, 0 when it is not a known one.
 * `hash` is that of its lower-case form. The name itself is compared: a hash alone could be forged.
 */
export function fieldNumber(bytes: Uint8Array, start: number, end: number, hash: number): number {
  const number = NUMBER_BY_SLOT[slotOf(hash)] as number;
  if (number === 0 || HASHES[number] !== hash) return 0;
  const name = FIELD_NAMES[number] as string;
  if (name.length !== end - start) return 0;
  for (let i = 0; i < name.length; i++) {
    if (TOKEN_LOWER_CASE[bytes[start + i] as number] !== name.charCodeAt(i)) return 0;
  }
  return number;
}

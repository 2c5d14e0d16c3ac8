import * as crypto from 'node:crypto';

/** The hash of a password, with what it takes to hash another one in the same way. */
export type PasswordHash =
  | { readonly kind: 'bcrypt'; readonly text: string }
  | {
      readonly kind: 'argon2';
      readonly algorithm: 'argon2d' | 'argon2i' | 'argon2id';
      readonly memoryKiB: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    }
  | {
      readonly kind: 'sha-crypt';
      readonly algorithm: 'sha256' | 'sha512';
      readonly rounds: number;
      readonly salt: string;
      /** In the alphabet of crypt(3). */
      readonly digest: string;
    }
  | { readonly kind: 'sha256'; readonly digest: Buffer };

/** RFC 7617 sets no limit. How long a password is takes part in what a hash costs, and whoever sends it chooses that. */
export const MAX_PASSWORD_BYTES = 256;

/*
 * A hash costs what is written in it, and it may come from somebody else: what would take more than about three seconds, or more memory
 * than a gateway has to spare, is refused when it is read.
 */
const MAX_BCRYPT_ROUNDS = 15;
const MAX_SHA_CRYPT_ROUNDS = 1_000_000;
const MAX_ARGON2_KIB = 262_144;
const MAX_ARGON2_PASSES = 64;
/** Memory times passes: what the time goes by. */
const MAX_ARGON2_WORK_KIB = 1_048_576;
const MAX_ARGON2_PARALLELISM = 16;

const WANTED = 'the hash of a password: bcrypt ($2b$), argon2 ($argon2id$), sha-crypt ($5$, $6$) or {SHA256}';

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const SHA_CRYPT = /^\$([56])\$(?:rounds=([1-9]\d{0,8})\$)?([^$:\s\p{Cc}]{0,16})\$([./A-Za-z0-9]+)$/u;
const ARGON2 =
  /^\$(argon2(?:id|i|d))\$v=(\d{1,3})\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const SHA256 = /^\{SHA256\}([A-Za-z0-9+/]{43}=)$/;

/** Kinds that others take, and that are known when they are met. */
const REFUSED: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^\$apr1\$/, 'MD5 of Apache ($apr1$)'],
  [/^\$1\$/, 'MD5 ($1$)'],
  [/^\{SHA\}/, 'SHA-1 ({SHA})'],
  [/^\{SSHA\}/, 'SHA-1 ({SSHA})'],
  [/^\$(?:y|gy|7)\$/, 'yescrypt or scrypt'],
  [/^\$2x\$/, 'bcrypt of a version with a fault ($2x$)'],
  [/^[./A-Za-z0-9]{13}$/, 'DES of crypt(3), or the password itself'],
];

/** Throws a SyntaxError that says what was wanted, and nothing of the text itself. */
export function parsePasswordHash(text: string): PasswordHash {
  if (text.startsWith('$2')) return parseBcrypt(text);
  if (text.startsWith('$argon2')) return parseArgon2(text);
  if (/^\$[56]\$/.test(text)) return parseShaCrypt(text);
  const digest = SHA256.exec(text)?.[1];
  const bytes = digest === undefined ? null : decodeBase64(digest);
  if (bytes !== null) return { kind: 'sha256', digest: bytes };
  throw unusable(text);
}

function unusable(text: string): SyntaxError {
  const refused = REFUSED.find(([pattern]) => pattern.test(text));
  return new SyntaxError(refused === undefined ? WANTED : `${WANTED}, not ${refused[1]}`);
}

function parseBcrypt(text: string): PasswordHash {
  const rounds = Number(BCRYPT.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(rounds)) throw unusable(text);
  if (rounds < 4 || rounds > MAX_BCRYPT_ROUNDS) {
    throw new SyntaxError(`bcrypt with a cost from 4 to ${MAX_BCRYPT_ROUNDS}, not ${rounds}`);
  }
  return { kind: 'bcrypt', text };
}

/** Where the text says nothing there are 5000 rounds; fewer than 1000 are taken for 1000, as crypt(3) does. */
function parseShaCrypt(text: string): PasswordHash {
  const [, number = '', written = '5000', salt = '', digest = ''] = SHA_CRYPT.exec(text) ?? [];
  if (digest.length !== (number === '5' ? 43 : 86)) throw unusable(text);
  const rounds = Math.max(1000, Number(written));
  if (rounds > MAX_SHA_CRYPT_ROUNDS) {
    throw new SyntaxError(`sha-crypt with at most ${MAX_SHA_CRYPT_ROUNDS} rounds, not ${rounds}`);
  }
  return { kind: 'sha-crypt', algorithm: number === '5' ? 'sha256' : 'sha512', rounds, salt, digest };
}

/** The form of https://github.com/P-H-C/phc-string-format, with version 1.3 (RFC 9106) alone. */
function parseArgon2(text: string): PasswordHash {
  const [, algorithm = '', version, memory, passes, parallelism, ...encoded] = ARGON2.exec(text) ?? [];
  const [salt, tag] = encoded.map(decodeUnpadded);
  if (!salt || !tag || version !== '19') throw new SyntaxError(`${WANTED}; argon2 with v=19 and m, t, p, salt, hash`);
  const hash = {
    kind: 'argon2',
    // Sound: the pattern has these three.
    algorithm: algorithm as 'argon2d' | 'argon2i' | 'argon2id',
    memoryKiB: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt,
    tag,
  } as const;
  checkArgon2(hash);
  return hash;
}

function checkArgon2({ memoryKiB, passes, parallelism, salt, tag }: Extract<PasswordHash, { kind: 'argon2' }>): void {
  if (typeof crypto.argon2Sync !== 'function') {
    throw new SyntaxError(
      `a hash other than argon2, for which Node.js 24.7 or newer is needed, not ${process.version}`,
    );
  }
  const isCheap =
    memoryKiB <= MAX_ARGON2_KIB && passes <= MAX_ARGON2_PASSES && memoryKiB * passes <= MAX_ARGON2_WORK_KIB;
  if (!isCheap || parallelism > MAX_ARGON2_PARALLELISM) {
    throw new SyntaxError(
      `argon2 with m of at most ${MAX_ARGON2_KIB}, t of at most ${MAX_ARGON2_PASSES}, m times t of at most ${MAX_ARGON2_WORK_KIB} and p of at most ${MAX_ARGON2_PARALLELISM}`,
    );
  }
  // RFC 9106 3.1: eight blocks for each lane, a salt of 8 bytes; a tag of less than 16 bytes would be guessed.
  const isSound = memoryKiB >= 8 * parallelism && inRange(salt.length, 8, 64) && inRange(tag.length, 16, 64);
  if (!isSound)
    throw new SyntaxError('argon2 with m of at least 8 times p, a salt of 8 to 64 bytes, a hash of 16 to 64');
}

const inRange = (value: number, min: number, max: number): boolean => value >= min && value <= max;

/** RFC 4648 4 in its one canonical spelling, or null. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

const decodeUnpadded = (text: string): Buffer | null => decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='));

/**
 * A hash that nobody knows a password for, and that takes exactly as long as `text`, a hash that can be used. It is the same in every
 * thread: whatever is remembered of one is remembered of the other.
 */
export function decoyOf(text: string): string {
  const head = costOf(text);
  const noise = crypto.createHash('shake256', { outputLength: text.length }).update(`decoy ${text}`).digest();
  // The last character of a part is left: not every one would be a canonical ending.
  return (
    head +
    text.slice(head.length).replace(/[./+A-Za-z0-9](?=[./+A-Za-z0-9])/g, (_each, at: number) => letter(noise[at]))
  );
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789AB';
const letter = (byte = 0): string => LETTERS.charAt(byte & 63);

/** How a hash that can be used begins: two with the same beginning cost the same. */
export function costOf(text: string): string {
  return /^(?:\$2[aby]\$\d\d\$|\$[56]\$(?:rounds=\d+\$)?|\$argon2.*\$m=[^$]*\$|\{SHA256\})/.exec(text)?.[0] ?? '';
}

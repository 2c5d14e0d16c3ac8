import { hash as digestOf } from 'node:crypto';

type Algorithm = 'sha256' | 'sha512';

const sum = (algorithm: Algorithm, ...parts: readonly Buffer[]): Buffer =>
  digestOf(algorithm, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), 'buffer');

/**
 * The digest of sha-crypt, `$5$` and `$6$` of crypt(3), in its own alphabet. After Ulrich Drepper, "Unix crypt using SHA-256 and
 * SHA-512", version 0.6 (https://www.akkadia.org/drepper/SHA-crypt.txt), whose numbers of the steps stand here.
 */
export function shaCrypt(algorithm: Algorithm, rounds: number, saltText: string, password: Buffer): string {
  const salt = Buffer.from(saltText, 'utf8');
  const mixed = mix(algorithm, salt, password);
  // 13 to 16: the password, written over and over, in as many bytes as it has itself; 17 to 20: likewise the salt.
  const p = repeated(sum(algorithm, ...copies(password, password.length)), password.length);
  const s = repeated(sum(algorithm, ...copies(salt, 16 + (mixed[0] ?? 0))), salt.length);
  let digest = mixed;
  // 21: what takes the time.
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    digest = sum(
      algorithm,
      odd ? p : digest,
      round % 3 === 0 ? NOTHING : s,
      round % 7 === 0 ? NOTHING : p,
      odd ? digest : p,
    );
  }
  return encode(digest, ORDERS[algorithm]);
}

const NOTHING = Buffer.alloc(0);

/** 1 to 12. */
function mix(algorithm: Algorithm, salt: Buffer, password: Buffer): Buffer {
  const other = sum(algorithm, password, salt, password);
  const parts = [password, salt, repeated(other, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? other : password);
  return sum(algorithm, ...parts);
}

const copies = (bytes: Buffer, count: number): readonly Buffer[] => Array.from({ length: count }, () => bytes);

/** `length` bytes, of `bytes` again and again. */
function repeated(bytes: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let at = 0; at < length; at += bytes.length) bytes.copy(out, at);
  return out;
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 22: in which order three bytes each become four characters, the first of the three the highest; what is left makes fewer. */
const ORDERS: Readonly<Record<Algorithm, readonly number[]>> = {
  sha256: [...turning([0, 10, 20], 10, [2, 0, 1]), 31, 30],
  sha512: [...turning([0, 21, 42], 21, [1, 2, 0]), 63],
};

/** Each three are the three before, turned as `turn` says and one further. */
function turning(first: readonly number[], count: number, turn: readonly number[]): readonly number[] {
  const order = [...first];
  for (let group = 1; group < count; group++) {
    for (const place of turn) order.push((order[(group - 1) * 3 + place] ?? 0) + 1);
  }
  return order;
}

function encode(digest: Buffer, order: readonly number[]): string {
  let text = '';
  for (let at = 0; at < order.length; at += 3) {
    const bytes = order.slice(at, at + 3).map((index) => digest[index] ?? 0);
    let value = bytes.reduce((sofar, byte) => sofar * 256 + byte, 0);
    for (let left = Math.ceil((bytes.length * 8) / 6); left > 0; left--, value >>= 6) text += ALPHABET[value & 63];
  }
  return text;
}

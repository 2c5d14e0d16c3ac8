/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a hash with a secret key. Without the key nobody can find two texts with one hash, and so
 * choose keys that collide in a table. Each 64-bit word is two 32-bit halves, the low one first.
 *
 * One object hashes one text after the other; the result of the last one stands in `low` and `high`.
 */
export class SipHash {
  readonly #key: Int32Array;
  low = 0;
  high = 0;

  /** `key`: four words, the secret. */
  constructor(key: Int32Array) {
    this.#key = key;
  }

  /** Hashes latin1 text, one byte a character. One long function, because no function can return eight words without an object. */
  hash(text: string): void {
    const k0l = this.#key[0] as number;
    const k0h = this.#key[1] as number;
    const k1l = this.#key[2] as number;
    const k1h = this.#key[3] as number;
    let v0l = k0l ^ 0x70736575;
    let v0h = k0h ^ 0x736f6d65;
    let v1l = k1l ^ 0x6e646f6d;
    let v1h = k1h ^ 0x646f7261;
    let v2l = k0l ^ 0x6e657261;
    let v2h = k0h ^ 0x6c796765;
    let v3l = k1l ^ 0x79746573;
    let v3h = k1h ^ 0x74656462;
    const wholeBytes = text.length & ~7;
    // Blocks of eight bytes, then one of what is left with the length in its highest byte, then four rounds without a block.
    for (let at = 0; at <= wholeBytes + 8; at += 8) {
      const isEnd = at > wholeBytes;
      let low = 0;
      let high = 0;
      if (at < wholeBytes) {
        low = wordAt(text, at);
        high = wordAt(text, at + 4);
      } else if (isEnd) {
        v2l ^= 0xff;
      } else {
        low = partAt(text, at);
        high = partAt(text, at + 4) | (text.length << 24);
      }
      v3l ^= low;
      v3h ^= high;
      for (let round = isEnd ? 4 : 2; round > 0; round--) {
        v0l = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (v0l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        let kept = v1l;
        v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
        v1h = ((v1h << 13) | (kept >>> 19)) ^ v0h;
        kept = v0l;
        v0l = v0h;
        v0h = kept;
        v2l = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (v2l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        kept = v3l;
        v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
        v3h = ((v3h << 16) | (kept >>> 16)) ^ v2h;
        v0l = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (v0l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        kept = v3l;
        v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
        v3h = ((v3h << 21) | (kept >>> 11)) ^ v0h;
        v2l = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (v2l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        kept = v1l;
        v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
        v1h = ((v1h << 17) | (kept >>> 15)) ^ v2h;
        kept = v2l;
        v2l = v2h;
        v2h = kept;
      }
      v0l ^= low;
      v0h ^= high;
    }
    this.low = v0l ^ v1l ^ v2l ^ v3l;
    this.high = v0h ^ v1h ^ v2h ^ v3h;
  }
}

/** Four bytes, the lowest first. */
function wordAt(text: string, at: number): number {
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  );
}

/** Up to four bytes, the lowest first: as many as are left. */
function partAt(text: string, at: number): number {
  let word = 0;
  for (let end = Math.min(text.length, at + 4); end > at; end--) word = (word << 8) | text.charCodeAt(end - 1);
  return word;
}

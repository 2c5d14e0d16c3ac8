import { createHash } from 'node:crypto';

/** A prime just above 64 KiB: no buffer size is a multiple of it, so no buffer in a wrong place looks right. */
const PERIOD = 65_537;
/** The longest slice that {@link Pattern.slice} gives. */
const MAX_SLICE_BYTES = 65_536;

/** The bytes of a generated body: every seed has its own, and any position can be asked for without storing the body. */
export class Pattern {
  readonly #bytes: Buffer;

  constructor(seed: number) {
    this.#bytes = Buffer.allocUnsafe(PERIOD + MAX_SLICE_BYTES);
    // xorshift32 never leaves 0, so the state is kept off it.
    let state = (Math.imul(seed + 1, 0x9e37_79b1) | 1) >>> 0;
    for (let at = 0; at < PERIOD; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      this.#bytes[at] = state >>> 24;
    }
    this.#bytes.copyWithin(PERIOD, 0, MAX_SLICE_BYTES);
  }

  /** The bytes at `offset`, at most 64 KiB of them; never to be changed. */
  slice(offset: number, bytes: number): Buffer {
    const start = offset % PERIOD;
    return this.#bytes.subarray(start, start + Math.min(bytes, MAX_SLICE_BYTES));
  }

  /** Whether `bytes` are what the body has at `offset`. */
  matches(offset: number, bytes: Buffer): boolean {
    for (let at = 0; at < bytes.length; at += MAX_SLICE_BYTES) {
      const part = bytes.subarray(at, at + MAX_SLICE_BYTES);
      if (!part.equals(this.slice(offset + at, part.length))) return false;
    }
    return true;
  }

  /** The parts of a body of `total` bytes, one after the other. */
  *parts(total: number): Generator<Buffer> {
    for (let offset = 0; offset < total; offset += MAX_SLICE_BYTES) yield this.slice(offset, total - offset);
  }

  /** SHA-256 of a body of `total` bytes, in hexadecimal. */
  digest(total: number): string {
    const hash = createHash('sha256');
    for (const part of this.parts(total)) hash.update(part);
    return hash.digest('hex');
  }
}

/** Checks a body as it comes: its bytes against a pattern, and its digest. */
export class PatternCheck {
  readonly #pattern: Pattern;
  readonly #hash = createHash('sha256');
  totalBytes = 0;
  /** Where the first wrong part begins, or null. */
  firstWrongOffset: number | null = null;

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  update(bytes: Buffer): void {
    if (this.firstWrongOffset === null && !this.#pattern.matches(this.totalBytes, bytes)) {
      this.firstWrongOffset = this.totalBytes;
    }
    this.#hash.update(bytes);
    this.totalBytes += bytes.length;
  }

  result(): CheckedBody {
    const { totalBytes, firstWrongOffset } = this;
    return { totalBytes, firstWrongOffset, digest: this.#hash.digest('hex') };
  }
}

export interface CheckedBody {
  readonly totalBytes: number;
  readonly firstWrongOffset: number | null;
  /** SHA-256 in hexadecimal. */
  readonly digest: string;
}

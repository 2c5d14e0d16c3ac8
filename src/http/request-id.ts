import { randomBytes } from 'node:crypto';

const HEX_PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Odd, so that multiplying by it permutes the 32-bit numbers; the golden ratio spreads neighbours far apart. */
const SPREAD = 0x9e3779b1;

/**
 * Makes request ids: 24 hexadecimal digits, 16 of them random per generator and 8 a scrambled counter.
 *
 *   8f3a1c0d5e7b9a24 6bd9e1c2
 *   random, 64 bit   counter x SPREAD + random start, 32 bit: repeats after 2^32 ids, and then the random part is made anew
 *
 * Ids differ within a generator for certain, and between workers, restarts and machines as surely as 64 random bits do.
 */
export class RequestIdGenerator {
  #prefix = '';
  #counter = 0;
  #start = 0;
  readonly #randomBytes: (length: number) => Buffer;

  constructor(randomSource: (length: number) => Buffer = randomBytes) {
    this.#randomBytes = randomSource;
    this.#renew();
  }

  next(): string {
    const number = (Math.imul(this.#counter, SPREAD) + this.#start) | 0;
    this.#counter = (this.#counter + 1) | 0;
    const high = (HEX_PAIRS[number >>> 24] as string) + HEX_PAIRS[(number >>> 16) & 0xff];
    const low = (HEX_PAIRS[(number >>> 8) & 0xff] as string) + HEX_PAIRS[number & 0xff];
    const id = this.#prefix + (high + low);
    if (this.#counter === 0) this.#renew();
    return id;
  }

  #renew(): void {
    const random = this.#randomBytes(12);
    this.#prefix = random.toString('hex', 0, 8);
    this.#start = random.readInt32LE(8);
    this.#counter = 0;
  }
}

const SANE_ID = /^[A-Za-z0-9._~:@=+/-]{1,128}$/;

/** True for an id from a trusted peer that can be taken over: short, and harmless in logs and headers. */
export function isSaneRequestId(text: string): boolean {
  return SANE_ID.test(text);
}

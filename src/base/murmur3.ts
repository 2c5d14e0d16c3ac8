/**
 * MurmurHash3 x86 32 (Austin Appleby, public domain): a well spread number from 0 to 2^32 - 1, the same on every machine and in
 * every version. It is no secret and no defence: whoever wants texts with equal hashes finds some.
 *
 * `text`: one byte a character (latin1). For a fixed text, different seeds give different hashes.
 */
export function murmur3(text: string, seed: number): number {
  const blocksEnd = text.length & ~3;
  let hash = seed;
  for (let at = 0; at < blocksEnd; at += 4) {
    const low = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8);
    const high = text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 8);
    hash = addBlock(hash, low | (high << 16));
  }
  let rest = 0;
  for (let at = text.length - 1; at >= blocksEnd; at--) rest = (rest << 8) | text.charCodeAt(at);
  // Without a rest this changes nothing.
  hash ^= scramble(rest);
  return avalanche(hash ^ text.length);
}

/** The same of the four bytes of a 32-bit number, the lowest first. */
export function murmur3OfNumber(number: number, seed: number): number {
  return avalanche(addBlock(seed, number) ^ 4);
}

function addBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** Every bit of the input changes about half of the bits. */
function avalanche(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

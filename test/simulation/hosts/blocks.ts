/**
 * What bodies are made of: blocks of 16 bytes, each of which names the request that it belongs to and its place in it.
 *
 *   | # | tag, 7 letters | direction | place, 6 digits | \n |
 */
const BLOCK_BYTES = 16;

export type Direction = '>' | '<';

/** Bodies made last, by tag and direction. */
const made = new Map<string, Buffer>();

/** The bytes of a body from `start` to `end`. */
export function bodyOf(tag: string, direction: Direction, start: number, end: number): Buffer {
  const name = tag.padEnd(7, '.').slice(0, 7) + direction;
  const known = made.get(name);
  if (known !== undefined && known.length >= end) return known.subarray(start, end);
  const body = makeBody(name, Math.max(end, 4096));
  if (made.size > 500) made.clear();
  made.set(name, body);
  return body.subarray(start, end);
}

function makeBody(name: string, bytes: number): Buffer {
  const blocks = Math.ceil(bytes / BLOCK_BYTES);
  const body = Buffer.alloc(blocks * BLOCK_BYTES, `#${name}000000\n`, 'latin1');
  for (let block = 0; block < blocks; block++) {
    let left = block;
    for (let at = block * BLOCK_BYTES + 14; left > 0; at--) {
      body[at] = 0x30 + (left % 10);
      left = Math.floor(left / 10);
    }
  }
  return body;
}

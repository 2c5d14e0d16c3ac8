/**
 * Four bytes at a time: what the scanners of heads use to get over long stretches in which nothing ends. They only skip with it;
 * what stops them is looked at byte by byte.
 */

let viewed: Uint8Array | null = null;
let view: DataView = new DataView(new ArrayBuffer(0));

/** The same bytes as words. The view made last is kept: one buffer serves nearly all heads of a worker. */
export function wordsOf(bytes: Uint8Array): DataView {
  if (bytes === viewed) return view;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  viewed = bytes;
  return view;
}

/**
 * False only when all four bytes of `word` are at least 0x20 and below 0x7f. Each term sets the high bit of a byte: the first
 * where the byte is below 0x20, the second where it is 0x7f, the third where it is above; what a borrow or a carry adds comes
 * after such a byte.
 */
export const hasControlOrHighByte = (word: number): boolean =>
  (((word - 0x20202020) | (word + 0x01010101) | word) & 0x80808080) !== 0;

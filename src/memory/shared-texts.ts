import { shareBytes, shareWords } from './shared-views.ts';

/**
 * Many texts as two blocks of memory that all threads share: posting thousands of them to another thread costs nothing, and each is decoded
 * when it is needed.
 *
 *   bytes  | text 0 | text 1 | ...      UTF-8, one after the other
 *   ends   [ e0, e1, ... ]              where each ends
 */
export interface SharedTexts {
  readonly bytes: Uint8Array;
  readonly ends: Int32Array;
}

export function shareTexts(texts: readonly string[]): SharedTexts {
  const ends = new Int32Array(new SharedArrayBuffer(texts.length * Int32Array.BYTES_PER_ELEMENT));
  let length = 0;
  for (const [index, text] of texts.entries()) {
    length += Buffer.byteLength(text);
    ends[index] = length;
  }
  const bytes = Buffer.from(new SharedArrayBuffer(length));
  let at = 0;
  for (const text of texts) at += bytes.write(text, at);
  return { bytes: new Uint8Array(bytes.buffer), ends };
}

/** The same texts in memory that threads share, after they came from another process. */
export function shareTextsAgain({ bytes, ends }: SharedTexts): SharedTexts {
  return { bytes: shareBytes(bytes), ends: shareWords(ends) };
}

/** The text with this number, from 0. */
export function readSharedText(texts: SharedTexts, number: number): string {
  return bytesOf(texts, number).toString('utf8');
}

/** Whether two texts are the same, found out without reading them. */
export function isSameText(texts: SharedTexts, number: number, others: SharedTexts, otherNumber: number): boolean {
  return bytesOf(texts, number).equals(bytesOf(others, otherNumber));
}

function bytesOf({ bytes, ends }: SharedTexts, number: number): Buffer {
  const start = number === 0 ? 0 : (ends[number - 1] as number);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, (ends[number] as number) - start);
}

/** Node's own slicer: the one behind `toString('latin1')`, without its argument checks. Absent from the published types. */
interface Latin1Sliceable {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at: number): number;
}

/** The bytes from `start` to `end`, one character a byte. */
export function latin1Text(bytes: Buffer, start: number, end: number): string {
  // Sound: every Buffer has had latin1Slice since Node 0.x; what is missing is only its type.
  return (bytes as unknown as Latin1Sliceable).latin1Slice(start, end);
}

/** Writes latin1 text at `at`, where there must be room for it. Returns the number of bytes. */
export function writeLatin1(bytes: Buffer, text: string, at: number): number {
  // Sound: as above.
  return (bytes as unknown as Latin1Sliceable).latin1Write(text, at);
}

/**
 * The same latin1 text in one piece of memory. A string that was put together, or cut out of another, is a tree or a window to
 * V8: it costs more at every use, and a window keeps the other alive. For what is kept and used often.
 */
export function flatText(text: string): string {
  return latin1Text(Buffer.from(text, 'latin1'), 0, text.length);
}

/** Text as its bytes in UTF-8, one character each: the form in which it is compared with what comes from the network. */
export function utf8Bytes(text: string): string {
  return IS_ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

const IS_ASCII = /^[\0-\x7f]*$/;

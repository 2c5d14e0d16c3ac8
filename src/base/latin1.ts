/** Node's own slicer: the one behind `toString('latin1')`, without its argument checks. Absent from the published types. */
interface Latin1Sliceable {
  latin1Slice(start: number, end: number): string;
}

/** The bytes from `start` to `end`, one character a byte. */
export function latin1Text(bytes: Buffer, start: number, end: number): string {
  // Sound: every Buffer has had latin1Slice since Node 0.x; what is missing is only its type.
  return (bytes as unknown as Latin1Sliceable).latin1Slice(start, end);
}

/** The line before a chunk of `bytes` bytes of content, which must not be 0 (RFC 9112 7.1). After the content comes `CHUNK_CONTENT_END`. */
export function chunkPrefix(bytes: number): string {
  return `${bytes.toString(16)}\r\n`;
}

export const CHUNK_CONTENT_END = '\r\n';

/** The end of a chunked body: the last chunk, the trailer field lines (each with its CRLF, or none) and the blank line. */
export function chunkedEnd(trailerLines: string): string {
  return `0\r\n${trailerLines}\r\n`;
}

/** How the body of a message ends (RFC 9112 6.3); decided once, when its head has been read. */
export const FRAMING = {
  /** There is no body. */
  NONE: 0,
  /** Content-Length bytes. */
  LENGTH: 1,
  /** The chunked coding, trailers included. */
  CHUNKED: 2,
  /** Everything until the connection ends; replies only. */
  UNTIL_CLOSE: 3,
} as const;

export type Framing = (typeof FRAMING)[keyof typeof FRAMING];

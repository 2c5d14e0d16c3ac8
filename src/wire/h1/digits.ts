const ZERO = 0x30;
const NINE = 0x39;

/**
 * The value of a decimal number made of digits only (RFC 9110 8.6: `1*DIGIT`), or -1 when `text` is anything else or above
 * 2^53 - 1. No sign, no blank, no list: what two parsers could read differently is refused.
 */
export function parseDigits(text: string): number {
  if (text.length === 0 || text.length > 16) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (byte < ZERO || byte > NINE) return -1;
    value = value * 10 + (byte - ZERO);
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

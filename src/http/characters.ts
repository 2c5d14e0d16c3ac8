const TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~";

/** Indexed by byte value. For a byte that may stand in a token (RFC 9110 5.6.2): its lower-case form. For every other byte: 0. */
export const TOKEN_LOWER_CASE: Uint8Array = buildTokenTable();

function buildTokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0x30; byte <= 0x39; byte++) table[byte] = byte;
  for (let byte = 0x61; byte <= 0x7a; byte++) {
    table[byte] = byte;
    table[byte - 0x20] = byte;
  }
  for (const character of TOKEN_PUNCTUATION) table[character.charCodeAt(0)] = character.charCodeAt(0);
  return table;
}

/** True when `text` is a token (RFC 9110 5.6.2): at least one character, all of them token characters. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if ((TOKEN_LOWER_CASE[text.charCodeAt(i)] ?? 0) === 0) return false;
  }
  return text.length > 0;
}

/**
 * `text` without the blanks around it: SP and HTAB (RFC 9110 5.6.3). `trim()` would take a no-break space too, which is a byte
 * of the value to everybody else.
 */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** SP or HTAB. */
export const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

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

/**
 * The bytes of base64url as RFC 7515 2 has it, or null. There is one way to write bytes and no other: no padding, no blanks, no
 * character of another alphabet, no bits left over. Else one signature would come in many spellings.
 */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : null;
}

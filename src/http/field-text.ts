/** Printable ASCII: every recipient reads it the same way, and nothing in it ends a line. */
const SAFE = /^[\x20-\x7e]*$/;
const UNSAFE = /[^\x20-\x7e]/gu;

/**
 * Text from anywhere, fit to stand in the value of a field (RFC 9110 5.5): everything but printable ASCII is percent-encoded as
 * UTF-8, so that it can neither end the line nor mean something else to a recipient that reads bytes.
 */
export function fieldText(text: string): string {
  return SAFE.test(text) ? text : text.toWellFormed().replace(UNSAFE, (character) => encodeURIComponent(character));
}

import { trimBlanks } from './characters.ts';
import { dropName } from './field-drops.ts';

/** Printable ASCII: it means the same to everybody, and nothing in it ends a line. */
const SAFE = /^[\x20-\x7e]*$/;
const UNSAFE = /[^\x20-\x7e]/gu;

/**
 * Text from anywhere, fit to stand in the value of a field (RFC 9110 5.5): what is not printable ASCII is percent-encoded as UTF-8, so
 * that it can neither end the line nor mean something else to whoever reads bytes.
 */
export function fieldText(text: string): string {
  return SAFE.test(text) ? text : text.toWellFormed().replace(UNSAFE, (character) => encodeURIComponent(character));
}

/** Field lines, each with its CRLF, without those of some names, which are as `dropName` has them. */
export function withoutFields(lines: string, names: ReadonlySet<string>): string {
  return lines
    .split('\r\n')
    .filter((line) => line !== '' && !names.has(dropName(line.slice(0, line.indexOf(':')))))
    .map((line) => `${line}\r\n`)
    .join('');
}

/** The values of the fields of a name (lower case) among field lines, each with its CRLF, as one list (RFC 9110 5.3); undefined for none. */
export function valueAmong(lines: string, name: string): string | undefined {
  let combined: string | undefined;
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    if (colon - start === name.length && lines.slice(start, colon).toLowerCase() === name) {
      const value = trimBlanks(lines.slice(colon + 1, end));
      combined = combined === undefined ? value : `${combined}, ${value}`;
    }
    start = end + 2;
  }
  return combined;
}

import { FIELD_STRIDE, type Fields, NAME_END, NUMBER, VALUE_END, VALUE_START } from '../../http/fields.ts';
import { namedHopByHopFields } from '../../http/hop-by-hop.ts';

const SP = 0x20;

/**
 * The field lines of a decoded message that pass, in canonical form (`Name: value CRLF`). `drops` says by field number which do
 * not; `namesMore` that the message's own `Connection` fields name others.
 *
 * Neighbours that pass and stand in canonical form already are taken as one slice of the text:
 *
 *   Host: a CRLF  Accept: b CRLF Cookie: c CRLF  Connection: d CRLF  X:e CRLF
 *   dropped       [----------one run---------]   dropped             written anew
 */
export function encodePassingFields(fields: Fields, drops: Uint8Array, namesMore: boolean): string {
  if (namesMore) return encodeWithoutNamed(fields, drops, namedHopByHopFields(fields));
  const { text, index, count } = fields;
  let encoded = '';
  let runStart = -1;
  for (let field = 0, at = 0; field < count; field++, at += FIELD_STRIDE) {
    const nameStart = index[at] as number;
    const passes = drops[index[at + NUMBER] as number] === 0;
    if (passes && isCanonical(fields, field)) {
      if (runStart === -1) runStart = nameStart;
      continue;
    }
    if (runStart !== -1) {
      encoded += text.slice(runStart, nameStart);
      runStart = -1;
    }
    if (passes) encoded += `${fields.name(field)}: ${fields.value(field)}\r\n`;
  }
  return runStart === -1 ? encoded : encoded + text.slice(runStart, lineEnd(fields, count - 1));
}

/** Exactly one space after the colon, and nothing between value and CRLF. */
function isCanonical(fields: Fields, field: number): boolean {
  const { text, index } = fields;
  const at = field * FIELD_STRIDE;
  const nameEnd = index[at + NAME_END] as number;
  return (
    index[at + VALUE_START] === nameEnd + 2 &&
    text.charCodeAt(nameEnd + 1) === SP &&
    lineEnd(fields, field) === (index[at + VALUE_END] as number) + 2
  );
}

/** Where the line of a field ends, its CRLF included: where the next one begins, or the blank line. */
function lineEnd(fields: Fields, field: number): number {
  const next = (field + 1) * FIELD_STRIDE;
  return field + 1 < fields.count ? (fields.index[next] as number) : fields.text.length - 2;
}

function encodeWithoutNamed(fields: Fields, drops: Uint8Array, named: ReadonlySet<string>): string {
  let encoded = '';
  for (let field = 0; field < fields.count; field++) {
    const name = fields.name(field);
    if (drops[fields.number(field)] !== 0 || named.has(name.toLowerCase())) continue;
    encoded += `${name}: ${fields.value(field)}\r\n`;
  }
  return encoded;
}

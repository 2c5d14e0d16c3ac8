import { hasControlOrHighByte, wordsOf } from '../../base/byte-words.ts';
import { PhotonError } from '../../base/errors.ts';
import { TOKEN_LOWER_CASE } from '../../http/characters.ts';
import { fieldNumber } from '../../http/field-names.ts';
import { FIELD_STRIDE, type Fields, NAME_END, NUMBER, VALUE_END, VALUE_START } from '../../http/fields.ts';

/** What a decoder returns when the bytes end before the thing does. */
export const INCOMPLETE = -1;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;
const DEL = 0x7f;

/**
 * Decodes field lines up to and with the empty line that ends them (RFC 9112 5), strictly: no obs-fold, no blank before
 * the colon, no bare CR or LF, no control byte, names are tokens. Offsets are stored relative to `base`, the position where
 * `fields.text` will begin; the text itself is the caller's to set.
 *
 * Returns the position after the empty line, or INCOMPLETE; throws PhotonError malformed_message or head_too_large.
 * One loop over the bytes, kept whole and free of calls because every request pays for it (bench/micro/head-decode.ts).
 */
export function decodeFieldLines(bytes: Uint8Array, from: number, end: number, base: number, fields: Fields): number {
  const index = fields.index;
  const indexEnd = index.length;
  const words = wordsOf(bytes);
  let position = from;
  let canonical = true;
  for (let at = 0; ; at += FIELD_STRIDE) {
    if (position >= end) return INCOMPLETE;
    if (bytes[position] === CR) {
      if (position + 1 >= end) return INCOMPLETE;
      if (bytes[position + 1] !== LF) throw bareCarriageReturn();
      fields.count = at / FIELD_STRIDE;
      fields.canonical = canonical;
      return position + 2;
    }
    const nameStart = position;
    while (position < end && TOKEN_LOWER_CASE[bytes[position] as number] !== 0) position++;
    if (position >= end) return INCOMPLETE;
    if (bytes[position] !== COLON || position === nameStart) {
      throw malformedName(bytes[position] as number, position === nameStart);
    }
    const nameEnd = position;
    position++;
    while (position < end && isBlank(bytes[position] as number)) position++;
    const valueStart = position;
    let byte = 0;
    while (position + 4 <= end && !hasControlOrHighByte(words.getInt32(position, true))) position += 4;
    while (position < end) {
      byte = bytes[position] as number;
      // VCHAR, obs-text, SP and HTAB (RFC 9110 5.5); any other control byte ends the value.
      if ((byte < SP && byte !== HTAB) || byte === DEL) break;
      position++;
    }
    if (position >= end) return INCOMPLETE;
    if (byte !== CR) throw malformedValue(byte);
    if (position + 1 >= end) return INCOMPLETE;
    if (bytes[position + 1] !== LF) throw bareCarriageReturn();
    let valueEnd = position;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd--;
    if (valueEnd !== position || valueStart !== nameEnd + 2 || bytes[nameEnd + 1] !== SP) canonical = false;
    position += 2;
    if (at >= indexEnd) throw tooManyFields(fields.capacity);
    index[at] = nameStart - base;
    index[at + NAME_END] = nameEnd - base;
    index[at + VALUE_START] = valueStart - base;
    index[at + VALUE_END] = valueEnd - base;
    index[at + NUMBER] = fieldNumber(bytes, words, nameStart, nameEnd);
  }
}

const isBlank = (byte: number): boolean => byte === SP || byte === HTAB;

function malformedName(byte: number, empty: boolean): PhotonError {
  if (byte === COLON) return new PhotonError('malformed_message', 'A field line has an empty name.');
  if (empty && isBlank(byte)) {
    // RFC 9112 5.2 lets a server replace obs-fold by blanks. We refuse: a folded line is read differently by different parsers.
    return new PhotonError('malformed_message', 'A field line begins with a blank (obs-fold).');
  }
  if (isBlank(byte)) {
    // RFC 9112 5.1: no whitespace between name and colon; a server MUST reject it with 400.
    return new PhotonError('malformed_message', 'There is a blank between a field name and its colon.');
  }
  return new PhotonError('malformed_message', `A field name has the byte ${formatByte(byte)}, which no token has.`);
}

function malformedValue(byte: number): PhotonError {
  return new PhotonError('malformed_message', `A field value has the control byte ${formatByte(byte)}.`);
}

function bareCarriageReturn(): PhotonError {
  return new PhotonError('malformed_message', 'A CR is not followed by LF.');
}

function tooManyFields(capacity: number): PhotonError {
  return new PhotonError('head_too_large', `There are more than ${capacity} field lines.`);
}

function formatByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}

import type { FieldGroup, FieldPair } from '../../base/field-group.ts';
import { flatText } from '../../base/latin1.ts';
import type { FieldDrops } from '../../http/field-drops.ts';
import { FIELD_LIST_STRIDE, type FieldList } from '../../http/field-list.ts';
import { FIELD_STRIDE, type Fields, NUMBER } from '../../http/fields.ts';
import { namedHopByHopFields } from '../../http/hop-by-hop.ts';

/**
 * The field lines of a decoded message that pass, in canonical form (`Name: value CRLF`). `drops` says by field number which do
 * not, `more` names others, and `namesMore` says that the message's own `Connection` fields do so too.
 */
export function encodePassingFields(
  fields: Fields,
  drops: Uint8Array,
  namesMore: boolean,
  more: FieldDrops | null = null,
): string {
  if (fields.canonical && !namesMore) return encodeRuns(fields, drops, -1, more);
  const named = namesMore ? namedHopByHopFields(fields) : NO_NAMES;
  let encoded = '';
  for (let field = 0; field < fields.count; field++) {
    const name = fields.name(field);
    if (drops[fields.number(field)] !== 0 || more?.has(fields, field) || named.has(name.toLowerCase())) continue;
    encoded += `${name}: ${fields.value(field)}\r\n`;
  }
  return encoded;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * The same for a canonical message. Neighbours that pass are taken as one slice of the text, and so is what stands before the
 * first of them from `from` on, if that is not -1:
 *
 *   GET / HTTP/1.1 CRLF  Host: a CRLF  Connection: b CRLF  Accept: c CRLF  Cookie: d CRLF
 *   from
 *   [-------------one run-----------]  dropped             [----------one run---------]
 */
export function encodeRuns(fields: Fields, drops: Uint8Array, from: number, more: FieldDrops | null = null): string {
  const { text, index, count } = fields;
  let encoded = '';
  let runStart = from;
  for (let field = 0, at = 0; field < count; field++, at += FIELD_STRIDE) {
    if (drops[index[at + NUMBER] as number] === 0 && (more === null || !more.has(fields, field))) {
      if (runStart === -1) runStart = index[at] as number;
    } else if (runStart !== -1) {
      encoded += text.slice(runStart, index[at]);
      runStart = -1;
    }
  }
  // The text ends with the empty line.
  return runStart === -1 ? encoded : encoded + text.slice(runStart, text.length - 2);
}

/** `head` followed by the field lines of a list. */
export function encodeFieldList(head: string, { entries, end }: FieldList): string {
  let encoded = head;
  for (let at = 0; at < end; at += FIELD_LIST_STRIDE) {
    const name = entries[at] as string | FieldGroup;
    if (typeof name === 'string') encoded += `${name}: ${entries[at + 1]}\r\n`;
    else {
      encoded += name.h1Text ?? encodeGroup(name);
      if (name.openName !== null) encoded += `${entries[at + 1]}\r\n`;
    }
  }
  return encoded;
}

/** In one piece: most groups are written with every message. */
function encodeGroup(group: FieldGroup): string {
  const open = group.openName === null ? '' : `${group.openName}: `;
  group.h1Text = flatText(group.pairs.map(encodePair).join('') + open);
  return group.h1Text;
}

const encodePair = ([name, value]: FieldPair): string => `${name}: ${value}\r\n`;

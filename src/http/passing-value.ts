import type { FieldDrops } from './field-drops.ts';
import { type Fields, separatorOf } from './fields.ts';
import { namedHopByHopFields } from './hop-by-hop.ts';

/** A head with what its `Connection` says of it. */
export interface PassingFields extends Fields {
  readonly namesHopByHopFields: boolean;
}

/**
 * The values of those fields of a name (lower case) that pass, as one list, as `Fields.combinedValue` has it; undefined when there is none.
 * `drops` says by field number which do not, as in an encoder, and `more` names others.
 */
export function passingValue(
  fields: PassingFields,
  lowerCaseName: string,
  drops: Uint8Array,
  more: FieldDrops | null,
): string | undefined {
  if (fields.namesHopByHopFields && namedHopByHopFields(fields).has(lowerCaseName)) return undefined;
  let combined: string | undefined;
  for (let field = 0; field < fields.count; field++) {
    if (!fields.isNamed(field, lowerCaseName)) continue;
    if (drops[fields.number(field)] !== 0 || more?.has(fields, field)) continue;
    combined =
      combined === undefined ? fields.value(field) : combined + separatorOf(lowerCaseName) + fields.value(field);
  }
  return combined;
}

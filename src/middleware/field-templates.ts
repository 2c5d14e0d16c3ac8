import { FieldGroup, type FieldPair } from '../base/field-group.ts';
import { parseTemplate } from '../config/placeholders.ts';
import type { FieldList } from '../http/field-list.ts';
import type { ExchangeContext } from '../pipeline/exchange-context.ts';
import { compileTemplate, type Template } from './template.ts';

/** A group whose open name gets the value of the template; without a template it has no open name. */
interface Part {
  readonly group: FieldGroup;
  readonly openValue: Template | null;
}

/**
 * Fields whose values are templates. Those with the same value for every request stand together in groups:
 *
 *   X-One: 1   X-Two: {consumer}   X-Three: 3   X-Four: 4
 *   [--------one part---------]    [------one part------]
 */
export class FieldTemplates {
  readonly #parts: readonly Part[];

  constructor(fields: readonly FieldPair[]) {
    this.#parts = partsOf(fields);
  }

  addTo(fields: FieldList, exchange: ExchangeContext): void {
    for (const { group, openValue } of this.#parts) {
      fields.addGroup(group, openValue === null ? '' : openValue(exchange));
    }
  }
}

function partsOf(fields: readonly FieldPair[]): readonly Part[] {
  const parts: Part[] = [];
  let pairs: FieldPair[] = [];
  for (const [name, value] of fields) {
    const literal = literalOf(value);
    if (literal === null) {
      parts.push({ group: new FieldGroup(pairs, name), openValue: compileTemplate(value) });
      pairs = [];
    } else pairs.push([name, literal]);
  }
  return pairs.length === 0 ? parts : [...parts, { group: new FieldGroup(pairs), openValue: null }];
}

/** The text of a template without placeholders; null for any other. */
function literalOf(template: string): string | null {
  const parts = parseTemplate(template);
  return parts.every((part) => typeof part === 'string') ? parts.join('') : null;
}

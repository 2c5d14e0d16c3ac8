import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldPair } from '../../src/base/field-group.ts';
import { FieldList } from '../../src/http/field-list.ts';
import { FieldTemplates } from '../../src/middleware/field-templates.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';

/** The fields and the number of entries in the list. */
function added(fields: readonly FieldPair[]) {
  const list = new FieldList();
  // Sound: the templates below use these members alone.
  const exchange = { clientAddress: '192.0.2.7', consumer: 'alice' } as Exchange;
  new FieldTemplates(fields).addTo(list, exchange);
  return { fields: [...list], entries: list.end / 2 };
}

for (const { fields, expected, entries, why } of [
  { fields: [], expected: [], entries: 0, why: 'none' },
  {
    fields: [
      ['X-One', '{{1}}'],
      ['X-Two', '2'],
    ],
    expected: [
      ['X-One', '{1}'],
      ['X-Two', '2'],
    ],
    entries: 1,
    why: 'without placeholders they are one group, whose braces are literal',
  },
  {
    fields: [
      ['X-One', '1'],
      ['X-User', 'by {consumer}'],
      ['X-From', '{client_ip}'],
      ['X-Empty', ''],
      ['X-Last', 'z'],
    ],
    expected: [
      ['X-One', '1'],
      ['X-User', 'by alice'],
      ['X-From', '192.0.2.7'],
      ['X-Empty', ''],
      ['X-Last', 'z'],
    ],
    entries: 3,
    why: 'a placeholder ends a group, and the order stays',
  },
] satisfies { fields: FieldPair[]; expected: FieldPair[]; entries: number; why: string }[]) {
  test(`fields with templates, ${why}: ${fields.map(([name]) => name).join(' ')}`, () => {
    assert.deepEqual(added(fields), { fields: expected, entries });
  });
}

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configurations with substitutions look like one
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';

const SCHEMA = configJsonSchema();
const FULL = JSON.parse(readFileSync(new URL('fixtures/full.json', import.meta.url), 'utf8')) as Plain;

type Plain = { [key: string]: unknown };

/** The part of JSON Schema that ours is made of, read as an editor would. */
function fits(schema: JsonSchema, value: unknown): boolean {
  if (schema.anyOf !== undefined && !schema.anyOf.some((each) => fits(each, value))) return false;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  if (schema.const !== undefined && schema.const !== value) return false;
  if (schema.type !== undefined && !hasType(schema.type, value)) return false;
  if (typeof value === 'string') return schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value);
  if (typeof value === 'number') return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  if (Array.isArray(value))
    return schema.items === undefined || value.every((item) => fits(schema.items as JsonSchema, item));
  return typeof value !== 'object' || value === null || fitsMapping(schema, value as Plain);
}

function fitsMapping(
  { properties = {}, required = [], additionalProperties = true }: JsonSchema,
  value: Plain,
): boolean {
  return (
    required.every((key) => Object.hasOwn(value, key)) &&
    Object.entries(value).every(([key, part]) => {
      const option = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (option !== undefined) return fits(option, part);
      return typeof additionalProperties === 'boolean' ? additionalProperties : fits(additionalProperties, part);
    })
  );
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

test('the file with every option fits', () => {
  assert.ok(fits(SCHEMA, FULL));
});

/** Every mapping in a value that the schema knows the keys of, but those of names. */
function* mappingsOf(schema: JsonSchema, value: unknown): Iterable<Plain> {
  for (const each of schema.anyOf ?? []) if (fits(each, value)) yield* mappingsOf(each, value);
  if (Array.isArray(value)) for (const item of value) yield* mappingsOf(schema.items ?? {}, item);
  else if (typeof value === 'object' && value !== null) {
    if (schema.additionalProperties === false) yield value as Plain;
    for (const [key, part] of Object.entries(value)) {
      const below = schema.properties?.[key] ?? schema.additionalProperties;
      if (typeof below === 'object') yield* mappingsOf(below, part);
    }
  }
}

test('a key that is misspelt does not fit, wherever it stands', () => {
  const mappings = [...mappingsOf(SCHEMA, FULL)];
  assert.ok(mappings.length > 40, `only ${mappings.length} mappings found`);
  for (const mapping of mappings) {
    mapping['misspelt'] = 1;
    assert.ok(!fits(SCHEMA, FULL), JSON.stringify(mapping));
    delete mapping['misspelt'];
  }
});

const MISFITS: readonly (readonly [string, (document: Plain) => void])[] = [
  ['no routes', (document) => delete document['routes']],
  ['a number in quotes', (document) => Object.assign(document['server'] as Plain, { workers: '4' })],
  ['a duration without unit', (document) => Object.assign(document['server'] as Plain, { body_timeout: '30' })],
  ['an unknown algorithm', (document) => Object.assign(document['load_balancing'] as Plain, { algorithm: 'fast' })],
];

for (const [why, change] of MISFITS) {
  test(`an editor underlines ${why}`, () => {
    const document = structuredClone(FULL);
    change(document);
    assert.ok(!fits(SCHEMA, document));
  });
}

test('a substitution fits wherever a number, a flag or a word is wanted', () => {
  const document = structuredClone(FULL);
  Object.assign(document['server'] as Plain, {
    workers: '${N}',
    merge_slashes: '${M}',
    client_auth: '${A}',
    body_timeout: '${B}',
  });
  assert.ok(fits(SCHEMA, document));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { configSchema } from '../../src/config/schema/document.ts';

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

// Sound: the fields above are those of JSON Schema.
const schema = z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;

function* optionsOf(node: JsonSchema, path: string): Iterable<readonly [string, JsonSchema]> {
  for (const [key, option] of Object.entries(node.properties ?? {})) {
    yield [`${path}.${key}`, option];
    yield* optionsOf(option, `${path}.${key}`);
  }
  if (typeof node.additionalProperties === 'object') yield* optionsOf(node.additionalProperties, `${path}.*`);
  if (node.items !== undefined) yield* optionsOf(node.items, `${path}[]`);
}

test('every option has a description', () => {
  const options = [...optionsOf(schema, '')];
  assert.ok(options.length > 100, `only ${options.length} options found`);
  const silent = options.filter(([, option]) => option.description === undefined).map(([path]) => path);
  assert.deepEqual(silent, []);
});

test('the schema can be written as JSON Schema, with defaults and examples as one writes them', () => {
  const options = new Map(optionsOf(schema, ''));
  assert.equal(options.get('.server.connection_timeout')?.default, '30s');
  assert.equal(options.get('.server.max_target')?.default, '8KiB');
  assert.deepEqual(options.get('.server.connection_timeout')?.examples, ['30s', '5m', '1h 30m', '100ms']);
  assert.equal(options.get('.cache.debug_headers')?.default, true);
  assert.equal(options.get('.load_balancing.backends.*.upstreams[].weight')?.default, 1);
  assert.equal(options.get('.load_balancing.backends.*.health_check.interval')?.default, undefined);
});

test('every default is a value that the option itself accepts', () => {
  const document = {
    server: { http_addr: ':1' },
    load_balancing: { backends: { a: { upstreams: [{ address: 'a:1' }] } } },
    routes: [{ path: '/' }],
  };
  assert.ok(configSchema.safeParse(document).success);
});

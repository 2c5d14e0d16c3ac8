import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { configSchema } from '../../src/config/schema/document.ts';
import { diagnosticsOf } from './documents.ts';

type Path = readonly (string | number)[];

/** The options whose text may be a regular expression: that of one that does not compile is refused for that. */
function* regexPlaces(schema: z.core.$ZodType, path: Path): Iterable<Path> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault) {
    yield* regexPlaces(schema.unwrap(), path);
  } else if (schema instanceof z.ZodObject) {
    for (const [key, option] of Object.entries(schema.shape)) yield* regexPlaces(option, [...path, key]);
  } else if (schema instanceof z.ZodRecord) {
    yield* regexPlaces(schema.valueType, [...path, '*']);
  } else if (schema instanceof z.ZodArray) {
    yield* regexPlaces(schema.element, [...path, 0]);
  } else if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) yield* regexPlaces(option, path);
  } else {
    const refusal = z.core.safeParse(schema, '^/(').error?.issues[0]?.message ?? '';
    if (refusal.includes('regular expression that compiles')) yield path;
  }
}

const places = [...regexPlaces(configSchema, [])];

/** The same document with a value at a place; what is on the way and is no mapping or list becomes one. */
function withValue(document: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') return [withValue(Array.isArray(document) ? document[0] : undefined, rest, value)];
  // Sound: whatever has keys is a record of them.
  const mapping = typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {};
  return { ...mapping, [step]: withValue(mapping[step], rest, value) };
}

const BASE = {
  server: { http_addr: '127.0.0.1:8080' },
  load_balancing: { backends: { web: { upstreams: [{ address: 'app:80' }] } } },
  routes: [{ path: '/**' }],
};

/** What else an option needs beside it. */
const BESIDE: Readonly<Record<string, object>> = { pattern: { replacement: '/' }, path: {} };

function documentWith(path: Path, pattern: string): string {
  const parent = path.slice(0, -1);
  const beside = BESIDE[String(path.at(-1))];
  const prepared = beside === undefined || parent.at(-1) === 0 ? BASE : withValue(BASE, parent, beside);
  return JSON.stringify(withValue(prepared, path, pattern));
}

test('routes, origins and rewrites take regular expressions', () => {
  const names = new Set(
    places.map((path) =>
      path
        .filter((step) => typeof step === 'string')
        .slice(-2)
        .join('.'),
    ),
  );
  assert.deepEqual(names, new Set(['routes.path', 'websocket.origins', 'cors.allowed_origins', 'regex.pattern']));
});

const NESTED = '^/((a{1,3}){1,3}){1,9}b$';

for (const path of places) {
  const place = path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
  test(`an expression that may take long is refused at ${place}, with a mend`, () => {
    const found = diagnosticsOf(documentWith(path, NESTED), { format: 'json' }).filter(
      ({ code }) => code === 'unsafe-regex',
    );
    assert.deepEqual(
      found.map((each) => [
        each.path,
        each.message,
        each.help?.startsWith('write repetitions within one another as one'),
      ]),
      [
        [
          place,
          `Cannot use ${place}: want a regular expression that no text keeps busy, got "${NESTED}", which can try more than 4096 ways to match one text, because its repetitions and alternatives multiply`,
          true,
        ],
      ],
    );
  });
}

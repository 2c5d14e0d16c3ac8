import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { ConfigFormat } from '../../src/config/parse-text.ts';
import { isDeepFrozen } from './documents.ts';

const FORMATS: readonly ConfigFormat[] = ['yaml', 'json', 'toml'];

/** TOML with inline tables; what JSON writes as a string is a string of TOML too, but for U+007F and lone surrogates. */
function toToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toToml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)} = ${toToml(part)}`)}}`;
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const durationText = fc.nat({ max: 1000 }).map((seconds) => `${seconds + 1}s`);
const upstreams = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 4 }).chain((ports) =>
  fc.tuple(
    ...ports.map((port) =>
      fc.record(
        {
          address: word.map((host) => `${host}:${port}`),
          weight: fc.integer({ min: 1, max: 9 }),
          read_timeout: durationText,
        },
        { requiredKeys: ['address'] },
      ),
    ),
  ),
);
const routes = fc.array(
  fc.record(
    {
      path: word.map((segment) => `/${segment}/**`),
      methods: fc.uniqueArray(fc.constantFrom('GET', 'POST', 'PURGE'), { minLength: 1 }),
      timeout: durationText,
      priority: fc.integer({ min: -9, max: 9 }),
      match: fc.record({
        headers: fc.dictionary(
          word,
          fc.oneof(fc.constant(true), fc.string({ unit: 'grapheme', minLength: 1 }).filter(isPrintable)),
        ),
      }),
    },
    { requiredKeys: ['path'] },
  ),
  { minLength: 1, maxLength: 5 },
);
const documents = fc.record({
  server: fc.record({
    http_addr: fc.constant('127.0.0.1:0'),
    merge_slashes: fc.boolean(),
    max_target: fc.integer({ min: 16, max: 9e9 }),
  }),
  load_balancing: fc.record({ backends: fc.dictionary(word, fc.record({ upstreams }), { minKeys: 1, maxKeys: 1 }) }),
  routes,
});

function isPrintable(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text) && !text.includes('${');
}

test('the three formats agree on any configuration', () => {
  fc.assert(
    fc.property(documents, (document) => {
      const texts = {
        yaml: stringify(document),
        json: JSON.stringify(document),
        toml: Object.entries(document)
          .map(([key, value]) => `${key} = ${toToml(value)}\n`)
          .join(''),
      };
      const [first, ...rest] = FORMATS.map(
        (format) => parseConfig(texts[format], { file: 'a', format, env: {} }).config,
      );
      for (const config of rest) assert.deepEqual(config, first);
    }),
    { numRuns: 100 },
  );
});

const FULL = readFileSync(new URL('fixtures/full.json', import.meta.url), 'utf8');

/** Takes parts out of a document: each number says which way to go down, and the last key on the way is dropped. */
function prune(document: unknown, cuts: readonly (readonly number[])[]): unknown {
  for (const cut of cuts) {
    let value = document;
    for (const [depth, choice] of cut.entries()) {
      if (typeof value !== 'object' || value === null) break;
      const keys = Object.keys(value);
      const key = keys[choice % keys.length];
      if (key === undefined) break;
      const parent = value as Record<string, unknown>;
      if (depth < cut.length - 1) value = parent[key];
      else if (Array.isArray(value)) value.splice(Number(key), 1);
      else delete parent[key];
    }
  }
  return document;
}

/** The configuration, or code and path of each error. */
function outcomeOf(text: string, format: ConfigFormat): unknown {
  try {
    return parseConfig(text, { file: 'a', format, env: {} }).config;
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.diagnostics.map(({ code, path }) => `${code} ${path}`).toSorted();
  }
}

test('the three formats agree on any part of the file with every option, be it valid or not', () => {
  const cut = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(cut, { minLength: 1, maxLength: 12 }), (cuts) => {
      const document = prune(JSON.parse(FULL), cuts) as Record<string, unknown>;
      const toml = Object.entries(document).map(([key, value]) => `${key} = ${toToml(value)}\n`);
      const expected = outcomeOf(JSON.stringify(document), 'json');
      assert.deepEqual(outcomeOf(stringify(document, { aliasDuplicateObjects: false }), 'yaml'), expected);
      assert.deepEqual(outcomeOf(toml.join(''), 'toml'), expected);
    }),
    { numRuns: 100 },
  );
});

function mutate(text: string, edits: readonly (readonly [number, number, number])[]): string {
  const bytes = [...Buffer.from(text)];
  for (const [place, kind, byte] of edits) {
    const at = place % (bytes.length + 1);
    if (kind === 0) bytes.splice(at, 1);
    else if (kind === 1) bytes.splice(at, 0, byte);
    else bytes[at] = byte;
  }
  return Buffer.from(bytes).toString();
}

const interesting = fc.constantFrom(...Buffer.from('\n\t "\'[]{}:,-#&*!|>%@`$\\=.0\0'));
const edit = fc.tuple(fc.nat(), fc.nat({ max: 2 }), fc.oneof(fc.nat({ max: 255 }), interesting));

for (const format of FORMATS) {
  test(`no change of bytes makes ${format} end in anything but a configuration or a ConfigError`, () => {
    const text = readFileSync(new URL(`fixtures/full.${format}`, import.meta.url), 'utf8');
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        let config: Config;
        try {
          ({ config } = parseConfig(mutate(text, edits), { file: 'a', format, env: {} }));
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.ok(error.diagnostics.some(({ severity }) => severity === 'error'));
          for (const { line, column } of error.diagnostics) assert.ok(line >= 1 && column >= 1);
          return;
        }
        assert.ok(isDeepFrozen(config));
        assert.deepEqual(structuredClone(config), config);
      }),
      { numRuns: 150 },
    );
  });
}

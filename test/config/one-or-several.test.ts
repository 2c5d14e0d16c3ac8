import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { z } from 'zod';
import { loadConfigFile } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema/document.ts';

/** Values, longer than a letter, of the options that take one or several. A new one of these options gets its row here. */
const VALUES: Readonly<Record<string, readonly [one: unknown, other: unknown]>> = {
  http_addr: ['127.0.0.1:8181', '127.0.0.1:8282'],
  https_addr: ['127.0.0.1:8443', '127.0.0.1:8444'],
  resolver: ['10.0.0.2:5353', '10.0.0.3'],
  expected_status: ['2xx', 304],
  issuer: ['https://idp.example/', 'https://login.example/'],
  audience: ['orders', 'invoices'],
  'consumers.*': ['key-of-the-shop', 'old-key-of-the-shop'],
};

/** Kinds of schemas that hold no other ones; what own middleware gets as its options is checked elsewhere. */
const SINGLE: ReadonlySet<string> = new Set(['string', 'number', 'boolean', 'enum', 'literal', 'unknown']);

type Path = readonly (string | number)[];

/** The places where a value or a list of such values may stand; `*` for any key of a mapping, 0 for any item of a list. */
function* oneOrSeveral(schema: z.core.$ZodType, path: Path): Iterable<Path> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault) {
    yield* oneOrSeveral(schema.unwrap(), path);
  } else if (schema instanceof z.ZodPipe) {
    yield* oneOrSeveral(schema.in, path);
  } else if (schema instanceof z.ZodObject) {
    for (const [key, option] of Object.entries(schema.shape)) yield* oneOrSeveral(option, [...path, key]);
  } else if (schema instanceof z.ZodRecord) {
    yield* oneOrSeveral(schema.valueType, [...path, '*']);
  } else if (schema instanceof z.ZodArray) {
    yield* oneOrSeveral(schema.element, [...path, 0]);
  } else if (schema instanceof z.ZodUnion) {
    if (schema.options.some((option) => innermost(option) instanceof z.ZodArray)) yield path;
    else for (const option of schema.options) yield* oneOrSeveral(option, path);
  } else {
    assert.ok(
      SINGLE.has(schema._zod.def.type),
      `${path.join('.')} is of a kind that is not looked into: ${schema._zod.def.type}`,
    );
  }
}

function innermost(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodPipe ? innermost(schema.in) : schema;
}

const places = [...oneOrSeveral(configSchema, [])];

const endsWith = (path: Path, key: string): boolean => path.join('.').endsWith(`.${key}`);

test('each option that takes one or several values has its row', () => {
  const withoutRow = places.filter((path) => !Object.keys(VALUES).some((key) => endsWith(path, key)));
  assert.deepEqual(withoutRow, []);
  const withoutPlace = Object.keys(VALUES).filter((key) => !places.some((path) => endsWith(path, key)));
  assert.deepEqual(withoutPlace, []);
});

/** A document in which each of them may be set. */
const base = () => ({
  server: { http_addr: '127.0.0.1:8080', tls_cert: 'server.pem', tls_key: 'server.key' },
  load_balancing: { backends: { '*': { upstreams: [{ address: 'app:80' }], health_check: {} } } },
  health_check: {},
  routes: [{ path: '/**', middleware: ['authentication'] }],
  middleware: {
    authentication: {
      auth_type: 'any',
      jwt: { secret: 'kV7mQ2xW9zR4tB6nH1pL8cD3fG5jS0aY' },
      api_key: { keys: ['key-of-nobody'] },
    },
  },
});

/** The same document with a value at a place. What is on the way and is no mapping or list becomes one. */
function withValue(document: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  const isContainer = typeof document === 'object' && document !== null;
  const copy: unknown[] | Record<string, unknown> =
    typeof step === 'number' ? (Array.isArray(document) ? [...document] : []) : isContainer ? { ...document } : {};
  const container = copy as Record<string | number, unknown>;
  container[step] = withValue(container[step], rest, value);
  return container;
}

/** TOML with inline tables. */
function toToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toToml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)} = ${toToml(part)}`)}}`;
}

const FORMATS: Readonly<Record<string, (document: object) => string>> = {
  'photon.yaml': (document) => stringify(document),
  'photon.json': (document) => JSON.stringify(document),
  'photon.toml': (document) =>
    Object.entries(document)
      .map(([key, value]) => `${key} = ${toToml(value)}\n`)
      .join(''),
  'photon.config.ts': (document) => `export default ${JSON.stringify(document)};\n`,
};

const directory = mkdtempSync(join(tmpdir(), 'photon-one-or-several-'));
after(() => rmSync(directory, { recursive: true }));

/** The configuration; of what a list of middleware changes only the outcome, not how it is written there. */
async function configOf(file: string, path: Path, value: unknown): Promise<unknown> {
  const write = FORMATS[file] as (document: object) => string;
  const target = join(directory, file);
  writeFileSync(target, write(withValue(base(), path, value) as object));
  const { config } = await loadConfigFile(target, {});
  return JSON.parse(JSON.stringify(config, (key, part) => (key === 'overrides' ? undefined : part)));
}

for (const path of places) {
  const [, [one, other] = []] = Object.entries(VALUES).find(([key]) => endsWith(path, key)) ?? [];
  for (const file of Object.keys(FORMATS)) {
    test(`${path.join('.')} as one value is a list of it in ${file}`, async () => {
      const ofList = await configOf(file, path, [one]);
      assert.deepEqual(await configOf(file, path, one), ofList);
      assert.notDeepEqual(await configOf(file, path, [one, other]), ofList);
      assert.notDeepEqual(await configOf(file, path, other), ofList);
    });
  }
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/diagnostic.ts';
import { parseConfig } from '../../src/config/parse-config.ts';

type Plain = { [key: string]: unknown } | unknown[];

const FILE = fileURLToPath(new URL('fixtures/full.json', import.meta.url));
const FULL = readFileSync(FILE, 'utf8');

type Step = string | number;

/** The ways to all values below the root. */
function* waysIn(value: unknown, way: readonly Step[]): Iterable<readonly Step[]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const next = [...way, Array.isArray(value) ? Number(key) : key];
    yield next;
    yield* waysIn(part, next);
  }
}

const WAYS = [...waysIn(JSON.parse(FULL), [])];

type Mutation =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'rename'; readonly to: string }
  | { readonly kind: 'remove' };

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    kind: fc.constant('value' as const),
    value: fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        0,
        -1,
        1.5,
        1e12,
        '',
        ' ',
        '\n',
        '30',
        '30s',
        '1KB',
        '/',
        '*',
        '^(',
        '{x}',
        'é',
        [],
        {},
        [[]],
        { a: 1 },
        [null],
      ),
      fc.string({ maxLength: 12 }).filter((text) => !text.includes('${')),
      fc.integer(),
    ),
  }),
  fc.record({ kind: fc.constant('rename' as const), to: fc.stringMatching(/^[a-z_]{1,12}$/) }),
  fc.record({ kind: fc.constant('remove' as const) }),
);

/** Changes one value, key or item of the document and returns the path of the place. */
function mutate(document: Plain, way: readonly Step[], change: Mutation): string {
  const parent = way.slice(0, -1).reduce<unknown>((value, step) => (value as Record<Step, unknown>)[step], document);
  const last = way.at(-1) as Step;
  const target = parent as Record<Step, unknown>;
  if (change.kind === 'value') target[last] = change.value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else {
    if (change.kind === 'rename') target[change.to] = target[last];
    delete target[last];
  }
  return pathOf(way);
}

function pathOf(way: readonly Step[]): string {
  const plain = /^[A-Za-z0-9_-]+$/;
  const steps = way.map((step) =>
    typeof step === 'number' ? `[${step}]` : plain.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`,
  );
  return steps.join('').replace(/^\./, '');
}

/** What is wrong stands where the change is: there, beside it, around it, or within. */
function isNear(path: string, mutated: string): boolean {
  const parent = mutated.replace(/(?:^|\.)[^.[\]]+$|\[[^[\]]*\]$/, '');
  return path.startsWith(parent) || mutated.startsWith(path);
}

/** What refers to what: a change of the first may make the second wrong, which then is what is shown. */
const REFERENCES: readonly (readonly [changed: RegExp, wrong: RegExp])[] = [
  [/^load_balancing\.backends/, /^routes\[\d\]\.backend$/],
  [/^load_balancing(?:\.|$)/, /^load_balancing/],
  [/^middleware(?:\.|$)/, /^(?:routes\[\d\]|server)\.middleware\[\d+\]/],
  [/^server(?:\.|$)/, /^(?:server\.|metrics\.metrics_addr$)/],
  [/^routes\[\d\]\.path$/, /^routes\[\d\]\.middleware\[\d+\]/],
];

function isReference(path: string, mutated: string): boolean {
  return REFERENCES.some(([changed, wrong]) => changed.test(mutated) && wrong.test(path));
}

test('one change of a valid file gives a configuration, or errors that name the place', () => {
  fc.assert(
    fc.property(fc.constantFrom(...WAYS), mutation, (way, change) => {
      const document = JSON.parse(FULL) as Plain;
      const mutated = mutate(document, way, change);
      try {
        parseConfig(JSON.stringify(document, null, 1), { file: FILE, format: 'json', env: {} });
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
        assert.ok(errors.length > 0);
        for (const { line, column, path, message } of errors) {
          assert.ok(line >= 1 && column >= 1, message);
          const isPlace = isNear(path, mutated) || isReference(path, mutated);
          assert.ok(isPlace, `${mutated} (${JSON.stringify(change)}) is told about at ${path}: ${message}`);
        }
      }
    }),
    { numRuns: 500 },
  );
});

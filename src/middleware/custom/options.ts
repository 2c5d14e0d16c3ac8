import type { MiddlewareDefinition, OptionsSchema, SchemaIssue } from './define-middleware.ts';
import { isThenable } from './hook-results.ts';

/** One fault of options: the keys that lead to it from the options on, and one line that says what is wrong. */
export interface FaultyOption {
  readonly keys: readonly (string | number)[];
  readonly message: string;
}

/** Options that do not fit the schema of their module. */
export class OptionsError extends Error {
  readonly faults: readonly FaultyOption[];

  constructor(name: string, issues: readonly SchemaIssue[]) {
    super(`the options of "${name}" do not fit: ${issues.map(describe).join('; ')}`);
    this.faults = issues.map((issue) => ({
      keys: keysOf(issue),
      message: `the options of "${name}" do not fit: ${describe(issue)}`,
    }));
  }
}

/** What the schema makes of the options of an entry. Throws an OptionsError of one line, or another Error of the schema. */
export function optionsFor(definition: MiddlewareDefinition, options: unknown): unknown {
  const { schema } = definition;
  return schema === undefined ? options : validated(definition.name, schema, options);
}

function validated(name: string, schema: OptionsSchema, options: unknown): unknown {
  const result = schema['~standard'].validate(options);
  if (isThenable(result)) throw new Error(`the schema of "${name}" must answer at once, not with a promise`);
  if (result.issues === undefined) return result.value;
  throw new OptionsError(name, result.issues);
}

function describe(issue: SchemaIssue): string {
  const keys = keysOf(issue);
  return keys.length === 0 ? issue.message : `${keys.join('.')}: ${issue.message}`;
}

function keysOf({ path = [] }: SchemaIssue): readonly (string | number)[] {
  return path
    .map((step) => (typeof step === 'object' ? step.key : step))
    .map((key) => (typeof key === 'number' ? key : String(key)));
}

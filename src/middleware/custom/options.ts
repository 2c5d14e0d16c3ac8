import type { MiddlewareDefinition, OptionsSchema, SchemaIssue } from './define-middleware.ts';
import { isThenable } from './hook-results.ts';

/** What the schema makes of the options of an entry. Throws an Error of one line that says what is wrong with them. */
export function optionsFor(definition: MiddlewareDefinition, options: unknown): unknown {
  const { schema } = definition;
  return schema === undefined ? options : validated(definition.name, schema, options);
}

function validated(name: string, schema: OptionsSchema, options: unknown): unknown {
  const result = schema['~standard'].validate(options);
  if (isThenable(result)) throw new Error(`the schema of "${name}" must answer at once, not with a promise`);
  if (result.issues === undefined) return result.value;
  throw new Error(`the options of "${name}" do not fit: ${result.issues.map(describe).join('; ')}`);
}

function describe({ message, path = [] }: SchemaIssue): string {
  const keys = path.map((step) => String(typeof step === 'object' ? step.key : step));
  return keys.length === 0 ? message : `${keys.join('.')}: ${message}`;
}

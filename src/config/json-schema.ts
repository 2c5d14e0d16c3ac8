import { z } from 'zod';
import { configSchema } from './schema/document.ts';

/** A JSON Schema, as far as this project looks into one. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** What may stand wherever a number, a flag or a certain text is wanted: it becomes one when the file is loaded. */
const SUBSTITUTION: JsonSchema = { type: 'string', pattern: '\\$\\{' };

/** What says which values an option takes, and gives way to alternatives beside a substitution. */
const CONSTRAINTS = [
  'type',
  'enum',
  'const',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'minLength',
  'maxLength',
] as const;

/**
 * The JSON Schema of a configuration, for editors: what one may write, with descriptions, defaults and examples. What
 * options mean for each other it cannot say; `photon check` does.
 */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: admitSubstitution,
  });
  // Sound: the fields above are those of JSON Schema.
  return { ...(schema as JsonSchema), title: 'Configuration of Photon' };
}

function admitSubstitution({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: object }): void {
  const { type } = zodSchema._zod.def;
  const isPlainText = type === 'string' && !('pattern' in jsonSchema) && !('allOf' in jsonSchema);
  if (!['string', 'number', 'boolean', 'enum', 'literal'].includes(type) || isPlainText) return;
  const schema = jsonSchema as Record<string, unknown>;
  const own: Record<string, unknown> = {};
  for (const key of [...CONSTRAINTS, 'allOf']) {
    if (!(key in schema)) continue;
    own[key] = schema[key];
    delete schema[key];
  }
  schema['anyOf'] = [own, SUBSTITUTION];
}

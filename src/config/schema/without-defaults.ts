import { z } from 'zod';

/** The same options, each of which may be left out. */
export function withoutDefaults<S extends Record<string, z.ZodPrefault>>(options: S) {
  const optional = Object.entries(options).map(([name, option]) => [name, z.optional(option.unwrap())]);
  // Sound: the same names, each with the type that was inside its default.
  return Object.fromEntries(optional) as { [K in keyof S]: z.ZodOptional<ReturnType<S[K]['unwrap']>> };
}

/** What may be left out of a mapping of options, and of the mappings within it: everything. Lists stay whole. */
export type Overrides<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Overrides<T[K]> | undefined }
    : T;

/**
 * The options of a block of which any part may be written, for a place that changes some of them: nothing is required,
 * nothing has a default, and what options mean for each other is not asked.
 */
export function overridesOf<S extends z.ZodType>(schema: S): z.ZodType<unknown, Overrides<z.input<S>>> {
  // Sound: the schema takes what the type says, which TypeScript cannot follow through the recursion.
  return partly(schema) as z.ZodType<unknown, Overrides<z.input<S>>>;
}

function partly(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    // Sound: every schema here is made by `z`, whose classes extend ZodType; the core's types do not say so.
    return described(partly(schema.unwrap() as z.ZodType), schema);
  }
  if (!(schema instanceof z.ZodObject)) return schema;
  const shape = Object.entries(schema.shape).map(([key, option]) => [key, partly(option as z.ZodType).optional()]);
  return described(z.strictObject(Object.fromEntries(shape)), schema);
}

function described(schema: z.ZodType, original: z.ZodType): z.ZodType {
  return original.description === undefined ? schema : schema.describe(original.description);
}

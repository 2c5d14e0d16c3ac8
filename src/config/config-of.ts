import { z } from 'zod';
import { type Unit, type UnitOf, unitOf } from './option-units.ts';

/*
 * How the configuration follows from the schema, for types (`ConfigOf`) and for values (`configConverter`). Each key of
 * a mapping is written in camelCase and ends with the unit of its value, and an option that is left out is null:
 *
 *     connection_timeout   a duration   connectionTimeoutMs
 *     max_target           a size       maxTargetBytes
 *     max_body_size        a size       maxBodyBytes
 *
 * This goes into mappings and lists. Every other value stays as the schema has made it.
 */

/** What the configuration has for a schema. `converterOf` has the same cases in the same order. */
export type ConfigOf<S> =
  S extends z.ZodOptional<infer Inner>
    ? ConfigOf<Inner> | null
    : S extends z.ZodPrefault<infer Inner>
      ? ConfigOf<Inner>
      : S extends z.ZodObject<infer Shape, z.core.$strict>
        ? { readonly [Key in keyof Shape & string as ConfigKey<Key, UnitOf<Shape[Key]>>]: ConfigOf<Shape[Key]> }
        : S extends z.ZodArray<infer Item>
          ? readonly ConfigOf<Item>[]
          : S extends z.ZodRecord<infer Name, infer Value>
            ? Readonly<Record<z.output<Name>, ConfigOf<Value>>>
            : z.output<S>;

/** The name of an option in the configuration. */
type ConfigKey<Key extends string, U extends Unit | null> = U extends 'Bytes'
  ? `${CamelCase<WithoutSize<Key>>}Bytes`
  : `${CamelCase<Key>}${U extends null ? '' : U}`;

type WithoutSize<Key extends string> = Key extends `${infer Stem}_size` ? Stem : Key;

type CamelCase<Key extends string> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Key;

/** Sound wherever it casts: a converter gets only values that its schema has made. */
type Converter = (value: unknown) => unknown;

/**
 * Makes the function that converts what `schema` has made of a document into what the configuration has. It is made once
 * for a schema, because a document may have thousands of routes.
 */
export function configConverter<S extends z.ZodType>(schema: S): (value: z.output<S>) => ConfigOf<S> {
  // Sound: converterOf has the cases of ConfigOf.
  return converterOf(schema) as (value: z.output<S>) => ConfigOf<S>;
}

function converterOf(schema: z.core.$ZodType): Converter {
  if (schema instanceof z.ZodOptional) {
    const convert = converterOf(schema.unwrap());
    return (value) => (value === undefined ? null : convert(value));
  }
  if (schema instanceof z.ZodPrefault) return converterOf(schema.unwrap());
  if (schema instanceof z.ZodObject) return mappingConverter(schema);
  if (schema instanceof z.ZodArray) {
    const convert = converterOf(schema.element);
    return (value) => (value as readonly unknown[]).map(convert);
  }
  if (schema instanceof z.ZodRecord) {
    const convert = converterOf(schema.valueType);
    return (value) => Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, convert(each)]));
  }
  return (value) => value;
}

function mappingConverter({ shape }: z.ZodObject): Converter {
  const options = Object.entries(shape).map(([key, option]) => ({
    key,
    name: configKey(key, unitOf(option)),
    convert: converterOf(option),
  }));
  return (value) => {
    const mapping = value as Readonly<Record<string, unknown>>;
    const converted: Record<string, unknown> = {};
    for (const { key, name, convert } of options) converted[name] = convert(mapping[key]);
    return converted;
  };
}

function configKey(key: string, unit: Unit | null): string {
  const stem = unit === 'Bytes' ? key.replace(/_size$/, '') : key;
  return `${stem.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}${unit ?? ''}`;
}

import { z } from 'zod';

/** The end of an option's name in the configuration: `Ms` for a number of milliseconds, `Bytes` for a number of bytes. */
export type Unit = 'Ms' | 'Bytes';

declare const UNIT: unique symbol;

/** A schema whose values are numbers in a unit. The property exists for the compiler alone; at run time the registry knows the unit. */
export interface InUnit<U extends Unit> {
  readonly [UNIT]: U;
}

/** The unit of an option's schema, also of an option that may be left out; null for values without a unit. */
export type UnitOf<S> =
  S extends z.ZodOptional<infer Inner>
    ? UnitOf<Inner>
    : S extends z.ZodPrefault<infer Inner>
      ? UnitOf<Inner>
      : S extends InUnit<infer U>
        ? U
        : null;

/** The copies of a schema that `describe` and `meta` make inherit its entry. */
const units = z.registry<{ readonly unit: Unit }>();

/** Declares the unit of a schema's values. */
export function inUnit<const U extends Unit, S extends z.ZodType>(unit: U, schema: S): S & InUnit<U> {
  units.add(schema, { unit });
  // Sound: nothing reads the property.
  return schema as S & InUnit<U>;
}

/** The unit that `UnitOf` says. */
export function unitOf(schema: z.core.$ZodType): Unit | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return unitOf(schema.unwrap());
  return units.get(schema)?.unit ?? null;
}

import { z } from 'zod';
import { printableText } from '../option-types.ts';
import { ALIASES, BUILT_IN, type BuiltIn } from './middleware/block.ts';
import { type Overrides, overridesOf } from './without-defaults.ts';

const wanted = 'the name of a middleware, or a mapping of one name to its options for this route';

type OptionsOf<N extends BuiltIn> = Overrides<z.input<(typeof BUILT_IN)[N]>>;

/** One name, its options beside it. */
type Named = {
  readonly [N in BuiltIn]?: OptionsOf<N> | undefined;
} & {
  readonly [A in keyof typeof ALIASES]?: OptionsOf<(typeof ALIASES)[A]> | undefined;
};

/** Own names of middleware are texts too; the known ones are here for completion. */
type Name = BuiltIn | keyof typeof ALIASES | (string & {});

const options = z.record(z.string(), z.unknown(), { error: 'a mapping of options' });

/** The options are checked with those of the block (route-middleware.ts); for editors they are told apart. */
const named = z
  .object({
    ...Object.fromEntries(Object.entries(BUILT_IN).map(([name, schema]) => [name, overridesOf(schema).optional()])),
    ...Object.fromEntries(Object.entries(ALIASES).map(([name, of]) => [name, overridesOf(BUILT_IN[of]).optional()])),
  })
  .catchall(options)
  .refine((entry) => Object.keys(entry).length === 1, { error: wanted });

const entry: z.ZodType<string | Readonly<Record<string, unknown>>, Name | Named | Readonly<Record<string, object>>> =
  z.union([printableText(), named], { error: wanted });

/** The middleware of a route or of all routes. */
export function middlewareList() {
  return z.array(entry, { error: 'a list of middleware' });
}

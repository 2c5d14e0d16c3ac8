import type { CustomMiddleware } from '../../config/config.ts';
import type { Middleware } from '../../pipeline/middleware.ts';
import type { MiddlewareContext } from '../middleware-context.ts';
import { customMiddleware } from './custom.ts';
import type { ModuleLoader } from './module-loader.ts';

/** Middleware of users, ready: made once for each that is different from the others, by `customKey`. */
export type CustomChain = ReadonlyMap<string, readonly Middleware[]>;

/** The same for entries that can share one. */
export function customKey({ name, module, options }: CustomMiddleware): string {
  return JSON.stringify([name, module, options]);
}

/**
 * Loads and makes the middleware of these entries. `loading` is called before each, since a module may take for ever. Rejects with an Error
 * of one line that names the first that cannot be used.
 */
export async function loadCustom(
  entries: readonly CustomMiddleware[],
  loader: ModuleLoader,
  context: Pick<MiddlewareContext, 'log'>,
  loading: (entry: CustomMiddleware) => void = () => undefined,
): Promise<CustomChain> {
  const made = new Map<string, readonly Middleware[]>();
  for (const entry of entries) {
    try {
      loading(entry);
      const definition = await loader.load(entry.module, entry.name);
      made.set(customKey(entry), customMiddleware(entry.name, definition, entry.options, context));
    } catch (error) {
      throw new Error(`Cannot use the middleware "${entry.name}": ${reasonOf(error)}`, { cause: error });
    }
  }
  return made;
}

function reasonOf(error: unknown): string {
  const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return first;
}

import type { Config, CustomMiddleware } from '../config/config.ts';
import { type Diagnostic, wholeFileDiagnostic } from '../config/diagnostic.ts';
import { ModuleLoader } from '../middleware/custom/module-loader.ts';
import { optionsFor } from '../middleware/custom/options.ts';
import { customOf } from '../pipeline/compiled-config.ts';

/** What is wrong with the middleware of users: modules that cannot be loaded, and options that do not fit their schemas. */
export async function checkCustom(config: Config): Promise<readonly Diagnostic[]> {
  const entries = customOf(config);
  if (entries.length === 0) return [];
  const loader = new ModuleLoader();
  const found = await Promise.all(entries.map((entry) => checkEntry(entry, loader)));
  return found.flat();
}

async function checkEntry({ name, module, options }: CustomMiddleware, loader: ModuleLoader): Promise<Diagnostic[]> {
  try {
    optionsFor(await loader.load(module), options);
    return [];
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return [wholeFileDiagnostic('module-failed', module, `Cannot use the middleware "${name}": ${reason}`)];
  }
}

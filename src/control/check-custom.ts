import type { Config, CustomMiddleware } from '../config/config.ts';
import { type Diagnostic, wholeFileDiagnostic } from '../config/diagnostic.ts';
import { ModuleLoader } from '../middleware/custom/module-loader.ts';
import { optionsFor } from '../middleware/custom/options.ts';
import { customOf } from '../pipeline/compiled-config.ts';

export interface CheckedCustom {
  /** What is wrong: modules that cannot be loaded, and options that do not fit their schemas. */
  readonly faults: readonly Diagnostic[];
  /** The same as long as the code is; empty without any, and where something is wrong. */
  readonly codeVersion: string;
}

/** Loads the middleware of users. */
export async function checkCustom(config: Config): Promise<CheckedCustom> {
  const entries = customOf(config);
  if (entries.length === 0) return { faults: [], codeVersion: '' };
  const loader = new ModuleLoader();
  const faults = (await Promise.all(entries.map((entry) => checkEntry(entry, loader)))).flat();
  const codeVersion = faults.length > 0 ? '' : entries.map(({ module }) => loader.versionOf(module)).join(' ');
  return { faults, codeVersion };
}

async function checkEntry({ name, module, options }: CustomMiddleware, loader: ModuleLoader): Promise<Diagnostic[]> {
  try {
    optionsFor(await loader.load(module, name), options);
    return [];
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return [wholeFileDiagnostic('module-failed', module, `Cannot use the middleware "${name}": ${reason}`)];
  }
}

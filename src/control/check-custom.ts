import { formatDuration } from '../base/duration.ts';
import { TooLate, within } from '../base/within.ts';
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

/** Called before each module of a user is loaded: that may take for ever. */
export type ReportLoading = (entry: CustomMiddleware, limitMs: number) => void;

/** Loads the middleware of users, each within `server.reload_timeout`, until one does not come to its end. */
export async function checkCustom(config: Config, loading: ReportLoading): Promise<CheckedCustom> {
  return await checkEntries(customOf(config), config.server.reloadTimeoutMs, loading);
}

/** The same of the middleware of a configuration, by itself. */
export async function checkEntries(
  entries: readonly CustomMiddleware[],
  limitMs: number,
  loading: ReportLoading,
): Promise<CheckedCustom> {
  if (entries.length === 0) return { faults: [], codeVersion: '' };
  const loader = new ModuleLoader();
  const faults: Diagnostic[] = [];
  for (const entry of entries) {
    loading(entry, limitMs);
    const error = await errorOf(entry, loader, limitMs);
    if (error !== null) faults.push(faultOf(entry, error));
    if (error instanceof TooLate) break;
  }
  const codeVersion = faults.length > 0 ? '' : entries.map(({ module }) => loader.versionOf(module)).join(' ');
  return { faults, codeVersion };
}

/** Why an entry cannot be used; null when it can. */
async function errorOf({ name, module, options }: CustomMiddleware, loader: ModuleLoader, limitMs: number) {
  const tooLate = `its module has not loaded within ${formatDuration(limitMs)}: does an await at its top level never end?`;
  try {
    optionsFor(await within(limitMs, loader.load(module, name), tooLate), options);
    return null;
  } catch (error) {
    return error;
  }
}

/** The fault of an entry that cannot be used for this reason. */
export function faultOf({ name, module }: CustomMiddleware, error: unknown): Diagnostic {
  const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return wholeFileDiagnostic('module-failed', module, `Cannot use the middleware "${name}": ${reason}`);
}

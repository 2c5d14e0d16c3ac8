import { formatDuration } from '../base/duration.ts';
import { TooLate, within } from '../base/within.ts';
import type { Config, CustomMiddleware } from '../config/config.ts';
import { type Diagnostic, type DiagnosticPlace, wholeFileDiagnostic } from '../config/diagnostic.ts';
import { ModuleLoader } from '../middleware/custom/module-loader.ts';
import { type FaultyOption, OptionsError, optionsFor } from '../middleware/custom/options.ts';
import { customOf } from '../pipeline/compiled-config.ts';

export interface CustomOptionFault extends FaultyOption {
  readonly entry: CustomMiddleware;
}

export interface CheckedCustom {
  /** Modules that cannot be used. */
  readonly faults: readonly Diagnostic[];
  /** Options that do not fit the schemas of their modules. */
  readonly optionFaults: readonly CustomOptionFault[];
  /** The same as long as the code is; empty without any, and where something is wrong. */
  readonly codeVersion: string;
}

export const NOTHING_WRONG: CheckedCustom = { faults: [], optionFaults: [], codeVersion: '' };

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
  if (entries.length === 0) return NOTHING_WRONG;
  const loader = new ModuleLoader();
  const faults: Diagnostic[] = [];
  const optionFaults: CustomOptionFault[] = [];
  for (const entry of entries) {
    loading(entry, limitMs);
    const error = await errorOf(entry, loader, limitMs);
    if (error instanceof OptionsError) optionFaults.push(...error.faults.map((fault) => ({ ...fault, entry })));
    else if (error !== null) faults.push(faultOf(entry, error));
    if (error instanceof TooLate) break;
  }
  const isWrong = faults.length + optionFaults.length > 0;
  const codeVersion = isWrong ? '' : entries.map(({ module }) => loader.versionOf(module)).join(' ');
  return { faults, optionFaults, codeVersion };
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
  const { file, line, column } = placeOf(error, module);
  const diagnostic = wholeFileDiagnostic('module-failed', file, `Cannot use the middleware "${name}": ${reason}`);
  return { ...diagnostic, line, column };
}

/**
 * An error of syntax stands in the module or in a file that it imports: the runtime puts the place before the stack, with the line and carets
 * below it. For JavaScript it does not always: then it is the file as a whole.
 */
function placeOf(error: unknown, module: string): DiagnosticPlace {
  const stack = error instanceof SyntaxError ? String(error.stack) : '';
  const found = /^(?:file:\/\/)?(\/[^\n]*?)(?:\?[^\n]*)?:(\d+)\n\n?[^\n]*\n( *)\^/.exec(stack);
  if (found === null) return { file: module, line: 0, column: 0 };
  const [, file = module, line, spaces = ''] = found;
  return { file, line: Number(line), column: spaces.length + 1 };
}

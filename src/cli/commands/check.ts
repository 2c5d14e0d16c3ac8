import type { Config } from '../../config/config.ts';
import { ConfigError, type Diagnostic } from '../../config/diagnostic.ts';
import { diagnosticsToJson, formatDiagnostics } from '../../config/format-diagnostics.ts';
import { checkCustomApart } from '../../control/check-custom-apart.ts';
import { findMachineFaults } from '../../control/check-machine.ts';
import { keepsFromStarting, loadConfig } from '../../control/load-config.ts';
import { EXIT_CODE, type ExitCode } from '../exit-code.ts';
import { printFault } from '../print-fault.ts';
import { isColoured, type Terminal } from '../terminal.ts';

export interface CheckOptions {
  readonly format: 'text' | 'json';
  /** Warnings too make the check fail. */
  readonly strict: boolean;
}

/** Does what a start would do short of listening, and prints all that is wrong. */
export async function check(configFile: string, options: CheckOptions, out: Terminal): Promise<ExitCode> {
  const diagnostics = await diagnose(configFile);
  if (options.format === 'json') out.write(`${diagnosticsToJson(diagnostics)}\n`);
  else out.write(describe(configFile, diagnostics, out));
  if (diagnostics.some(({ severity }) => severity === 'error')) return EXIT_CODE.failure;
  return options.strict && diagnostics.length > 0 ? EXIT_CODE.warnings : EXIT_CODE.ok;
}

const checkModules = (config: Config) => checkCustomApart(config, printFault);

async function diagnose(configFile: string): Promise<readonly Diagnostic[]> {
  const found = await load(configFile);
  return found.map((each) => (keepsFromStarting(each) ? { ...each, severity: 'error' } : each));
}

/** Reads the file a second time for the faults outside of it, so that they are shown at their place in the file. */
async function load(configFile: string): Promise<readonly Diagnostic[]> {
  try {
    const { config, warnings } = await loadConfig(configFile, undefined, checkModules);
    const faults = await findMachineFaults(config);
    return faults.length === 0 ? warnings : (await loadConfig(configFile, () => faults, checkModules)).warnings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.diagnostics;
  }
}

function describe(configFile: string, diagnostics: readonly Diagnostic[], out: Terminal): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const color = isColoured(out);
  const details = diagnostics.length === 0 ? '' : `${formatDiagnostics(diagnostics, { color })}\n\n`;
  return `${details}${configFile}: ${verdict(errors, warnings)}\n`;
}

function verdict(errors: number, warnings: number): string {
  const counts = [...counted(errors, 'error'), ...counted(warnings, 'warning')].join(', ');
  if (errors > 0) return `Photon would not start: ${counts}`;
  return warnings > 0 ? `ok, with ${counts}` : 'ok';
}

function counted(count: number, word: string): readonly string[] {
  if (count === 0) return [];
  return [count === 1 ? `1 ${word}` : `${count} ${word}s`];
}

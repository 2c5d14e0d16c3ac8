import { ConfigError } from '../config/diagnostic.ts';
import { type FormatOptions, formatDiagnostics } from '../config/format-diagnostics.ts';

/**
 * Why the gateway does not start: one line, and below it, where the contents of the configuration are at fault, each
 * fault with its place.
 */
export function describeFailure(error: unknown, configFile: string, options: FormatOptions): string {
  if (!(error instanceof ConfigError)) {
    return `photon: ${error instanceof Error ? error.message : error}`;
  }
  const [first, ...others] = error.diagnostics.filter(({ severity }) => severity === 'error');
  if (first !== undefined && others.length === 0 && first.line === 0) {
    return `photon: ${first.message}`;
  }
  const count = others.length === 0 ? '1 error' : `${others.length + 1} errors`;
  return `photon: Cannot use ${configFile}: ${count}\n\n${formatDiagnostics(error.diagnostics, options)}`;
}

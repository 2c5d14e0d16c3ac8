import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import { loadConfigFile } from '../config/load.ts';
import type { LoadedConfig, ParseOptions } from '../config/parse-config.ts';
import { compilePatternError } from '../routing/pattern.ts';
import type { EventLog } from './event-log.ts';

/** A configuration, and every file that was read for it. */
export interface ReadConfig extends LoadedConfig {
  readonly files: readonly string[];
}

/**
 * Reads a configuration file, with everything checked that this gateway can check. Throws a ConfigError that holds all
 * that is wrong with it. What it gives can be explained, but not always started: see `loadStartableConfig`.
 */
export function loadConfig(path: string, findFaults: ParseOptions['findFaults'] = () => []): ReadConfig {
  return {
    ...loadConfigFile(path, process.env, { checkRoutePattern: compilePatternError, findFaults }),
    files: [path],
  };
}

/**
 * The same for a configuration that is to be served: asking for a protection that this version does not have is an error
 * there.
 */
export function loadStartableConfig(path: string): ReadConfig {
  const loaded = loadConfig(path);
  const blockers = loaded.warnings.filter(keepsFromStarting);
  if (blockers.length > 0) throw new ConfigError(blockers.map((blocker) => ({ ...blocker, severity: 'error' })));
  return loaded;
}

/** The warnings that are errors for whoever wants to start. */
export function keepsFromStarting({ code }: Diagnostic): boolean {
  return code === 'not-available-yet';
}

/** Logs what is allowed, but probably not meant; the event is the code of the diagnostic. */
export function logWarnings({ warnings }: Pick<LoadedConfig, 'warnings'>, log: EventLog): void {
  for (const { code, message, file, line, column } of warnings) {
    log.warn(code, { message, at: `${file}:${line}:${column}` });
  }
}

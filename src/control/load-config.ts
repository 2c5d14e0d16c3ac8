import { loadConfigFile } from '../config/load.ts';
import type { LoadedConfig } from '../config/parse-config.ts';
import { compilePatternError } from '../routing/pattern.ts';
import type { EventLog } from './event-log.ts';

/**
 * Reads a configuration file, with everything checked that this gateway can check. Throws a ConfigError that holds all
 * that is wrong with it.
 */
export function loadConfig(path: string): LoadedConfig {
  return loadConfigFile(path, process.env, { checkRoutePattern: compilePatternError });
}

/** Logs what is allowed, but probably not meant; the event is the code of the diagnostic. */
export function logWarnings({ warnings }: LoadedConfig, log: EventLog): void {
  for (const { code, message, file, line, column } of warnings) {
    log.warn(code, { message, at: `${file}:${line}:${column}` });
  }
}

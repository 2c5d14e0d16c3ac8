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
 * that is wrong with it.
 */
export function loadConfig(path: string): ReadConfig {
  return { ...loadConfigFile(path, process.env, { checkRoutePattern: compilePatternError }), files: [path] };
}

/**
 * The same for whoever only looks at a configuration: options that keep the gateway from starting until it has them do not keep
 * it from being looked at, and stand among the warnings.
 */
export function loadToInspect(path: string, findFaults: ParseOptions['findFaults'] = () => []): LoadedConfig {
  return loadConfigFile(path, process.env, {
    checkRoutePattern: compilePatternError,
    unavailable: 'report',
    findFaults,
  });
}

/** Logs what is allowed, but probably not meant; the event is the code of the diagnostic. */
export function logWarnings({ warnings }: Pick<LoadedConfig, 'warnings'>, log: EventLog): void {
  for (const { code, message, file, line, column } of warnings) {
    log.warn(code, { message, at: `${file}:${line}:${column}` });
  }
}

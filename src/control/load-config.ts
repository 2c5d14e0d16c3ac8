import type { Config } from '../config/config.ts';
import { ConfigError, type Diagnostic } from '../config/diagnostic.ts';
import { loadConfigFile } from '../config/load.ts';
import type { ConfigChecks, LoadedConfig } from '../config/parse-config.ts';
import { findCoveredRoutes } from '../routing/covered-routes.ts';
import { compilePatternError } from '../routing/pattern.ts';
import { type CheckedCustom, checkCustom, type ReportLoading } from './check-custom.ts';

/** How the middleware of users is looked at. */
export type CheckModules = (config: Config) => Promise<CheckedCustom>;

/** What is to be served: the configuration, and the code that it names. */
export interface CheckedConfig extends LoadedConfig, Pick<CheckedCustom, 'codeVersion'> {}

/**
 * Reads a configuration file, with everything checked that this gateway can check. Rejects with a ConfigError that holds
 * all that is wrong with it. What it gives can be explained, but not always started: see `loadStartableConfig`.
 */
export async function loadConfig(
  path: string,
  findFaults: ConfigChecks['findFaults'] = () => [],
  checkModules: CheckModules = (config) => checkCustom(config, () => undefined),
): Promise<CheckedConfig> {
  const checks = { checkRoutePattern: compilePatternError, findCoveredRoutes, findFaults };
  const loaded = await loadConfigFile(path, process.env, checks);
  const { faults, codeVersion } = await checkModules(loaded.config);
  if (faults.length > 0) throw new ConfigError(faults);
  return { ...loaded, codeVersion };
}

/**
 * The same for a configuration that is to be served: asking for a protection that this version does not have is an error
 * there.
 */
export async function loadStartableConfig(
  path: string,
  loading: ReportLoading = () => undefined,
): Promise<CheckedConfig> {
  const loaded = await loadConfig(path, undefined, (config) => checkCustom(config, loading));
  const blockers = loaded.warnings.filter(keepsFromStarting);
  if (blockers.length > 0) throw new ConfigError(blockers.map((blocker) => ({ ...blocker, severity: 'error' })));
  return loaded;
}

/** The warnings that are errors for whoever wants to start. */
export function keepsFromStarting({ code }: Diagnostic): boolean {
  return code === 'not-available-yet';
}

/** Throws an Error for a configuration that must not be served; one from `loadStartableConfig` always may. */
export function refuseUnstartable({ notAvailableYet }: Config): void {
  if (notAvailableYet.length === 0) return;
  throw new Error(`Cannot start: this version does not have ${notAvailableYet.join(', ')}`);
}

import type { Config, CustomMiddleware, RouteMiddleware } from '../config/config.ts';
import type { Path } from '../config/config-node.ts';
import { ConfigError, type Diagnostic, wholeFileDiagnostic } from '../config/diagnostic.ts';
import { loadConfigFile } from '../config/load.ts';
import type { ConfigChecks, LoadedConfig, OptionFault } from '../config/parse-config.ts';
import { findCoveredRoutes } from '../routing/covered-routes.ts';
import { compilePatternError } from '../routing/pattern.ts';
import { type CheckedCustom, type CustomOptionFault, checkCustom, type ReportLoading } from './check-custom.ts';

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
  const { faults, optionFaults, codeVersion } = await checkModules(loaded.config);
  const ofOptions = optionFaults.map((fault) => optionFaultIn(loaded.config, fault));
  const located = ofOptions.length === 0 ? [] : await locateFaults(path, ofOptions);
  if (faults.length + located.length > 0) throw new ConfigError([...located, ...faults]);
  return { ...loaded, codeVersion };
}

/** Reads the file a second time for the places of faults that were found outside of it. One that has changed meanwhile has them as a whole. */
async function locateFaults(path: string, faults: readonly OptionFault[]): Promise<readonly Diagnostic[]> {
  try {
    await loadConfigFile(path, process.env, { findFaults: () => faults });
  } catch (error) {
    if (error instanceof ConfigError) return error.diagnostics;
  }
  return faults.map(({ code, message }) => wholeFileDiagnostic(code, path, message));
}

/** An option stands where the middleware is used, or in its block. */
function optionFaultIn(config: Config, { entry, keys, message }: CustomOptionFault): OptionFault {
  const { name, overrides } = entry;
  const isOverride = keys.length > 0 && Object.hasOwn(overrides, String(keys[0]));
  const place = (isOverride ? usePlaceOf(config, entry) : null) ?? ['middleware', 'custom', name, 'options'];
  const text = `Cannot use the middleware "${name}": ${message}`;
  return { code: 'module-failed', severity: 'error', path: [...place, ...keys], message: text };
}

function usePlaceOf({ server, routes }: Config, { name, options }: CustomMiddleware): Path | null {
  const wanted = JSON.stringify(options);
  const placeIn = (list: readonly RouteMiddleware[], path: Path): readonly Path[] =>
    list.flatMap((each, index) =>
      each.module !== null && each.name === name && JSON.stringify(each.options) === wanted
        ? [[...path, 'middleware', index, name]]
        : [],
    );
  const [first] = [
    ...placeIn(server.middleware, ['server']),
    ...routes.flatMap(({ middleware }, index) => placeIn(middleware, ['routes', index])),
  ];
  return first ?? null;
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

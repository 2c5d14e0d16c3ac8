/** The library's public face: the gateway as an object, for programs that want to run it inside themselves. */
import type { Config } from './config/config.ts';
import { type DefinedConfig, defineConfig } from './config/define-config.ts';
import { ConfigError, type Diagnostic } from './config/diagnostic.ts';
import { createEventLog } from './control/event-log.ts';
import { loadConfig, loadStartableConfig, refuseUnstartable } from './control/load-config.ts';
import type { LogLevel } from './control/log-level.ts';
import { logWarnings } from './control/log-warnings.ts';
import { Supervisor } from './control/supervisor.ts';
import {
  type CustomContext,
  type CustomHooks,
  type CustomReply,
  defineMiddleware,
  type MiddlewareDefinition,
  type OptionsSchema,
} from './middleware/custom/define-middleware.ts';
import { BindError, type OpenAddress } from './net/binding.ts';
import { compileConfig } from './pipeline/compiled-config.ts';

export type {
  Config,
  CustomContext,
  CustomHooks,
  CustomReply,
  DefinedConfig,
  Diagnostic,
  LogLevel,
  MiddlewareDefinition,
  OpenAddress,
  OptionsSchema,
};
export { BindError, ConfigError, defineConfig, defineMiddleware, loadConfig };

export interface GatewayOptions {
  /** How much goes to standard error. Default: `info`. */
  readonly logLevel?: LogLevel;
}

export interface Gateway {
  /**
   * Resolves when every worker serves on every address, with the ports that were asked for as 0 settled. Rejects, with
   * nothing left open, when an address cannot be had (BindError).
   */
  start(): Promise<{ readonly addresses: readonly OpenAddress[] }>;
  /** Accepts nothing new, finishes what runs within `server.shutdown_timeout`, then closes. */
  drain(): Promise<void>;
  /** Closes everything at once. */
  close(): Promise<void>;
}

/**
 * A gateway for a configuration, or for the file at a path, which is read by `start`; that rejects with a ConfigError when
 * the file cannot be used. Throws an Error for a configuration that asks for a protection which is not there yet.
 */
export function createGateway(config: Config | string, options: GatewayOptions = {}): Gateway {
  const log = createEventLog(options.logLevel ?? 'info');
  if (typeof config !== 'string') refuseUnstartable(config);
  let supervisor: Supervisor | null = typeof config === 'string' ? null : new Supervisor(compileConfig(config), log);
  return {
    start: async () => {
      supervisor ??= new Supervisor(compileConfig(await loadLogged(String(config))), log);
      return { addresses: await supervisor.start() };
    },
    drain: async () => supervisor?.drain(),
    close: async () => supervisor?.close(),
  };

  async function loadLogged(path: string): Promise<Config> {
    const loaded = await loadStartableConfig(path);
    logWarnings(loaded, log);
    return loaded.config;
  }
}

/** The library's public face: the gateway as an object, for programs that want to run it inside themselves. */
import type { Config } from './config/config.ts';
import { ConfigError, type Diagnostic } from './config/diagnostic.ts';
import { createEventLog, type LogLevel } from './control/event-log.ts';
import { loadConfig, loadStartableConfig, logWarnings } from './control/load-config.ts';
import { Supervisor } from './control/supervisor.ts';
import { BindError, type OpenAddress } from './net/binding.ts';
import { compileConfig } from './pipeline/compiled-config.ts';

export type { Config, Diagnostic, LogLevel, OpenAddress };
export { BindError, ConfigError, loadConfig };

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

/** A gateway for a configuration, or for the file at a path. Throws a ConfigError when the file cannot be used. */
export function createGateway(config: Config | string, options: GatewayOptions = {}): Gateway {
  const log = createEventLog(options.logLevel ?? 'info');
  const supervisor = new Supervisor(compileConfig(typeof config === 'string' ? loadLogged(config) : config), log);
  return {
    start: async () => ({ addresses: await supervisor.start() }),
    drain: () => supervisor.drain(),
    close: () => supervisor.close(),
  };

  function loadLogged(path: string): Config {
    const loaded = loadStartableConfig(path);
    logWarnings(loaded, log);
    return loaded.config;
  }
}

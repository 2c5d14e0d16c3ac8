/** The library's public face: the gateway as an object, for programs that want to run it inside themselves. */
import type { Config } from './config/config.ts';
import { loadConfigFile } from './config/load.ts';
import { createEventLog, type LogLevel } from './control/event-log.ts';
import { Supervisor } from './control/supervisor.ts';
import type { OpenAddress } from './net/binding.ts';

export type { Config, LogLevel, OpenAddress };
export { loadConfigFile };

export interface GatewayOptions {
  /** How much goes to standard error. Default: `info`. */
  readonly logLevel?: LogLevel;
}

export interface Gateway {
  /**
   * Resolves when every worker serves on every address, with the ports that were asked for as 0 settled. Rejects, with
   * nothing left open, when an address cannot be had.
   */
  start(): Promise<{ readonly addresses: readonly OpenAddress[] }>;
  /** Accepts nothing new, finishes what runs within `server.shutdown_timeout`, then closes. */
  drain(): Promise<void>;
  /** Closes everything at once. */
  close(): Promise<void>;
}

/**
 * A gateway for a configuration, or for the file at a path. Throws a ConfigError, whose message lists all that is wrong,
 * when the file cannot be used.
 */
export async function createGateway(config: Config | string, options: GatewayOptions = {}): Promise<Gateway> {
  const log = createEventLog(options.logLevel ?? 'info');
  const supervisor = new Supervisor(typeof config === 'string' ? (await loadConfigFile(config)).config : config, log);
  return {
    start: async () => ({ addresses: await supervisor.start() }),
    drain: () => supervisor.drain(),
    close: () => supervisor.close(),
  };
}

import type { Config } from '../config/config.ts';
import { loadToInspect } from '../control/load-config.ts';
import { describeFailure } from './describe-failure.ts';

/** The configuration to look at; null when it cannot be used, which has been said on standard error. */
export function inspect(configFile: string): Config | null {
  try {
    return loadToInspect(configFile).config;
  } catch (error) {
    process.stderr.write(`${describeFailure(error, configFile)}\n`);
    return null;
  }
}

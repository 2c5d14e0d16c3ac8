import { extname } from 'node:path';
import { ConfigError, wholeFileDiagnostic } from './diagnostic.ts';
import { type ConfigFormat, type LoadedConfig, type ParseOptions, parseConfig } from './parse-config.ts';
import { readTextFile, UnreadableFile } from './read-text-file.ts';
import type { Environment } from './substitute.ts';

/** Ten thousand routes take about one megabyte. */
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

const FORMATS: Readonly<Record<string, ConfigFormat>> = {
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  '.toml': 'toml',
};

/** What the caller of `loadConfigFile` can hand in for the parts of the gateway that this one does not know. */
type LoadOptions = Pick<ParseOptions, 'middleware' | 'checkRoutePattern' | 'findFaults'>;

/**
 * Reads the configuration file at `path`, in the format that its suffix names.
 *
 * @throws ConfigError with everything that is wrong with it, and nothing else
 */
export function loadConfigFile(path: string, env: Environment = process.env, options: LoadOptions = {}): LoadedConfig {
  const format = FORMATS[extname(path).toLowerCase()];
  const text = readConfigText(path);
  if (format === undefined) {
    const message = `Cannot use ${path}: want a name that ends in .yaml, .yml, .json or .toml`;
    throw new ConfigError([wholeFileDiagnostic('unknown-format', path, message)]);
  }
  return parseConfig(text, { ...options, file: path, format, env });
}

function readConfigText(path: string): string {
  try {
    return readTextFile(path, MAX_CONFIG_BYTES);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new ConfigError([wholeFileDiagnostic(error.code, path, `Cannot use ${path}: it ${error.message}`)]);
  }
}

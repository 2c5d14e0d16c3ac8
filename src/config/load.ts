import { extname } from 'node:path';
import { ConfigError, wholeFileDiagnostic } from './diagnostic.ts';
import { loadModule } from './load-module.ts';
import { type ConfigChecks, compileConfig, type LoadedConfig, parseConfig } from './parse-config.ts';
import { formatOf } from './parse-text.ts';
import { documentOfValue } from './plain-value.ts';
import { readTextFile, UnreadableFile } from './read-text-file.ts';
import { SourceText } from './source-text.ts';
import type { Environment } from './substitute.ts';

/** Ten thousand routes take about one megabyte. */
const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

const MODULE_SUFFIXES = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Reads the configuration file at `path`, in the format that its suffix names; a module is run for its default export.
 *
 * @throws ConfigError with everything that is wrong with it, and nothing else
 */
export async function loadConfigFile(
  path: string,
  env: Environment = process.env,
  checks: ConfigChecks = {},
): Promise<LoadedConfig> {
  const text = readConfigText(path);
  const format = formatOf(extname(path));
  if (format !== null) return parseConfig(text, { ...checks, file: path, format, env });
  if (!MODULE_SUFFIXES.includes(extname(path).toLowerCase())) {
    const message = `Cannot use ${path}: want a name that ends in .yaml, .yml, .json, .toml or .ts`;
    throw new ConfigError([wholeFileDiagnostic('unknown-format', path, message)]);
  }
  const document = documentOfValue(await loadModule(path, text));
  return compileConfig(new SourceText(path, text, false), document, { ...checks, file: path, env });
}

function readConfigText(path: string): string {
  try {
    return readTextFile(path, MAX_CONFIG_BYTES);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new ConfigError([wholeFileDiagnostic(error.code, path, `Cannot use ${path}: it ${error.message}`)]);
  }
}

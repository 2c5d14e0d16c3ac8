import { extname } from 'node:path';
import { ConfigError, type Diagnostic } from '../../src/config/diagnostic.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { formatOf } from '../../src/config/parse-text.ts';
import { findCoveredRoutes } from '../../src/routing/covered-routes.ts';
import { compilePatternError } from '../../src/routing/pattern.ts';

/** The errors and warnings about a configuration, with an empty environment. */
export function diagnose(text: string, file: string): readonly Diagnostic[] {
  const format = formatOf(extname(file)) ?? 'yaml';
  try {
    const checks = { checkRoutePattern: compilePatternError, findCoveredRoutes };
    return parseConfig(text, { ...checks, file, format, env: {} }).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.diagnostics;
    throw error;
  }
}

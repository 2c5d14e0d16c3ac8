import assert from 'node:assert/strict';
import type { Config } from '../../src/config/config.ts';
import { ConfigError, type Diagnostic } from '../../src/config/diagnostic.ts';
import { type ParseOptions, parseConfig } from '../../src/config/parse-config.ts';

/** The shortest configuration there is, in lines to put others between. */
export const SERVER = ['server:', '  http_addr: 127.0.0.1:8080'];
export const BACKENDS = ['load_balancing:', '  backends:', '    web:', '      upstreams:', '        - address: a:80'];
export const ROUTES = ['routes:', '  - path: /**'];

export function lines(...parts: readonly (string | readonly string[])[]): string {
  return `${parts.flat().join('\n')}\n`;
}

export function parseYamlConfig(text: string, options: Partial<ParseOptions> = {}): Config {
  return parseConfig(text, { file: 'photon.yaml', format: 'yaml', env: {}, ...options }).config;
}

/** What is wrong with a document. */
export function diagnosticsOf(text: string, options: Partial<ParseOptions> = {}): readonly Diagnostic[] {
  try {
    parseYamlConfig(text, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.diagnostics;
    throw error;
  }
  assert.fail('the document is a valid configuration');
}

/** Code, path and place of each diagnostic, in a form that is easy to compare. */
export function placesOf(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ code, path, line, column }) => `${code} ${path} ${line}:${column}`);
}

export function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen);
}

import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { ConfigError, wholeFileDiagnostic } from './diagnostic.ts';

/**
 * Runs a module and returns its default export. A module is kept by its text: one that has changed is run anew, but what
 * it imports is not, unless a thread of its own loads it.
 *
 * @throws ConfigError when it cannot be run, or ends in an error
 */
export async function loadModule(path: string, text: string): Promise<unknown> {
  const version = createHash('sha256').update(text).digest('hex');
  let module: { readonly default?: unknown };
  try {
    // Sound: a module is an object of its exports.
    module = (await import(`${pathToFileURL(path).href}?version=${version}`)) as { readonly default?: unknown };
  } catch (error) {
    throw failure(path, reasonOf(error));
  }
  if (module.default !== undefined) return module.default;
  throw failure(path, 'want "export default defineConfig({...})", got no default export');
}

function failure(path: string, reason: string): ConfigError {
  return new ConfigError([wholeFileDiagnostic('module-failed', path, `Cannot use ${path}: ${reason}`)]);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it threw something that is no error';
  const [first = ''] = error.message.split('\n');
  const line = error instanceof SyntaxError ? /:(\d+)\n/.exec(error.stack ?? '')?.[1] : undefined;
  return `${first}${line === undefined ? '' : ` in line ${line}`}`;
}

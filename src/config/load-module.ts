import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { formatDuration } from '../base/duration.ts';
import { within } from '../base/within.ts';
import { ConfigError, wholeFileDiagnostic } from './diagnostic.ts';

interface Module {
  readonly default?: unknown;
}

/** It may fetch something before it knows what it says. */
const TIME_LIMIT_MS = 60_000;

/**
 * Runs a module and returns its default export. A module is kept by its text: one that has changed is run anew, but what
 * it imports is not, unless a thread of its own loads it.
 *
 * @throws ConfigError when it cannot be run, ends in an error, or has not come to its end after `limitMs`
 */
export async function loadModule(path: string, text: string, limitMs: number = TIME_LIMIT_MS): Promise<unknown> {
  const version = createHash('sha256').update(text).digest('hex');
  let module: Module;
  try {
    module = await within(limitMs, evaluate(`${pathToFileURL(path).href}?version=${version}`), tooLate(limitMs));
  } catch (error) {
    throw failure(path, reasonOf(error));
  }
  if (module.default !== undefined) return module.default;
  throw failure(path, 'want "export default defineConfig({...})", got no default export');
}

/** Sound: a module is an object of its exports. */
const evaluate = async (url: string): Promise<Module> => (await import(url)) as Module;

function tooLate(limitMs: number): string {
  return `it has not loaded within ${formatDuration(limitMs)}: does an await at its top level never end?`;
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

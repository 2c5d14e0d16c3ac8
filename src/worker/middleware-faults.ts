import { PhotonError } from '../base/errors.ts';
import { RepeatedWarning } from '../base/repeated-warning.ts';
import { thrownText } from '../base/thrown-text.ts';
import type { ModuleOwners } from '../middleware/custom/module-owners.ts';
import { runningMiddleware } from '../middleware/custom/running-middleware.ts';
import type { FailedHook } from '../pipeline/failed-hook.ts';

/** Faults of one kind are logged so often in ten seconds: a client may make one happen with every request. */
export const MAX_SAME_FAULTS = 10;

/** Logs the faults of middleware, those of each at most `MAX_SAME_FAULTS` times in ten seconds, with how many there were since. */
export class MiddlewareFaults {
  readonly #time: { readonly nowMs: number };
  readonly #log: { error(event: string, fields: object): void };
  /** By the name of the middleware. */
  readonly #warnings = new Map<string, RepeatedWarning>();

  constructor(time: { readonly nowMs: number }, log: { error(event: string, fields: object): void }) {
    this.#time = time;
    this.#log = log;
  }

  /** A hook has failed. */
  log(hook: FailedHook, error: unknown): void {
    this.#warn(hook.middleware, { ...hook, error: thrownText(error) });
  }

  /** `outside`: what nobody caught, of a fault that did not come from a hook. `name`: of whose middleware it may be. */
  logOutside(name: string, error: unknown, outside: NodeJS.UncaughtExceptionOrigin): void {
    this.#warn(name, { middleware: name, error: thrownText(error), outside });
  }

  #warn(name: string, fields: object): void {
    let warning = this.#warnings.get(name);
    if (warning === undefined) {
      const report = (fields: object) => this.#log.error('middleware-failed', fields);
      warning = new RepeatedWarning(this.#time, report, MAX_SAME_FAULTS);
      this.#warnings.set(name, warning);
    }
    warning.warn(fields);
  }
}

/**
 * The names of the users' middleware whose fault an error is that nobody caught; none: it is one of the gateway itself. Either code that a
 * middleware runs or has started let it happen, or a file of its modules stands in the stack. A rejected promise whose stack names no file, if
 * it has one (`Promise.reject('no')`, a failed `fetch`), may be of any of them.
 */
export function ownersOf(
  error: unknown,
  origin: NodeJS.UncaughtExceptionOrigin,
  modules: ModuleOwners,
): readonly string[] {
  const running = runningMiddleware();
  if (running !== undefined) return [running];
  const frames = framesOf(error);
  const named = modules.namesIn(frames);
  if (named.length > 0) return named;
  // Those of the gateway have no stack.
  const isUnclaimed = origin === 'unhandledRejection' && !(error instanceof PhotonError) && !NAMES_A_FILE.test(frames);
  return isUnclaimed ? modules.names : [];
}

/** The lines of a stack without the message before them, which may be any text; empty where there are none, or they cannot be had. */
function framesOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return '';
    const stack = String(error.stack ?? '');
    const message = String(error.message);
    const at = stack.indexOf(message);
    return at === -1 ? stack : stack.slice(at + message.length);
  } catch {
    return '';
  }
}

/** A line of a stack that is not about the runtime, whose files are `node:`. */
const NAMES_A_FILE = /^ +at (?:async |.*\()?(?:file:|\/)/m;

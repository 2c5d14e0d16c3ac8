import type { Diagnostic } from '../config/diagnostic.ts';
import type { EventLog } from './event-log.ts';

/** Logs what is allowed, but probably not meant; the event is the code of the diagnostic. */
export function logWarnings({ warnings }: { readonly warnings: readonly Diagnostic[] }, log: EventLog): void {
  for (const { code, message, file, line, column } of warnings) {
    log.warn(code, { message, at: line === 0 ? file : `${file}:${line}:${column}` });
  }
}

import pino from 'pino';
import type { LogLevel } from './log-level.ts';
import { LogOutlet } from './log-outlet.ts';

/** The log of what happens to the gateway: starts, deaths, drains. An event is a stable name in kebab-case. */
export interface EventLog {
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
}

interface LogLine {
  readonly level: string;
  readonly time: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

/**
 * Logs to standard error and leaves standard output to the access log: one JSON object per line, or, on a terminal,
 * `12:30:01 info listening address=127.0.0.1:8080`. Whoever reads it too slowly, or not at all, loses lines and is told how many.
 */
export function createEventLog(level: LogLevel, outlet: LogOutlet = new LogOutlet(process.stderr)): EventLog {
  const stream = outlet.isTTY ? { write: (line: string) => outlet.write(forTerminal(line)) } : outlet;
  const logger = pino(
    {
      level,
      messageKey: 'event',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const logAs =
    (severity: keyof EventLog) =>
    (event: string, fields: object = {}): void => {
      const lines = outlet.takeLost();
      if (lines > 0) logger.warn({ lines }, 'log-lines-lost');
      logger[severity](fields, event);
    };
  return { info: logAs('info'), warn: logAs('warn'), error: logAs('error') };
}

function forTerminal(line: string): string {
  const { level, time, event, pid: _, ...fields } = JSON.parse(line) as LogLine;
  const clock = time.slice('2026-01-01T'.length, '2026-01-01T00:00:00'.length);
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${forPeople(value)}`);
  return `${clock} ${level} ${event}${shown.join('')}\n`;
}

/** Strings without blanks go unquoted; JSON escapes the control characters in the others. */
function forPeople(value: unknown): string {
  return typeof value === 'string' && /^[!#-~]+$/.test(value) ? value : JSON.stringify(value);
}

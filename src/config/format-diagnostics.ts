import { styleText } from 'node:util';
import type { Diagnostic, DiagnosticPlace } from './diagnostic.ts';

export interface FormatOptions {
  /** Whether the text is for a terminal that shows colours. */
  readonly color: boolean;
}

type Style = Parameters<typeof styleText>[0];

/**
 * Renders diagnostics for people, an empty line between two:
 *
 *   error[unknown-backend]: Cannot use routes[0].backend: want one of "web", got "wbe"
 *     --> photon.yaml:10:14 at routes[0].backend
 *      |
 *   10 |     backend: wbe
 *      |              ^^^
 *     = did you mean "web"?
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  { color }: FormatOptions = { color: false },
): string {
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, color ? paint : plain)).join('\n\n');
}

/** The diagnostics for tools: a JSON text of a list, with every field of `Diagnostic`. */
export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): string {
  return JSON.stringify(diagnostics, null, 2);
}

/**
 * Whether to colour what goes to a stream: NO_COLOR (https://no-color.org) says no, FORCE_COLOR says yes unless it is
 * "0", and without either a terminal gets colours.
 */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTerminal && env['TERM'] !== 'dumb';
}

function paint(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

function plain(_style: Style, text: string): string {
  return text;
}

function formatDiagnostic(diagnostic: Diagnostic, style: typeof paint): string {
  const { severity, code, message, path, frame, didYouMean, help, other } = diagnostic;
  const severityStyle: Style = severity === 'error' ? ['bold', 'red'] : ['bold', 'yellow'];
  return [
    `${style(severityStyle, `${severity}[${code}]`)}: ${style('bold', message)}`,
    `  ${style('blue', '-->')} ${formatPlace(diagnostic)}${path === '' ? '' : ` at ${path}`}`,
    ...(frame === null ? [] : [paintFrame(frame, severityStyle, style)]),
    ...(didYouMean === undefined ? [] : [`  = did you mean ${style('green', `"${didYouMean}"`)}?`]),
    ...(help === undefined ? [] : [`  = ${style('green', 'help')}: ${help}`]),
    ...(other === undefined ? [] : [`  = ${other.message}: ${formatPlace(other)}`]),
  ].join('\n');
}

function formatPlace({ file, line, column }: DiagnosticPlace): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

/** The gutter in blue, the carets in the colour of the severity, the source as it is. */
function paintFrame(frame: string, severityStyle: Style, style: typeof paint): string {
  const lines = frame.split('\n').map((line, index) => {
    const bar = line.indexOf('|') + 1;
    const rest = line.slice(bar);
    return style('blue', line.slice(0, bar)) + (index === 2 ? style(severityStyle, rest) : rest);
  });
  return lines.join('\n');
}

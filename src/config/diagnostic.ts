import { formatPath } from './config-node.ts';
import type { DiagnosticCode, Finding } from './finding.ts';
import { drawFrame } from './frame.ts';
import type { SourceText, Span } from './source-text.ts';

/** Something to tell the user about the configuration. Plain data without secrets and control characters. */
export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** From 1; 0 when it concerns the file as a whole. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count; 0 when it concerns the file as a whole. */
  readonly column: number;
  /** Path of the key, such as `routes[2].backend`; empty for the whole document. */
  readonly path: string;
  /** One line, complete without the other fields. */
  readonly message: string;
  readonly wanted: string | null;
  readonly found: string | null;
  readonly didYouMean?: string;
  /** The line of the source with carets below it; null when there is none to show. */
  readonly frame: string | null;
}

/** A configuration that cannot be used; `diagnostics` has everything that is wrong with it, in the order of the file. */
export class ConfigError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(formatDiagnostics(diagnostics));
    this.name = 'ConfigError';
    this.diagnostics = diagnostics;
  }
}

/** Places findings in their file and sorts them by position. `secrets` are masked in the frames. */
export function locateFindings(
  source: SourceText,
  findings: readonly Finding[],
  secrets: readonly Span[],
): readonly Diagnostic[] {
  const inOrder = findings.toSorted((a, b) => a.span.start - b.span.start);
  return inOrder.map((finding) => locate(source, finding, secrets));
}

/** A diagnostic about a file as a whole. */
export function wholeFileDiagnostic(code: DiagnosticCode, file: string, message: string): Diagnostic {
  const place = { file: printable(file), line: 0, column: 0, path: '', frame: null };
  return { code, severity: 'error', ...place, message: printable(message), wanted: null, found: null };
}

/** Renders diagnostics for a terminal, without colours, an empty line between two. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join('\n\n');
}

function formatDiagnostic(diagnostic: Diagnostic): string {
  const { severity, code, message, file, line, column, path, frame, didYouMean } = diagnostic;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return [
    `${severity}[${code}]: ${message}`,
    `  --> ${place}${path === '' ? '' : ` at ${path}`}`,
    ...(frame === null ? [] : [frame]),
    ...(didYouMean === undefined ? [] : [`  = did you mean "${didYouMean}"?`]),
  ].join('\n');
}

function locate(source: SourceText, finding: Finding, secrets: readonly Span[]): Diagnostic {
  const { code, severity, span, path, message, wanted, found, didYouMean } = finding;
  return {
    code,
    severity,
    file: printable(source.file),
    ...source.positionOf(span.start),
    path: printable(formatPath(path)),
    message: printable(message),
    wanted: wanted === null ? null : printable(wanted),
    found: found === null ? null : printable(found),
    ...(didYouMean === null ? {} : { didYouMean: printable(didYouMean) }),
    frame: drawFrame(source, span, secrets).split('\n').map(printable).join('\n'),
  };
}

/** A terminal obeys control characters, so they never reach it. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\u{fffd}');
}

import { formatPath } from './config-node.ts';
import type { DiagnosticCode, Finding } from './finding.ts';
import { formatDiagnostics } from './format-diagnostics.ts';
import { drawFrame } from './frame.ts';
import type { SourceSet } from './source-set.ts';
import type { Span } from './source-text.ts';

/** A place in a file. */
export interface DiagnosticPlace {
  readonly file: string;
  /** From 1; 0 when it concerns the file as a whole. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count; 0 when it concerns the file as a whole. */
  readonly column: number;
}

/**
 * Something to tell the user about the configuration. Plain data without secrets and control characters; as JSON it is
 * what tools get.
 */
export interface Diagnostic extends DiagnosticPlace {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  /** Path of the key, such as `routes[2].backend`; empty for the whole document. */
  readonly path: string;
  /** One line, complete without the other fields. */
  readonly message: string;
  readonly wanted: string | null;
  readonly found: string | null;
  readonly didYouMean?: string;
  /** What to write instead, where that is likely. */
  readonly help?: string;
  /** Another place that has to do with it, such as the first of two with one name. */
  readonly other?: DiagnosticPlace & { readonly message: string };
  /** The line of the source with carets below it; null when there is none to show. */
  readonly frame: string | null;
}

/** A configuration that cannot be used; `diagnostics` has everything that is wrong with it, in the order of the files. */
export class ConfigError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(formatDiagnostics(diagnostics));
    this.name = 'ConfigError';
    this.diagnostics = diagnostics;
  }
}

/** Places findings in their files and sorts them by position. `secrets` are masked in the frames. */
export function locateFindings(
  sources: SourceSet,
  findings: readonly Finding[],
  secrets: readonly Span[],
): readonly Diagnostic[] {
  const inOrder = findings.toSorted((a, b) => a.span.start - b.span.start);
  return inOrder.map((finding) => locate(sources, finding, secrets));
}

/** A diagnostic about a file as a whole. */
export function wholeFileDiagnostic(code: DiagnosticCode, file: string, message: string): Diagnostic {
  const place = { file: printable(file), line: 0, column: 0, path: '', frame: null };
  return { code, severity: 'error', ...place, message: printable(message), wanted: null, found: null };
}

function locate(sources: SourceSet, finding: Finding, secrets: readonly Span[]): Diagnostic {
  const { code, severity, path, message, wanted, found, didYouMean, help, other } = finding;
  const { source, span } = sources.placeOf(finding.span);
  const frame = source.hasPlaces ? drawFrame(source, span, sources.spansIn(source, secrets)) : null;
  return {
    code,
    severity,
    ...placeOf(sources, finding.span),
    path: printable(formatPath(path)),
    message: printable(message),
    wanted: wanted === null ? null : printable(wanted),
    found: found === null ? null : printable(found),
    ...(didYouMean === null ? {} : { didYouMean: printable(didYouMean) }),
    ...(help === null || help === undefined ? {} : { help: printable(help) }),
    ...(other === undefined ? {} : { other: { ...placeOf(sources, other.span), message: printable(other.message) } }),
    frame: frame === null ? null : frame.split('\n').map(printable).join('\n'),
  };
}

function placeOf(sources: SourceSet, offsets: Span): DiagnosticPlace {
  const { source, span } = sources.placeOf(offsets);
  const position = source.hasPlaces ? source.positionOf(span.start) : { line: 0, column: 0 };
  return { file: printable(source.file), ...position };
}

/** A terminal obeys control characters, so they never reach it. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\u{fffd}');
}

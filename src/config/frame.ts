import { secretSpansOfLine } from './secrets.ts';
import type { SourceText, Span } from './source-text.ts';

const MAX_LINE_CHARS = 120;
const CHARS_BEFORE_CARET = 60;
const MASK = '*';

/**
 * Draws the line that a span starts in, with carets below the span:
 *
 *      |
 *   12 |     - adress: 127.0.0.1:3001
 *      |       ^^^^^^
 *
 * Secrets are masked. A long line is cut around the span.
 */
export function drawFrame(source: SourceText, span: Span, secrets: readonly Span[]): string {
  const line = source.lineSpanOf(span.start);
  const lineNumber = String(source.positionOf(span.start).line);
  const shown = maskedLine(source, line, secrets);
  const caret = Math.min(span.start, line.end) - line.start;
  const from = line.end - line.start <= MAX_LINE_CHARS ? 0 : Math.max(0, caret - CHARS_BEFORE_CARET);
  const to = Math.min(shown.length, from + MAX_LINE_CHARS);
  const carets = Math.max(1, Math.min(span.end - line.start, to) - caret);
  const gutter = ' '.repeat(lineNumber.length);
  const text = `${from > 0 ? '...' : ''}${shown.slice(from, to)}${to < shown.length ? '...' : ''}`;
  const indent = ' '.repeat((from > 0 ? 3 : 0) + [...shown.slice(from, caret)].length);
  return [`${gutter} |`, `${lineNumber} | ${text}`, `${gutter} | ${indent}${'^'.repeat(carets)}`].join('\n');
}

function maskedLine(source: SourceText, line: Span, secrets: readonly Span[]): string {
  const text = source.text.slice(line.start, line.end).replaceAll('\t', ' ');
  const within = secrets
    .filter((secret) => secret.start < line.end && secret.end > line.start)
    .map((secret) => ({ start: Math.max(0, secret.start - line.start), end: secret.end - line.start }));
  return [...within, ...secretSpansOfLine(text)].reduce(mask, text);
}

function mask(text: string, span: Span): string {
  const end = Math.min(span.end, text.length);
  return text.slice(0, span.start) + MASK.repeat(Math.max(0, end - span.start)) + text.slice(end);
}

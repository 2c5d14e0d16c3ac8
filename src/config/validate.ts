import { z } from 'zod';
import {
  type ConfigNode,
  formatPath,
  lookUp,
  type Path,
  type Scalar,
  type ScalarNode,
  toPlainValue,
} from './config-node.ts';
import { didYouMean } from './did-you-mean.ts';
import { describeValue, errorAt, type Finding, isShown, quote } from './finding.ts';
import { hintForKey, hintForValue } from './hints.ts';

/** A document that fits the schema, or why it does not. */
export interface Validated<T> {
  /** Null when there are findings. */
  readonly document: T | null;
  readonly findings: readonly Finding[];
}

type Issue = z.core.$ZodIssue;

const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/**
 * Validates a document, or the part of one that stands at `at`. A text that came from `${...}` is read as a number or as true or false where the schema wants one;
 * a text written as such is not.
 */
export function validate<S extends z.ZodType>(schema: S, root: ConfigNode, at: Path = []): Validated<z.output<S>> {
  const conversions = new Map<ConfigNode, Scalar>();
  for (;;) {
    const result = schema.safeParse(toPlainValue(root, conversions), { error: wantedByDefault });
    if (result.success) return { document: result.data, findings: [] };
    const issues = result.error.issues.flatMap((issue) => innermostIssues(issue, []));
    if (!convertSubstituted(root, issues, conversions)) {
      return { document: null, findings: issues.flatMap((issue) => findingsOf(schema, root, at, issue)) };
    }
  }
}

interface PlacedIssue {
  readonly path: Path;
  readonly issue: Issue;
}

/** What a mapping or list wants; options say it themselves. */
function wantedByDefault(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'array') return 'a list';
  if (issue.code === 'invalid_type' && issue.expected !== 'object' && issue.expected !== 'record')
    return issue.expected;
  return 'a mapping';
}

/** Of the alternatives of a union, the issues of the one whose outer form fits; the union itself when none does. */
function innermostIssues(issue: Issue, base: Path): readonly PlacedIssue[] {
  const path = [...base, ...issue.path.map(stepOf)];
  const alternatives = issue.code === 'invalid_union' ? issue.errors : [];
  const fitting = alternatives.find((issues) => !issues.some(isAboutOuterForm));
  return fitting === undefined ? [{ path, issue }] : fitting.flatMap((inner) => innermostIssues(inner, path));
}

function isAboutOuterForm(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function stepOf(step: PropertyKey): string | number {
  return typeof step === 'number' ? step : String(step);
}

/** Converts substituted texts that have to be something else; false when there is nothing left to convert. */
function convertSubstituted(
  root: ConfigNode,
  issues: readonly PlacedIssue[],
  conversions: Map<ConfigNode, Scalar>,
): boolean {
  const before = conversions.size;
  for (const { path, issue } of issues) {
    const { node } = lookUp(root, path);
    if (issue.code !== 'invalid_type' || node?.kind !== 'scalar' || conversions.has(node)) continue;
    const value = convert(node, issue.expected);
    if (value !== null) conversions.set(node, value);
  }
  return conversions.size > before;
}

function convert({ origin, value }: ScalarNode, expected: string): Scalar {
  if (origin !== 'substituted' || typeof value !== 'string') return null;
  if (expected === 'boolean') return value === 'true' ? true : value === 'false' ? false : null;
  return (expected === 'number' || expected === 'int') && DECIMAL.test(value) ? Number(value) : null;
}

function findingsOf(
  schema: z.ZodType,
  root: ConfigNode,
  at: Path,
  { path: pathWithin, issue }: PlacedIssue,
): readonly Finding[] {
  const { node, keySpan, unresolved } = lookUp(root, pathWithin);
  const path = [...at, ...pathWithin];
  if (unresolved) return [];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, pathWithin);
    return issue.keys.map((key) => unknownKey([...path, key], known, lookUp(root, [...pathWithin, key]).keySpan));
  }
  if (node === null) return [missingKey(path, issue.message, keySpan)];
  if (issue.code === 'invalid_key') return [unusableKey(path, issue, keySpan)];
  const found = describeValue(node, path);
  const code = issue.code === 'invalid_type' || issue.code === 'invalid_union' ? 'wrong-type' : 'bad-value';
  const message = `Cannot use ${formatPath(path) || 'this document'}: want ${issue.message}, got ${found}`;
  const near = issue.code === 'invalid_value' ? nearestWord(node, issue.values) : null;
  const expected = issue.code === 'invalid_type' ? issue.expected : null;
  const help = isShown(node, path) ? hintForValue(node, expected, issue.message) : null;
  return [{ ...errorAt(code, node.span, path, message), wanted: issue.message, found, didYouMean: near, help }];
}

function unknownKey(path: Path, known: readonly string[], span: Finding['span']): Finding {
  const key = String(path.at(-1));
  const wanted = `one of ${known.join(', ')}`;
  const near = didYouMean(key, known);
  const message = `Unknown key ${quote(key)}${within(path)}: want ${wanted}`;
  return {
    ...errorAt('unknown-key', span, path, message),
    wanted,
    found: quote(key),
    didYouMean: near,
    help: near === null ? hintForKey(key) : null,
  };
}

function missingKey(path: Path, wanted: string, span: Finding['span']): Finding {
  const message = `Missing key ${quote(String(path.at(-1)))}${within(path)}: want ${wanted}`;
  return { ...errorAt('missing-key', span, path, message), wanted, found: null };
}

function unusableKey(path: Path, issue: z.core.$ZodIssueInvalidKey, span: Finding['span']): Finding {
  const key = quote(String(path.at(-1)));
  const wanted = issue.issues[0]?.message ?? 'another key';
  const message = `Cannot use the key ${key}${within(path)}: want ${wanted}`;
  return { ...errorAt('bad-value', span, path, message), wanted, found: key };
}

function within(path: Path): string {
  return path.length > 1 ? ` in ${formatPath(path.slice(0, -1))}` : '';
}

function nearestWord(node: ConfigNode, words: readonly unknown[]): string | null {
  if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.origin !== 'written') return null;
  return didYouMean(node.value, words.map(String));
}

/** The keys that a mapping at `path` may have. */
function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return keysAt(typed(schema.unwrap()), path);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysAt(typed(option), path));
  const [step, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (step === undefined) return Object.keys(schema.shape);
    const next = Object.hasOwn(schema.shape, step) ? schema.shape[step] : undefined;
    return next === undefined ? [] : keysAt(next, rest);
  }
  if (step !== undefined && schema instanceof z.ZodArray) return keysAt(typed(schema.element), rest);
  if (step !== undefined && schema instanceof z.ZodRecord) return keysAt(typed(schema.valueType), rest);
  return [];
}

/** Sound: every schema here is made by `z`, whose classes extend ZodType; the core's types do not say so. */
function typed(schema: z.core.$ZodType): z.ZodType {
  return schema as z.ZodType;
}

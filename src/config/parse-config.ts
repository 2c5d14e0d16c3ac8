import { dirname } from 'node:path';
import type { Config } from './config.ts';
import { type ConfigNode, formatPath, lookUp, type Path } from './config-node.ts';
import { ConfigError, type Diagnostic, locateFindings, wholeFileDiagnostic } from './diagnostic.ts';
import { type DiagnosticCode, errorAt, type Finding } from './finding.ts';
import { findNotYet } from './not-yet.ts';
import { parseJson } from './parse-json.ts';
import { parseToml } from './parse-toml.ts';
import { parseYaml } from './parse-yaml.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { checkReferences, type RoutePatternCheck } from './references.ts';
import { resolveConfig } from './resolve.ts';
import { documentSchema, type MiddlewareDeclaration } from './schema.ts';
import { secretSpans } from './secrets.ts';
import { SourceText } from './source-text.ts';
import { type Environment, Substitution } from './substitute.ts';
import { validate } from './validate.ts';

export type ConfigFormat = 'yaml' | 'json' | 'toml';

export interface ParseOptions {
  /** The name to show in diagnostics; a relative `${file:...}` starts from its directory. */
  readonly file: string;
  readonly format: ConfigFormat;
  /** The variables for `${...}`. */
  readonly env: Environment;
  /** The middleware that there is. With none, names and options of middleware are not checked. */
  readonly middleware?: readonly MiddlewareDeclaration[];
  readonly checkRoutePattern?: RoutePatternCheck;
  /** Faults of a configuration in which nothing else is wrong, found outside of it; they are reported like any other. */
  readonly findFaults?: (config: Config) => readonly OptionFault[];
}

/** A fault of an option that shows only outside of the document: a file that is not there, a name that does not resolve. */
export interface OptionFault {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  /** One line, complete without the other fields. */
  readonly message: string;
}

/** A configuration that can be used. */
export interface LoadedConfig {
  readonly config: Config;
  /**
   * What is allowed, but probably not meant, in the order of the file. One with the code `not-available-yet` keeps the
   * gateway from starting all the same; see control/load-config.ts.
   */
  readonly warnings: readonly Diagnostic[];
}

const PARSERS: Readonly<Record<ConfigFormat, (text: string) => ParsedDocument>> = {
  yaml: parseYaml,
  json: parseJson,
  toml: parseToml,
};

/**
 * Turns the text of a configuration file into a configuration.
 *
 * @throws ConfigError with everything that is wrong with it, and nothing else
 */
export function parseConfig(text: string, options: ParseOptions): LoadedConfig {
  if (text.trim() === '') throw emptyFile(options.file);
  const source = new SourceText(options.file, text);
  const parsed = parseText(text, options.format);
  if (parsed.root === null) {
    if (parsed.findings.length === 0) throw emptyFile(options.file);
    throw new ConfigError(locateFindings(source, parsed.findings, []));
  }
  const { root, findings } = substitute(parsed.root, options);
  const validated = validate(documentSchema(options.middleware ?? []), root);
  const references = checkReferences(root, options.checkRoutePattern ?? null);
  const all = withoutEchoes([
    ...parsed.findings,
    ...findings,
    ...validated.findings,
    ...references,
    ...findNotYet(root),
  ]);
  const locate = (found: readonly Finding[]) =>
    found.length === 0 ? [] : locateFindings(source, found, secretSpans(root));
  const isError = ({ severity }: Finding) => severity === 'error';
  if (validated.document === null || all.some(isError)) throw new ConfigError(locate(all));
  const config = resolveConfig(validated.document);
  const outside = (options.findFaults?.(config) ?? []).map((fault) => findingOf(root, fault));
  const diagnostics = locate([...all, ...outside]);
  if (outside.some(isError)) throw new ConfigError(diagnostics);
  return { config, warnings: diagnostics };
}

function findingOf(root: ConfigNode, { code, severity, path, message }: OptionFault): Finding {
  const { node, keySpan } = lookUp(root, path);
  const span = node?.kind === 'scalar' ? node.span : keySpan;
  return { ...errorAt(code, span, path, message), severity };
}

function parseText(text: string, format: ConfigFormat): ParsedDocument {
  try {
    return PARSERS[format](text);
  } catch (error) {
    // The YAML parser calls itself for every level of nesting.
    if (!(error instanceof RangeError)) throw error;
    const message = 'Cannot read a document that is nested so deeply';
    return { root: null, findings: [errorAt('too-complex', { start: 0, end: 1 }, [], message)] };
  }
}

function substitute(root: ConfigNode, { env, file }: ParseOptions): { root: ConfigNode; findings: readonly Finding[] } {
  const substitution = new Substitution(env, dirname(file));
  return { root: substitution.apply(root, []), findings: substitution.findings };
}

/** Drops complaints about a missing key where a misspelt one beside it has been reported already. */
function withoutEchoes(findings: readonly Finding[]): readonly Finding[] {
  const misspelt = new Set(
    findings.flatMap(({ path, didYouMean }) =>
      didYouMean === null ? [] : [formatPath([...path.slice(0, -1), didYouMean])],
    ),
  );
  return findings.filter(({ code, path }) => code !== 'missing-key' || !misspelt.has(formatPath(path)));
}

function emptyFile(file: string): ConfigError {
  const message = `Cannot use ${file}: want a configuration, got an empty file`;
  return new ConfigError([wholeFileDiagnostic('file-empty', file, message)]);
}

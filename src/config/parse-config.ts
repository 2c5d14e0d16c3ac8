import { resolve } from 'node:path';
import { findAbsentHeaders } from './absent-headers.ts';
import type { Config } from './config.ts';
import { type ConfigNode, formatPath, lookUp, type Path } from './config-node.ts';
import { ConfigError, type Diagnostic, locateFindings, wholeFileDiagnostic } from './diagnostic.ts';
import { type DiagnosticCode, errorAt, type Finding } from './finding.ts';
import { includeFiles } from './include.ts';
import { lintConfig } from './lint.ts';
import { readMiddleware } from './middleware-chains.ts';
import { findNotYet } from './not-yet.ts';
import { type ConfigFormat, parseText } from './parse-text.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { checkReferences, type RoutePatternCheck } from './references.ts';
import { checkRegexes } from './regex-references.ts';
import { resolveConfig } from './resolve.ts';
import { findUnreachable, type RouteCoverCheck } from './route-cover.ts';
import { configSchema } from './schema/document.ts';
import { secretSpans } from './secrets.ts';
import { SourceSet } from './source-set.ts';
import { SourceText } from './source-text.ts';
import { type Environment, Substitution } from './substitute.ts';
import { validate } from './validate.ts';

/** What later rows know and this one does not. */
export interface ConfigChecks {
  readonly checkRoutePattern?: RoutePatternCheck;
  readonly findCoveredRoutes?: RouteCoverCheck;
  /** Faults of a configuration in which nothing else is wrong, found outside of it; they are reported like any other. */
  readonly findFaults?: (config: Config) => readonly OptionFault[];
}

export interface ParseOptions extends ConfigChecks {
  /** The name to show in diagnostics; `include` and a relative `${file:...}` start from its directory. */
  readonly file: string;
  readonly format: ConfigFormat;
  /** The variables for `${...}`. */
  readonly env: Environment;
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
   * What is allowed, but probably not meant, in the order of the files. One with the code `not-available-yet` keeps the
   * gateway from starting all the same; see `Config.notAvailableYet`.
   */
  readonly warnings: readonly Diagnostic[];
  /** What the configuration was read from, as absolute paths: the file, those that it includes, and its secrets. */
  readonly files: readonly string[];
  /** The patterns of `include`, as absolute paths: a new file that fits one belongs to the configuration, too. */
  readonly includes: readonly string[];
}

/**
 * Turns the text of a configuration file into a configuration.
 *
 * @throws ConfigError with everything that is wrong with it, and nothing else
 */
export function parseConfig(text: string, options: ParseOptions): LoadedConfig {
  return compileConfig(new SourceText(options.file, text), parseText(text, options.format), options);
}

/**
 * Turns a document, as it came from the parser of its format, into a configuration.
 *
 * @throws ConfigError with everything that is wrong with it, and nothing else
 */
export function compileConfig(
  source: SourceText,
  parsed: ParsedDocument,
  options: Omit<ParseOptions, 'format'>,
): LoadedConfig {
  const sources = new SourceSet();
  sources.add(source);
  if (parsed.root === null) {
    if (parsed.findings.length === 0) throw emptyFile(source.file);
    throw new ConfigError(locateFindings(sources, parsed.findings, []));
  }
  const { root, findings, patterns } = includeFiles(parsed.root, source.file, options.env, sources);
  const substitution = new Substitution(options.env, sources.directoryOf);
  const substituted = substitution.apply(root, []);
  const earlier = [...parsed.findings, ...findings, ...substitution.findings];
  const { files: named, ...compiled } = compileRoot(substituted, earlier, sources, options);
  const files = [...sources.files, ...substitution.files, ...named].map((file) => resolve(file));
  return { ...compiled, files: [...new Set(files)], includes: patterns };
}

function compileRoot(
  root: ConfigNode,
  earlier: readonly Finding[],
  sources: SourceSet,
  { checkRoutePattern, findCoveredRoutes, findFaults }: ConfigChecks,
): Pick<LoadedConfig, 'config' | 'warnings' | 'files'> {
  const { document, findings } = validate(configSchema, root);
  const chains = readMiddleware(root, sources);
  const all = withoutEchoes([
    ...earlier,
    ...findings,
    ...checkReferences(root, checkRoutePattern ?? null),
    ...checkRegexes(root),
    ...chains.findings,
    ...lintConfig(root),
    ...findNotYet(root),
  ]);
  const locate = (found: readonly Finding[]) =>
    found.length === 0 ? [] : locateFindings(sources, found, [...secretSpans(root), ...chains.secrets]);
  const isError = ({ severity }: Finding) => severity === 'error';
  if (document === null || all.some(isError)) throw new ConfigError(locate(all));
  const missing = all.filter(({ code }) => code === 'not-available-yet').map(({ path }) => formatPath(path));
  const config = resolveConfig(document, chains, missing);
  const outside = (findFaults?.(config) ?? []).map((fault) => findingOf(root, fault));
  const unreachable = [...findUnreachable(root, config, findCoveredRoutes ?? null), ...findAbsentHeaders(root, config)];
  const diagnostics = locate([...all, ...unreachable, ...outside]);
  if (outside.some(isError)) throw new ConfigError(diagnostics);
  return { config, warnings: diagnostics, files: chains.files };
}

function findingOf(root: ConfigNode, { code, severity, path, message }: OptionFault): Finding {
  const { node, keySpan } = lookUp(root, path);
  const span = node?.kind === 'scalar' ? node.span : keySpan;
  return { ...errorAt(code, span, path, message), severity };
}

/**
 * Drops what has been said already: a missing key where a misspelt one beside it has been reported, and what was found in
 * the list of a route as well as in what it makes of the block.
 */
function withoutEchoes(findings: readonly Finding[]): readonly Finding[] {
  const misspelt = new Set(
    findings.flatMap(({ path, didYouMean }) =>
      didYouMean === null ? [] : [formatPath([...path.slice(0, -1), didYouMean])],
    ),
  );
  const reported = new Set<string>();
  return findings.filter(({ code, path, span }) => {
    const place = formatPath(path);
    if (code === 'missing-key' && misspelt.has(place)) return false;
    const key = `${code} ${place} ${span.start}`;
    return !reported.has(key) && reported.add(key);
  });
}

function emptyFile(file: string): ConfigError {
  const message = `Cannot use ${file}: want a configuration, got an empty file`;
  return new ConfigError([wholeFileDiagnostic('file-empty', file, message)]);
}

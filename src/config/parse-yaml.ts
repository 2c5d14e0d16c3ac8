import { isAlias, isScalar, isSeq, type Pair, type ParsedNode, parseDocument, type YAMLError } from 'yaml';
import { type ConfigNode, MAX_DEPTH, type Path, scalarNode } from './config-node.ts';
import { errorAt, type Finding } from './finding.ts';
import { MappingBuilder } from './mapping-builder.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { isSecretPath } from './secrets.ts';
import type { Span } from './source-text.ts';

/** How many values aliases may stand for in all, so that a small file cannot unfold into gigabytes. */
const MAX_ALIASED_NODES = 100_000;

/** The parser's own messages can quote the source, where there may be secrets; these do not. */
const SYNTAX_MESSAGES: Partial<Record<YAMLError['code'], string>> = {
  BAD_ALIAS: 'an alias (*name) cannot be understood',
  BAD_DQ_ESCAPE: 'a backslash in double quotes starts an unknown escape; single quotes take backslashes as they are',
  BAD_INDENT: 'this line is indented otherwise than those above; keys of one mapping begin in one column',
  BAD_SCALAR_START: 'a value cannot start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping or list starts on a line that already has a key; a value with ": " needs quotes',
  BLOCK_IN_FLOW: 'an indented mapping or list stands within brackets or braces',
  MISSING_CHAR: 'a character is missing here: a closing quote, bracket or brace, a comma, a colon or a blank',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines; is a colon missing?',
  MULTIPLE_DOCS: 'a second document starts here; a configuration is one document',
  NON_STRING_KEY: 'a key must be a plain text',
  TAB_AS_INDENT: 'a tab is used for indentation; YAML wants blanks, two for each level',
  TAG_RESOLVE_FAILED: 'a tag (!name) is not supported',
  UNEXPECTED_TOKEN: 'something unexpected stands here',
};

const UNQUOTED_SUBSTITUTION = 'within braces or brackets, a value with a dollar sign and braces needs quotes';

/** Parses YAML 1.2 with its core schema: one document, text keys, no tags of your own, no merge keys. */
export function parseYaml(text: string): ParsedDocument {
  const document = parseDocument<ParsedNode>(text, {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    resolveKnownTags: false,
    // Nothing is logged here in any case, but 'silent' would swallow the error about a second document.
    logLevel: 'error',
  });
  // After its first fault the parser stumbles over what follows; only the first is of use.
  const [fault] = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (fault !== undefined) return { root: null, findings: [findingOfYamlError(fault, text)] };
  if (document.contents === null) return { root: null, findings: [] };
  const converter = new YamlConverter();
  const root = converter.convert(document.contents, []);
  return { root: isEmptyDocument(root, text) ? null : root, findings: converter.findings };
}

/** A file with nothing but comments holds nothing. */
function isEmptyDocument(root: ConfigNode, text: string): boolean {
  return root.kind === 'scalar' && root.value === null && text.slice(root.span.start, root.span.end).trim() === '';
}

function findingOfYamlError(error: YAMLError, text: string): Finding {
  const [start, end] = error.pos;
  if (error.code === 'RESOURCE_EXHAUSTION') return tooComplex({ start, end }, []);
  const isSubstitution = text.startsWith('${', start - 1);
  const reason = isSubstitution ? UNQUOTED_SUBSTITUTION : (SYNTAX_MESSAGES[error.code] ?? 'it is not valid here');
  return errorAt('syntax-error', { start, end }, [], `Cannot read the YAML: ${reason}`);
}

function tooComplex(span: Span, path: Path): Finding {
  const message = `Cannot read more than ${MAX_DEPTH} levels of nesting or ${MAX_ALIASED_NODES} values through aliases`;
  return errorAt('too-complex', span, path.slice(0, 3), message);
}

class YamlConverter {
  readonly findings: Finding[] = [];
  /** The node of each anchor; a later anchor of the same name takes over, as YAML 1.2 7.1 says. */
  readonly #anchors = new Map<string, ParsedNode>();
  #aliasedNodes = 0;
  #aliasDepth = 0;
  #exhausted = false;

  convert(node: ParsedNode, path: Path): ConfigNode {
    const span = spanOf(node);
    if (this.#exhausted) return scalarNode(null, span);
    if (this.#aliasDepth > 0) this.#aliasedNodes++;
    if (path.length > MAX_DEPTH || this.#aliasedNodes > MAX_ALIASED_NODES) return this.#giveUp(span, path);
    if (isAlias(node)) return this.#convertAlias(node.source, span, path);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return this.#convertScalar(node.value, span, path);
    if (isSeq(node)) {
      const items = node.items.map((item, index) => this.convert(item as ParsedNode, [...path, index]));
      return { kind: 'list', span, items };
    }
    return this.#convertMap(node.items, span, path);
  }

  #convertAlias(name: string, span: Span, path: Path): ConfigNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const shown = isSecretPath(path) ? 'name' : name;
      const message = `Cannot read the YAML: there is no anchor &${shown} before this alias`;
      const help = `a text that begins with "*" needs quotes: "*${shown}"`;
      this.findings.push({ ...errorAt('syntax-error', span, path, message), help });
      return { ...scalarNode(null, span), origin: 'unresolved' };
    }
    this.#aliasDepth++;
    const node = this.convert(target, path);
    this.#aliasDepth--;
    return node;
  }

  #convertScalar(value: unknown, span: Span, path: Path): ConfigNode {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return scalarNode(value, span);
    }
    this.findings.push(
      errorAt('wrong-type', span, path, 'Cannot use this value: want a text, a number, true or false'),
    );
    return scalarNode(null, span);
  }

  #convertMap(pairs: readonly Pair<unknown, unknown>[], span: Span, path: Path): ConfigNode {
    const mapping = new MappingBuilder(path, this.findings);
    for (const pair of pairs) {
      if (!isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      const keySpan = spanOf(pair.key);
      const value =
        pair.value === null ? scalarNode(null, keySpan) : this.convert(pair.value as ParsedNode, [...path, key]);
      mapping.add(key, keySpan, value);
    }
    return mapping.build(span);
  }

  #giveUp(span: Span, path: Path): ConfigNode {
    this.#exhausted = true;
    this.findings.push(tooComplex(span, path));
    return scalarNode(null, span);
  }
}

function spanOf(node: { range?: readonly [number, number, number] | null | undefined }): Span {
  const [start, end] = node.range ?? [0, 0];
  return { start, end };
}

import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';

/** One mapping of options, as a section of the page. */
interface Section {
  /** The way to it in a file: `load_balancing.backends.NAME.upstreams[]`; empty for the file itself. */
  readonly path: string;
  readonly schema: JsonSchema;
}

/** The options of a configuration as Markdown: a section for each mapping, in the order of the schema. */
export function optionTables(): string {
  return sectionsOf({ path: '', schema: configJsonSchema() }).map(formatSection).join('\n');
}

function sectionsOf(section: Section): readonly Section[] {
  const below = Object.entries(section.schema.properties ?? {}).flatMap(([key, option]) => {
    // What a list of middleware may override is what the blocks of the middleware are made of.
    if (key === 'middleware' && option.items !== undefined) return [];
    return mappingsWithin({ path: section.path === '' ? key : `${section.path}.${key}`, schema: option });
  });
  return [section, ...below.flatMap(sectionsOf)];
}

/** The mappings with options of their own that an option stands for: itself, or those in it. */
function mappingsWithin({ path, schema }: Section): readonly Section[] {
  if (schema.properties !== undefined) return [{ path, schema }];
  if (schema.items !== undefined) return mappingsWithin({ path: `${path}[]`, schema: schema.items });
  if (typeof schema.additionalProperties === 'object') {
    return mappingsWithin({ path: `${path}.NAME`, schema: schema.additionalProperties });
  }
  return [];
}

function formatSection({ path, schema }: Section): string {
  const title = path === '' ? '### The file' : `### \`${path}\``;
  const rows = Object.entries(schema.properties ?? {}).map(([key, option]) => formatRow(key, option, schema));
  const introduction = schema.description === undefined || path === '' ? [] : [schema.description, ''];
  return [title, '', ...introduction, '| option | value | default | |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function formatRow(key: string, option: JsonSchema, { required = [] }: JsonSchema): string {
  const value = formatDefault(option);
  const fallback = required.includes(key) ? '**required**' : value;
  return `| \`${key}\` | ${cell(kindOf(option))} | ${cell(fallback)} | ${cell(option.description ?? '')} |`;
}

/** A mapping whose options have defaults of their own is told about in its own section. */
function formatDefault({ default: value, properties }: JsonSchema): string {
  if (value === undefined || properties !== undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** What one writes, in a few words. */
function kindOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.anyOf !== undefined) return kindOfAlternatives(schema);
  if (schema.items !== undefined) return `list of ${kindOf(schema.items)}`;
  if (schema.type === 'object') return 'mapping';
  if (schema.type === 'boolean') return '`true`, `false`';
  if (schema.type === 'integer' || schema.type === 'number') return kindOfNumber(schema);
  return kindOfText(schema.examples ?? []);
}

function kindOfNumber({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const from = minimum ?? exclusiveMinimum;
  const name = type === 'integer' ? 'whole number' : 'number';
  if (from === undefined || maximum === undefined) return name;
  return exclusiveMinimum === undefined ? `${name}, ${from} to ${maximum}` : `${name} above ${from}, up to ${maximum}`;
}

function kindOfText(examples: readonly unknown[]): string {
  if (examples.length === 0) return 'text';
  return `such as ${examples
    .slice(0, 2)
    .map((example) => `\`${String(example)}\``)
    .join(', ')}`;
}

/** Besides its own values an option takes `${...}` everywhere, of which the page speaks once. */
function kindOfAlternatives(schema: JsonSchema): string {
  if (schema.examples !== undefined) return kindOfText(schema.examples);
  const alternatives = (schema.anyOf ?? []).filter(({ pattern }) => pattern !== '\\$\\{');
  return [...new Set(alternatives.map(kindOf))].join(' or ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

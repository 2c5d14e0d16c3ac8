import { errorAt } from './finding.ts';
import { parseJson } from './parse-json.ts';
import { parseToml } from './parse-toml.ts';
import { parseYaml } from './parse-yaml.ts';
import type { ParsedDocument } from './parsed-document.ts';

export type ConfigFormat = 'yaml' | 'json' | 'toml';

const PARSERS: Readonly<Record<ConfigFormat, (text: string) => ParsedDocument>> = {
  yaml: parseYaml,
  json: parseJson,
  toml: parseToml,
};

const FORMATS_BY_SUFFIX: Readonly<Record<string, ConfigFormat>> = {
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  '.toml': 'toml',
};

/** The format that the suffix of a file name stands for; null when it is none of a text. */
export function formatOf(suffix: string): ConfigFormat | null {
  return FORMATS_BY_SUFFIX[suffix.toLowerCase()] ?? null;
}

/** Parses the text of one file. A text that holds nothing gives neither a root nor findings. */
export function parseText(text: string, format: ConfigFormat): ParsedDocument {
  if (text.trim() === '') return { root: null, findings: [] };
  try {
    return PARSERS[format](text);
  } catch (error) {
    // The YAML parser calls itself for every level of nesting.
    if (!(error instanceof RangeError)) throw error;
    const message = 'Cannot read a document that is nested so deeply';
    return { root: null, findings: [errorAt('too-complex', { start: 0, end: 1 }, [], message)] };
  }
}

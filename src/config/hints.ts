import { z } from 'zod';
import type { ConfigNode } from './config-node.ts';
import { quote } from './finding.ts';
import { configSchema } from './schema/document.ts';

/*
 * What to write instead, for mistakes that are easy to recognise. A hint never repeats a value that may be a secret: it is
 * asked for only where the value has been shown.
 */

/** How to mend a value that is not what its option wants; null when nothing is certain. */
export function hintForValue(node: ConfigNode, expected: string | null, wanted: string): string | null {
  if (node.kind === 'list') return expectsMapping(expected) ? LIST_FOR_MAPPING : null;
  if (node.kind === 'mapping') return expected === 'array' ? MAPPING_FOR_LIST : null;
  if (typeof node.value === 'number') return hintForNumber(node.value, wanted);
  return typeof node.value === 'string' ? hintForText(node.value, expected, wanted) : null;
}

const LIST_FOR_MAPPING = 'lines that begin with "- " make a list; write a name and a colon instead';
const MAPPING_FOR_LIST = 'begin each item with "- "';

function hintForNumber(value: number, wanted: string): string | null {
  if (wanted.includes('duration')) return `write the unit, too: "${value}s"`;
  const isPort = Number.isInteger(value) && value >= 0 && value <= 65_535;
  if (wanted.includes('":8080"') && isPort) return `write ":${value}" for every address of the machine`;
  return wanted.includes('text') || wanted.includes('numbers need quotes') ? `put it in quotes: "${value}"` : null;
}

function hintForText(value: string, expected: string | null, wanted: string): string | null {
  if (expectsMapping(expected)) return /^[\w-]+:\S/.test(value) ? 'a blank has to follow the colon' : null;
  const isNumber = /^-?\d+(?:\.\d+)?$/.test(value);
  if (['number', 'int'].includes(expected ?? '') && isNumber) return 'write it without quotes';
  if (expected === 'boolean') return hintForFlag(value.toLowerCase());
  if (wanted.includes('method') && /^[a-z]+$/.test(value)) return `write ${quote(value.toUpperCase())}`;
  if (wanted.includes('starts with "/"') && /^[\w*{]/.test(value)) return `write ${quote(`/${value}`)}`;
  if (wanted.includes('duration') && isNumber) return `write the unit, too: "${value}s"`;
  return expected === 'array' ? 'write it as a list: [a, b]' : null;
}

function hintForFlag(value: string): string | null {
  if (['yes', 'on', 'true', '1', 'y'].includes(value)) return 'write true';
  return ['no', 'off', 'false', '0', 'n'].includes(value) ? 'write false' : null;
}

function expectsMapping(expected: string | null): boolean {
  return expected === 'object' || expected === 'record';
}

/** Where a key that is unknown here would be known, which mostly is a matter of indentation. */
export function hintForKey(key: string): string | null {
  const homes = HOMES.get(key) ?? [];
  if (homes.length === 0 || homes.length > 2) return null;
  return `${quote(key)} belongs in ${homes.join(' or ')}; look at the indentation`;
}

/** The mappings that have a key, by the key; `*` stands for a name, `[]` for an item of a list. */
const HOMES = collectHomes(configSchema, '', new Map());

function collectHomes(schema: z.ZodType, path: string, homes: Map<string, string[]>): ReadonlyMap<string, string[]> {
  // Sound: every schema here is made by `z`, whose classes extend ZodType; the core's types do not say so.
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault)
    collectHomes(schema.unwrap() as z.ZodType, path, homes);
  if (schema instanceof z.ZodArray) collectHomes(schema.element as z.ZodType, `${path}[]`, homes);
  if (schema instanceof z.ZodRecord) collectHomes(schema.valueType as z.ZodType, `${path}.*`, homes);
  if (!(schema instanceof z.ZodObject)) return homes;
  for (const [key, option] of Object.entries(schema.shape)) {
    homes.set(key, [...(homes.get(key) ?? []), path === '' ? 'the file, not indented' : path]);
    collectHomes(option as z.ZodType, path === '' ? key : `${path}.${key}`, homes);
  }
  return homes;
}

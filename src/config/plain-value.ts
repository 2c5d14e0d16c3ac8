import { type ConfigNode, MAX_DEPTH, type Path, scalarNode } from './config-node.ts';
import { errorAt, type Finding } from './finding.ts';
import { MappingBuilder } from './mapping-builder.ts';
import type { ParsedDocument } from './parsed-document.ts';

/** A value of a program has no place in a text. */
const NOWHERE = { start: 0, end: 0 };

/** Turns what a program made into a document: texts, numbers, true and false, null, arrays and plain objects. */
export function documentOfValue(value: unknown): ParsedDocument {
  const findings: Finding[] = [];
  const root = toNode(value, [], findings);
  return { root, findings };
}

function toNode(value: unknown, path: Path, findings: Finding[]): ConfigNode {
  if (path.length > MAX_DEPTH) return refuse('too-complex', `at most ${MAX_DEPTH} levels`, path.slice(0, 3), findings);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return scalarNode(value, NOWHERE);
  }
  if (Array.isArray(value)) {
    return { kind: 'list', span: NOWHERE, items: value.map((item, index) => toNode(item, [...path, index], findings)) };
  }
  if (!isPlainObject(value)) {
    return refuse('not-plain-data', 'a text, a number, true, false, a list or a mapping', path, findings);
  }
  const mapping = new MappingBuilder(path, findings);
  for (const [key, part] of Object.entries(value)) {
    // As in JSON, an undefined property is one that is not there.
    if (part !== undefined) mapping.add(key, NOWHERE, toNode(part, [...path, key], findings));
  }
  return mapping.build(NOWHERE);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function refuse(code: Finding['code'], wanted: string, path: Path, findings: Finding[]): ConfigNode {
  findings.push({ ...errorAt(code, NOWHERE, path, `Cannot use this value: want ${wanted}`), wanted });
  return { ...scalarNode(null, NOWHERE), origin: 'unresolved' };
}

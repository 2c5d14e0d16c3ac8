import type { ConfigNode, MappingEntry, MappingNode } from './config-node.ts';

/**
 * A mapping with the entries of `over` in the place of those of `base`; mappings within are merged the same way, anything
 * else is replaced as a whole, and so is a `key`, which is one thing said as a mapping. Every value keeps its own place in the source; the mapping itself is where `over` is.
 */
export function mergeMappings(base: MappingNode, over: MappingNode): MappingNode {
  const entries = new Map<string, MappingEntry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key)?.value;
    entries.set(key, {
      keySpan: entry.keySpan,
      value: below === undefined || key === 'key' ? entry.value : merged(below, entry.value),
    });
  }
  return { kind: 'mapping', span: over.span, entries };
}

function merged(base: ConfigNode, over: ConfigNode): ConfigNode {
  return base.kind === 'mapping' && over.kind === 'mapping' ? mergeMappings(base, over) : over;
}

import type { ConfigNode } from './config-node.ts';
import type { Finding } from './finding.ts';

/** What a parser of one format hands on. */
export interface ParsedDocument {
  /** Null when the text holds nothing, or nothing that could be understood. */
  readonly root: ConfigNode | null;
  readonly findings: readonly Finding[];
}

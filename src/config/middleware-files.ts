import { type ConfigNode, childOf, type Path } from './config-node.ts';
import { errorAt, type Finding, quote } from './finding.ts';
import { readTextFile, UnreadableFile } from './read-text-file.ts';
import type { BuiltIn, BuiltInOptions } from './schema/middleware/block.ts';

/** A reply of this size is kept by every worker. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The options of a middleware with what stands in the files that they name; `findings` where one cannot be read. */
export interface Completed {
  readonly options: unknown;
  readonly findings: readonly Finding[];
}

/**
 * Reads the files that options of a middleware name, so that the configuration is whole: what is served does not change until it is
 * loaded again. `options` are those of `name`, and stand at `node` and `path`.
 */
export function withFiles(name: BuiltIn, options: unknown, node: ConfigNode, path: Path): Completed {
  if (name !== 'respond') return { options, findings: [] };
  // Sound: the schema of the name gave them.
  const respond = options as BuiltInOptions['respond'];
  const file = respond.body_file;
  if (file === undefined) return { options, findings: [] };
  try {
    return { options: { ...respond, body: readTextFile(file, MAX_BODY_BYTES) }, findings: [] };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    const span = childOf(node, 'body_file')?.span ?? node.span;
    const message = `Cannot use ${[...path, 'body_file'].join('.')}: ${quote(file)} ${error.message}`;
    return { options, findings: [errorAt(error.code, span, [...path, 'body_file'], message)] };
  }
}

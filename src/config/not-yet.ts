import type { ConfigNode, Path, Scalar } from './config-node.ts';
import { formatPath } from './config-node.ts';
import { type Finding, warningAt } from './finding.ts';
import type { Span } from './source-text.ts';

/** An option that is read and checked, but that nothing in this version acts upon. */
interface NotYet {
  /** Keys from the root; `*` stands for every key of a mapping or every item of a list. */
  readonly path: string;
  /**
   * `warn`: going without it is harmless. `refuse`: whoever writes it relies on it for safety, so that the gateway must not
   * start without it; the configuration can be checked and explained all the same.
   */
  readonly reaction: 'warn' | 'refuse';
  /** Values that ask for what happens anyway. */
  readonly unless?: readonly Scalar[];
  /** A key of a mapping whose value `false` switches the whole mapping off. */
  readonly switch?: string;
}

/** Everything that is not there yet. A feature that arrives takes its lines out. */
const NOT_YET: readonly NotYet[] = [
  { path: 'server.error_pages', reaction: 'warn' },
  { path: 'routes.*.websocket.enabled', reaction: 'refuse', unless: [false] },
  { path: 'routes.*.cache', reaction: 'warn', switch: 'enabled' },
  { path: 'metrics', reaction: 'warn', switch: 'prometheus' },
  { path: 'tracing', reaction: 'warn', switch: 'enabled' },
  { path: 'cache', reaction: 'warn', switch: 'enabled' },
];

/** Whether this version acts upon an option, given as in the table above (`routes.*.retries`). */
export function isActive(option: string): boolean {
  return NOT_YET.every(({ path }) => path !== option);
}

/** Reports every option of the document that this version does not act upon. Only what is written there counts. */
export function findNotYet(root: ConfigNode): readonly Finding[] {
  return NOT_YET.flatMap((entry) =>
    matches(root, entry.path.split('.'), [], root.span).flatMap((at) => report(entry, at)),
  );
}

interface Match {
  readonly node: ConfigNode;
  readonly span: Span;
  readonly path: Path;
}

function matches(node: ConfigNode, pattern: readonly string[], path: Path, span: Span): readonly Match[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return [{ node, span, path }];
  if (node.kind === 'list' && step === '*') {
    return node.items.flatMap((item, index) => matches(item, rest, [...path, index], item.span));
  }
  if (node.kind !== 'mapping') return [];
  return [...node.entries]
    .filter(([key]) => step === '*' || step === key)
    .flatMap(([key, entry]) => matches(entry.value, rest, [...path, key], entry.keySpan));
}

function report(entry: NotYet, { node, span, path }: Match): readonly Finding[] {
  if (isInert(entry, node)) return [];
  const refused = entry.reaction === 'refuse';
  const message = refused
    ? `${formatPath(path)} is not there yet in this version: Photon does not start with it, for that would not be safe`
    : `${formatPath(path)} has no effect yet in this version`;
  return [warningAt(refused ? 'not-available-yet' : 'not-active-yet', span, path, message)];
}

function isInert({ unless = [], switch: key }: NotYet, node: ConfigNode): boolean {
  if (node.kind === 'scalar') return unless.some((value) => saysTheSame(node, value));
  const switchNode = key !== undefined && node.kind === 'mapping' ? node.entries.get(key)?.value : undefined;
  return switchNode?.kind === 'scalar' && saysTheSame(switchNode, false);
}

/** A substituted value is a text, whatever it will be converted to. */
function saysTheSame(node: ConfigNode, value: Scalar): boolean {
  if (node.kind !== 'scalar') return false;
  return node.value === value || (node.origin === 'substituted' && node.value === String(value));
}

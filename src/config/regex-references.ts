import { originExpression } from '../http/origin-expression.ts';
import { type ConfigNode, childOf, formatPath, itemsOf, type Path } from './config-node.ts';
import { describeValue, errorAt, type Finding } from './finding.ts';
import { regexDanger } from './regex-safety.ts';

/** The regular expressions of a document that clients could make run for long. */
export function checkRegexes(root: ConfigNode): readonly Finding[] {
  const routes = itemsOf(childOf(root, 'routes')).flatMap((route, index) => [
    ...faults(childOf(route, 'path'), ['routes', index, 'path'], asItIs),
    ...inLists(childOf(childOf(route, 'websocket'), 'origins'), ['routes', index, 'websocket', 'origins']),
    ...inMiddleware(childOf(route, 'middleware'), ['routes', index, 'middleware']),
  ]);
  return [
    ...routes,
    ...inMiddleware(childOf(childOf(root, 'server'), 'middleware'), ['server', 'middleware']),
    ...inMiddleware(childOf(root, 'middleware'), ['middleware']),
  ];
}

/** Origins, and patterns that are rewritten, wherever they stand. */
function inMiddleware(node: ConfigNode | null, path: Path): readonly Finding[] {
  if (node?.kind === 'list') return node.items.flatMap((item, index) => inMiddleware(item, [...path, index]));
  if (node?.kind !== 'mapping') return [];
  return [...node.entries].flatMap(([key, { value }]) => {
    const below = [...path, key];
    if (key === 'allowed_origins') return inLists(value, below);
    if (key === 'pattern' && path.at(-1) === 'regex') return faults(value, below, asItIs);
    return key === 'custom' ? [] : inMiddleware(value, below);
  });
}

function inLists(node: ConfigNode | null, path: Path): readonly Finding[] {
  return itemsOf(node).flatMap((item, index) => faults(item, [...path, index], originExpression));
}

const asItIs = (source: string): string => source;

const WANTED = 'a regular expression that no text keeps busy';

/** `expressionOf`: what becomes of the text of the option. */
function faults(node: ConfigNode | null, path: Path, expressionOf: (text: string) => string): readonly Finding[] {
  if (node?.kind !== 'scalar' || typeof node.value !== 'string' || node.origin === 'unresolved') return [];
  const isPattern = node.value.startsWith('^') || path.at(-1) === 'pattern';
  if (!isPattern || !compiles(node.value)) return [];
  const danger = regexDanger(expressionOf(node.value));
  if (danger === null) return [];
  const found = describeValue(node, path);
  const message = `Cannot use ${formatPath(path)}: want ${WANTED}, got ${found}, which ${danger.reason}`;
  return [{ ...errorAt('unsafe-regex', node.span, path, message), wanted: WANTED, found, help: danger.help }];
}

function compiles(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

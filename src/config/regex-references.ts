import { type ConfigNode, childOf, itemsOf, type Path, visitScalars } from './config-node.ts';
import { describeValue, errorAt, type Finding } from './finding.ts';
import { regexDanger } from './regex-safety.ts';

/** The regular expressions of a document that clients could make run for long. */
export function checkRegexes(root: ConfigNode): readonly Finding[] {
  const routes = itemsOf(childOf(root, 'routes')).flatMap((route, index) => [
    ...fault(childOf(route, 'path'), ['routes', index, 'path']),
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
    if (key === 'pattern' && path.at(-1) === 'regex') return fault(value, below);
    return key === 'custom' ? [] : inMiddleware(value, below);
  });
}

function inLists(node: ConfigNode | null, path: Path): readonly Finding[] {
  return itemsOf(node).flatMap((item, index) => fault(item, [...path, index]));
}

function fault(node: ConfigNode | null, path: Path): readonly Finding[] {
  const findings: Finding[] = [];
  if (node === null) return findings;
  visitScalars(node, (scalar) => {
    const isPattern = typeof scalar.value === 'string' && (scalar.value.startsWith('^') || path.at(-1) === 'pattern');
    if (!isPattern || scalar.origin === 'unresolved' || !compiles(String(scalar.value))) return;
    const danger = regexDanger(String(scalar.value));
    const message = `Cannot use this regular expression: ${danger}`;
    if (danger !== null) {
      findings.push({ ...errorAt('unsafe-regex', scalar.span, path, message), found: describeValue(scalar, path) });
    }
  });
  return findings;
}

function compiles(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

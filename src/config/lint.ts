import {
  type ConfigNode,
  childOf,
  entriesOf,
  itemsOf,
  type Path,
  type ScalarNode,
  visitScalars,
} from './config-node.ts';
import { type Finding, warningAt } from './finding.ts';

/*
 * Warnings about configurations that are legal, but make a gateway less safe than its owner may think.
 */

/** RFC 7518 3.2: a key for HS256 has at least as many bits as its hash. */
const MIN_SECRET_BYTES = 32;

/** Words of secrets in documentation. */
const EXAMPLE =
  /example|change.?me|your[-_ ]|secret|password|passw0rd|default|placeholder|test|demo|foobar|12345|abcdef/i;

export function lintConfig(root: ConfigNode): readonly Finding[] {
  return [...checkTrustedProxies(root), ...checkSecrets(root)];
}

function checkTrustedProxies(root: ConfigNode): readonly Finding[] {
  const path = ['server', 'trusted_proxies'];
  return itemsOf(childOf(childOf(root, 'server'), 'trusted_proxies')).flatMap((node, index) => {
    if (node.kind !== 'scalar' || !/\/0*[01]$/.test(String(node.value))) return [];
    const message = 'This trusts everybody: any client can claim to be another one. Want the addresses of your proxies';
    return [warningAt('trusts-everybody', node.span, [...path, index], message)];
  });
}

/** Blocks with secrets, in `middleware` and in the lists of routes and server. */
function checkSecrets(root: ConfigNode): readonly Finding[] {
  const blocks = childOf(root, 'middleware');
  const lists = [
    ...itemsOf(childOf(root, 'routes')).map((route, index) => ({ owner: route, path: ['routes', index] as Path })),
    { owner: childOf(root, 'server'), path: ['server'] as Path },
  ];
  return [
    ...checkAuthentication(childOf(blocks, 'authentication'), ['middleware', 'authentication']),
    ...lists.flatMap(({ owner, path }) =>
      itemsOf(childOf(owner, 'middleware')).flatMap((entry, index) =>
        [...entriesOf(entry)].flatMap(([name, options]) =>
          ['auth', 'authentication'].includes(name)
            ? checkAuthentication(options, [...path, 'middleware', index, name])
            : [],
        ),
      ),
    ),
  ];
}

function checkAuthentication(block: ConfigNode | null, path: Path): readonly Finding[] {
  const secret = childOf(childOf(block, 'jwt'), 'secret');
  const apiKey = childOf(block, 'api_key');
  const findings: Finding[] = [];
  if (secret !== null) visitScalars(secret, (node) => findings.push(...weakSecret(node, [...path, 'jwt', 'secret'])));
  for (const key of ['keys', 'consumers']) {
    const keys = childOf(apiKey, key);
    if (keys !== null) visitKeys(keys, (node) => findings.push(...weakKey(node, [...path, 'api_key', key])));
  }
  return findings;
}

/** The consumer beside a key is no secret. */
function visitKeys(node: ConfigNode, visit: (scalar: ScalarNode) => void): void {
  if (node.kind === 'scalar') visit(node);
  else if (node.kind === 'list') for (const item of node.items) visitKeys(item, visit);
  else for (const [key, value] of entriesOf(node)) if (key !== 'consumer') visitKeys(value, visit);
}

function weakSecret(node: ScalarNode, path: Path): readonly Finding[] {
  const secret = textOf(node);
  if (secret === null) return [];
  if (looksInvented(secret)) return [weak(node, path, 'it looks like one from documentation')];
  const bytes = Buffer.byteLength(secret);
  return bytes >= MIN_SECRET_BYTES
    ? []
    : [weak(node, path, `it has ${bytes} bytes, want at least ${MIN_SECRET_BYTES}`)];
}

function weakKey(node: ScalarNode, path: Path): readonly Finding[] {
  const key = textOf(node);
  if (key === null || key.startsWith('sha256:')) return [];
  if (looksInvented(key)) return [weak(node, path, 'it looks like one from documentation')];
  return key.length >= 16 ? [] : [weak(node, path, `it has ${key.length} characters, want at least 16`)];
}

function looksInvented(secret: string): boolean {
  return EXAMPLE.test(secret) || new Set(secret).size < Math.min(8, secret.length / 2);
}

function weak(node: ScalarNode, path: Path, reason: string): Finding {
  return warningAt('weak-secret', node.span, path, `This secret can be guessed: ${reason}`);
}

function textOf(node: ScalarNode): string | null {
  return typeof node.value === 'string' && node.origin !== 'unresolved' && node.value !== '' ? node.value : null;
}

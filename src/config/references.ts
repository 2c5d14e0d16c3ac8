import { parseListenAddress, parseUpstreamAddress, type SocketAddress } from '../base/address.ts';
import {
  type ConfigNode,
  childOf,
  entriesOf,
  formatPath,
  isTrue,
  itemsOf,
  type MappingNode,
  type Path,
  type ScalarNode,
  startOf,
} from './config-node.ts';
import { didYouMean } from './did-you-mean.ts';
import { describeValue, errorAt, type Finding, missingKey, quote } from './finding.ts';
import type { Span } from './source-text.ts';
import { checkTls } from './tls-references.ts';

/*
 * What options mean for each other: names that must exist, values that must not appear twice. This looks at the document
 * as it was written, not at what the schema made of it, so that it finds its faults beside those of the schema; values of
 * the wrong type are left to the schema.
 */

/** Says what is wrong with a route's pattern; null when the router can use it. */
export type RoutePatternCheck = (pattern: string) => string | null;

/** A text in the document, with the way to it. */
interface TextAt {
  readonly text: string;
  readonly node: ScalarNode;
  readonly path: Path;
}

export function checkReferences(root: ConfigNode, checkRoutePattern: RoutePatternCheck | null): readonly Finding[] {
  const backends = childOf(childOf(root, 'load_balancing'), 'backends');
  const routes = itemsOf(childOf(root, 'routes'));
  return [
    ...checkListeners(root),
    ...checkTls(root),
    ...checkProxyProtocol(root),
    ...[...entriesOf(backends)].flatMap(([name, backend]) => checkUpstreams(name, backend)),
    ...routes.flatMap((route, index) => (backends?.kind === 'mapping' ? checkBackend(route, index, backends) : [])),
    ...checkIds(routes),
    ...routes.flatMap((route, index) => checkHeaderNames(route, index)),
    ...(checkRoutePattern === null ? [] : checkPatterns(routes, checkRoutePattern)),
  ];
}

function checkListeners(root: ConfigNode): readonly Finding[] {
  const server = childOf(root, 'server');
  if (server?.kind !== 'mapping') return [];
  const http = listenersOf(server, 'http_addr');
  const https = listenersOf(server, 'https_addr');
  const metrics = textAt(childOf(childOf(root, 'metrics'), 'metrics_addr'), ['metrics', 'metrics_addr']);
  const missing = ['http_addr', 'https_addr'].every((key) => !server.entries.has(key))
    ? [missingKey(server, ['server', 'http_addr'], 'an address to listen at, such as "0.0.0.0:8080" (or https_addr)')]
    : [];
  return [...missing, ...checkTwice([...http, ...https, ...metrics])];
}

/** Without anybody to believe it, a PROXY header would only be in the way. */
function checkProxyProtocol(root: ConfigNode): readonly Finding[] {
  const server = childOf(root, 'server');
  const trusted = childOf(server, 'trusted_proxies');
  if (server?.kind !== 'mapping' || !isTrue(childOf(server, 'proxy_protocol'))) return [];
  const path = ['server', 'trusted_proxies'];
  const wanted = 'the proxies whose PROXY header is to be believed';
  if (trusted === null) return [missingKey(server, path, wanted)];
  if (trusted.kind !== 'list' || trusted.items.length > 0) return [];
  const message = `Cannot use ${formatPath(path)} with proxy_protocol: want ${wanted}, got none`;
  return [{ ...errorAt('bad-value', trusted.span, path, message), wanted, found: 'none' }];
}

function listenersOf(server: MappingNode, key: string): readonly TextAt[] {
  const node = childOf(server, key);
  if (node?.kind !== 'list') return textAt(node, ['server', key]);
  return node.items.flatMap((item, index) => textAt(item, ['server', key, index]));
}

/** Port 0 is a port of its own each time; a listener on every address takes the port everywhere. */
function checkTwice(listeners: readonly TextAt[]): readonly Finding[] {
  const taken: { readonly address: SocketAddress; readonly at: TextAt }[] = [];
  const findings: Finding[] = [];
  for (const at of listeners) {
    const address = parsedOrNull(parseListenAddress, at.text);
    if (address === null || (address.path === null && address.port === 0)) continue;
    const other = taken.find((earlier) => overlap(earlier.address, address));
    if (other === undefined) taken.push({ address, at });
    else findings.push(duplicate('duplicate-listener', at, `${formatPath(other.at.path)} listens there already`));
  }
  return findings;
}

function overlap(a: SocketAddress, b: SocketAddress): boolean {
  if (a.path !== null || b.path !== null) return a.path === b.path;
  if (a.port !== b.port) return false;
  return (
    a.host === b.host || [a, b].some(({ host }) => host === '' || host === '::') || sameFamilyWildcard(a.host, b.host)
  );
}

function sameFamilyWildcard(a: string, b: string): boolean {
  return (a === '0.0.0.0' && !b.includes(':')) || (b === '0.0.0.0' && !a.includes(':'));
}

function checkUpstreams(name: string, backend: ConfigNode): readonly Finding[] {
  const list = childOf(backend, 'upstreams');
  const path = ['load_balancing', 'backends', name, 'upstreams'];
  const seen = new Map<string, number>();
  const findings: Finding[] = [];
  for (const [index, upstream] of itemsOf(list).entries()) {
    for (const at of textAt(childOf(upstream, 'address'), [...path, index, 'address'])) {
      const address = parsedOrNull(parseUpstreamAddress, at.text);
      if (address === null) continue;
      const key = address.path ?? `${address.host} ${address.port}`;
      const other = seen.get(key);
      if (other === undefined) seen.set(key, index);
      else
        findings.push(duplicate('duplicate-upstream', at, `upstreams[${other}] has this address; use weight instead`));
    }
  }
  return [...findings, ...checkWeights(list, path)];
}

function checkWeights(list: ConfigNode | null, path: Path): readonly Finding[] {
  const weights = itemsOf(list).map((upstream) => childOf(upstream, 'weight'));
  const allZero = weights.every(
    (weight) => weight?.kind === 'scalar' && weight.value !== '' && Number(weight.value) === 0,
  );
  if (list === null || weights.length === 0 || !allZero) return [];
  const message = `Cannot use ${formatPath(path)}: want at least one weight above 0, got only 0`;
  return [{ ...errorAt('no-weight', list.span, path, message), wanted: 'a weight above 0', found: 'only 0' }];
}

function checkBackend(route: ConfigNode, index: number, backends: MappingNode): readonly Finding[] {
  const path = ['routes', index, 'backend'];
  const names = [...backends.entries.keys()];
  const node = childOf(route, 'backend');
  const wanted = `one of ${names.map(quote).join(', ')}`;
  if (node === null) {
    if (route.kind !== 'mapping' || names.length < 2) return [];
    const message = `Missing key "backend" in routes[${index}]: there are several backends, want ${wanted}`;
    return [{ ...errorAt('missing-key', startOf(route), path, message), wanted }];
  }
  return textAt(node, path).flatMap((at) => {
    if (backends.entries.has(at.text)) return [];
    const found = describeValue(at.node, path);
    const message = `Cannot use routes[${index}].backend: want ${wanted}, got ${found}`;
    const near = at.node.origin === 'written' ? didYouMean(at.text, names) : null;
    return [{ ...errorAt('unknown-backend', at.node.span, path, message), wanted, found, didYouMean: near }];
  });
}

function checkIds(routes: readonly ConfigNode[]): readonly Finding[] {
  const seen = new Map<string, { readonly index: number; readonly at: TextAt }>();
  const findings: Finding[] = [];
  for (const [index, route] of routes.entries()) {
    for (const at of textAt(childOf(route, 'id'), ['routes', index, 'id'])) {
      const other = seen.get(at.text);
      if (other === undefined) seen.set(at.text, { index, at });
      else
        findings.push({
          ...duplicate('duplicate-id', at, `routes[${other.index}] has this id`),
          other: firstOf(other),
        });
    }
  }
  return findings;
}

function firstOf({ at }: { readonly at: TextAt }): { readonly span: Span; readonly message: string } {
  return { span: at.node.span, message: 'it is here first' };
}

function checkHeaderNames(route: ConfigNode, index: number): readonly Finding[] {
  const headers = childOf(childOf(route, 'match'), 'headers');
  if (headers?.kind !== 'mapping') return [];
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const [name, { keySpan }] of headers.entries) {
    const path = ['routes', index, 'match', 'headers', name];
    const message = `Cannot use the header ${quote(name)} twice; letter case makes no difference`;
    if (seen.has(name.toLowerCase())) findings.push(errorAt('duplicate-header', keySpan, path, message));
    seen.add(name.toLowerCase());
  }
  return findings;
}

function checkPatterns(routes: readonly ConfigNode[], check: RoutePatternCheck): readonly Finding[] {
  return routes.flatMap((route, index) =>
    textAt(childOf(route, 'path'), ['routes', index, 'path']).flatMap(({ text, node, path }) => {
      // What does not start like a pattern is left to the schema.
      const fault = /^[/^]/.test(text) ? check(text) : null;
      if (fault === null) return [];
      const reason = node.origin === 'written' ? fault : 'it is not a pattern that the router understands';
      const found = describeValue(node, path);
      return [{ ...errorAt('bad-value', node.span, path, `Cannot use ${formatPath(path)}: ${reason}`), found }];
    }),
  );
}

function duplicate(code: Finding['code'], { node, path }: TextAt, reason: string): Finding {
  const found = describeValue(node, path);
  return { ...errorAt(code, node.span, path, `Cannot use ${formatPath(path)}, ${found}: ${reason}`), found };
}

/** The text of a node as a list of one, or of none when it is no text or its `${...}` could not be replaced. */
function textAt(node: ConfigNode | null, path: Path): readonly TextAt[] {
  if (node?.kind !== 'scalar' || typeof node.value !== 'string' || node.origin === 'unresolved') return [];
  return [{ text: node.value, node, path }];
}

function parsedOrNull(parse: (text: string) => SocketAddress, text: string): SocketAddress | null {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

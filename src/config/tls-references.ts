import {
  type ConfigNode,
  childOf,
  entriesOf,
  formatPath,
  isFalse,
  isTrue,
  itemsOf,
  type MappingNode,
  type Path,
} from './config-node.ts';
import { errorAt, type Finding, missingKey, noEffect } from './finding.ts';

/** What the options of TLS mean for each other, towards clients and towards upstreams. */
export function checkTls(root: ConfigNode): readonly Finding[] {
  const server = childOf(root, 'server');
  const backends = childOf(childOf(root, 'load_balancing'), 'backends');
  return [
    ...(server?.kind === 'mapping' ? checkServer(server) : []),
    ...[...entriesOf(backends)].flatMap(([name, backend]) =>
      itemsOf(childOf(backend, 'upstreams')).flatMap((upstream, index) =>
        upstream.kind !== 'mapping'
          ? []
          : checkUpstream(upstream, ['load_balancing', 'backends', name, 'upstreams', index]),
      ),
    ),
  ];
}

/** The options that only listeners for HTTPS use. */
const HTTPS_OPTIONS = ['tls_cert', 'tls', 'client_ca', 'tls_ticket_keys'] as const;

function checkServer(server: MappingNode): readonly Finding[] {
  const has = (key: string) => server.entries.has(key);
  const unused = has('https_addr')
    ? unusedKeys(server, ['server'], has('client_ca') ? [] : ['client_auth'], 'there is no client_ca')
    : unusedKeys(server, ['server'], HTTPS_OPTIONS, 'there is no https_addr');
  return [...checkServerPair(server), ...checkRedirect(server), ...unused];
}

/** A redirect to a port that is given may lead to a proxy in front of us; otherwise it leads to a listener of ours. */
function checkRedirect(server: MappingNode): readonly Finding[] {
  const redirect = childOf(server, 'http_to_https');
  if (redirect === null) return [];
  if (!server.entries.has('http_addr')) {
    return unusedKeys(server, ['server'], ['http_to_https'], 'there is no http_addr');
  }
  if (!isTrue(redirect)) return [];
  const addresses = childOf(server, 'https_addr');
  if (addresses === null) {
    return [missingKey(server, ['server', 'https_addr'], 'the address that http_to_https leads to, or a port there')];
  }
  if (!(addresses.kind === 'list' ? addresses.items : [addresses]).every(isUnixAddress)) return [];
  const path = ['server', 'http_to_https'];
  const wanted = 'the port that clients reach, since https_addr has none';
  const message = `Cannot use ${formatPath(path)}: want ${wanted}, got true`;
  return [{ ...errorAt('bad-value', redirect.span, path, message), wanted, found: 'true' }];
}

const isUnixAddress = (node: ConfigNode | null): boolean =>
  node?.kind === 'scalar' && String(node.value).startsWith('unix:');

function checkServerPair(server: MappingNode): readonly Finding[] {
  const present = ['tls_cert', 'tls_key'].filter((key) => server.entries.has(key));
  const hasList = itemsOf(childOf(server, 'tls')).length > 0;
  const wantsPair = present.length > 0 || (server.entries.has('https_addr') && !hasList);
  const missing = wantsPair ? ['tls_cert', 'tls_key'].filter((key) => !present.includes(key)) : [];
  return missing.map((key) => missingKey(server, ['server', key], 'a PEM file, which https_addr needs'));
}

/** The options that only an upstream with `tls: true` uses. */
const UPSTREAM_OPTIONS = ['sni_hostname', 'tls_verify', 'tls_ca', 'tls_cert', 'tls_key'] as const;

function checkUpstream(upstream: MappingNode, path: Path): readonly Finding[] {
  if (!isTrue(childOf(upstream, 'tls'))) return unusedKeys(upstream, path, UPSTREAM_OPTIONS, 'tls is not true here');
  const missing = ['tls_cert', 'tls_key'].filter((key) => !upstream.entries.has(key));
  const pair =
    missing.length === 1
      ? missing.map((key) => missingKey(upstream, [...path, key], 'the other file of the pair too'))
      : [];
  return [...pair, ...checkUnixName(upstream, path)];
}

/** A path says nothing that a certificate could be compared with. */
function checkUnixName(upstream: MappingNode, path: Path): readonly Finding[] {
  if (
    !isUnixAddress(childOf(upstream, 'address')) ||
    upstream.entries.has('sni_hostname') ||
    isFalse(childOf(upstream, 'tls_verify'))
  )
    return [];
  return [missingKey(upstream, [...path, 'sni_hostname'], 'the name that the certificate behind the socket is for')];
}

function unusedKeys(parent: MappingNode, path: Path, keys: readonly string[], reason: string): readonly Finding[] {
  return keys.flatMap((key) => {
    const node = childOf(parent, key);
    return node === null ? [] : [noEffect(node, [...path, key], reason)];
  });
}

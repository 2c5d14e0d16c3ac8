import { availableParallelism } from 'node:os';
import type { AccessLogConfig, CertificateConfig, Config, ConfigOptions, RouteConfig, ServerConfig } from './config.ts';
import { configConverter } from './config-of.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { MiddlewareChains } from './middleware-chains.ts';
import { resolveBackend, resolveHealthCheck } from './resolve-backend.ts';
import { type ConfigDocument, configSchema } from './schema/document.ts';

type ServerBlock = ConfigOptions['server'];
type RouteBlock = ConfigOptions['routes'][number];

const optionsOf = configConverter(configSchema);

/**
 * Turns a validated document into the configuration, frozen: resolves references, the defaults that depend on other
 * options or on the machine, and options that belong together. Every other option passes as `ConfigOf` has it.
 */
export function resolveConfig(
  document: ConfigDocument,
  chains: MiddlewareChains,
  notAvailableYet: readonly string[],
): Config {
  const { $schema, include, server, loadBalancing, routes, middleware, healthCheck, accessLog, ...asWritten } =
    optionsOf(document);
  const checks = resolveHealthCheck(healthCheck);
  const backends = Object.entries(loadBalancing.backends).map(([name, block]) =>
    resolveBackend(name, block, loadBalancing.algorithm, checks),
  );
  return deepFreeze({
    ...asWritten,
    server: resolveServer(server, chains),
    backends,
    resolver: loadBalancing.resolver,
    routes: resolveRoutes(routes, chains, backends[0]?.name ?? ''),
    accessLog: resolveAccessLog(accessLog),
    healthCheck: checks,
    notAvailableYet,
    userFiles: chains.userFiles,
  });
}

function resolveServer(block: ServerBlock, chains: MiddlewareChains): ServerConfig {
  const { tlsCert, tlsKey, tls, clientCa, clientAuth, ...asWritten } = block;
  return {
    ...asWritten,
    httpAddr: block.httpAddr ?? [],
    httpsAddr: block.httpsAddr ?? [],
    tls: resolveCertificates(block),
    clientCertificates: clientCa === null ? null : { caFile: clientCa, required: clientAuth === 'required' },
    workers: block.workers ?? availableParallelism(),
    middleware: chains.ofServer,
  };
}

/** The single pair comes first, so it is the default. */
function resolveCertificates({ tls, tlsCert, tlsKey }: ServerBlock): readonly CertificateConfig[] {
  const listed = tls.map(({ hosts, cert, key }, index) => ({
    hosts: hosts.map((host) => host.toLowerCase()),
    certFile: cert,
    keyFile: key,
    option: { cert: `server.tls[${index}].cert`, key: `server.tls[${index}].key` },
  }));
  if (tlsCert === null || tlsKey === null) return listed;
  const option = { cert: 'server.tls_cert', key: 'server.tls_key' };
  return [{ hosts: [], certFile: tlsCert, keyFile: tlsKey, option }, ...listed];
}

function resolveAccessLog({ output, ...asWritten }: ConfigOptions['accessLog']): AccessLogConfig {
  return { ...asWritten, file: output === 'stdout' ? null : output };
}

/**
 * The id of a route without one is its path. If another route has that id, by choice or because it is an earlier route on
 * the same path, the id is the first free one of `path#2`, `path#3` and so on.
 */
function resolveRoutes(
  blocks: readonly RouteBlock[],
  chains: MiddlewareChains,
  onlyBackend: string,
): readonly RouteConfig[] {
  const taken = new Set(blocks.flatMap(({ id }) => id ?? []));
  const nextNumber = new Map<string, number>();
  return blocks.map((block, index) => {
    const id = block.id ?? freeName(block.path, taken, nextNumber);
    taken.add(id);
    return {
      ...block,
      id,
      methods: block.methods === null ? null : [...new Set(block.methods)],
      backend: block.backend ?? onlyBackend,
      middleware: chains.ofRoutes[index] ?? [],
    };
  });
}

function freeName(name: string, taken: ReadonlySet<string>, nextNumber: Map<string, number>): string {
  if (!taken.has(name)) return name;
  let number = nextNumber.get(name) ?? 2;
  while (taken.has(`${name}#${number}`)) number++;
  nextNumber.set(name, number + 1);
  return `${name}#${number}`;
}

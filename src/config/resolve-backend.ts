import type { Algorithm, BackendConfig, ConfigOptions, HealthCheckConfig, UpstreamConfig } from './config.ts';
import type { UpstreamAddress } from './option-types.ts';

type BackendBlock = ConfigOptions['loadBalancing']['backends'][string];
type UpstreamBlock = BackendBlock['upstreams'][number];

/** The settings at the top, which are the defaults of every backend. */
export function resolveHealthCheck(block: ConfigOptions['healthCheck']): HealthCheckConfig {
  return { ...block, headers: block.headers ?? {} };
}

/** The block at the top has the defaults of a backend's own block, which switches the checks on. */
function resolveBackendHealthCheck(block: BackendBlock['healthCheck'], global: HealthCheckConfig): HealthCheckConfig {
  if (block === null) return global;
  return { ...global, ...withoutNulls(block), enabled: block.enabled ?? true };
}

function withoutNulls<T extends object>(block: T): { readonly [K in keyof T]?: Exclude<T[K], null> } {
  const present = Object.entries(block).filter(([, value]) => value !== null);
  // Sound: these are keys of the block, each with its own value.
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], null> };
}

export function resolveBackend(
  name: string,
  block: BackendBlock,
  algorithm: Algorithm,
  healthCheck: HealthCheckConfig,
): BackendConfig {
  return {
    ...block,
    name,
    algorithm: block.algorithm ?? algorithm,
    upstreams: block.upstreams.map(resolveUpstream),
    healthCheck: resolveBackendHealthCheck(block.healthCheck, healthCheck),
  };
}

function resolveUpstream({ address, tlsCert, tlsKey, ...asWritten }: UpstreamBlock): UpstreamConfig {
  const { text, host, port, path, service } = address;
  return {
    ...asWritten,
    address: text,
    key: text,
    host,
    alternative: null,
    port,
    path,
    service,
    authority: authorityOf(address),
    sniHostname: asWritten.sniHostname ?? nameOf(address),
    tlsCertificate: tlsCert === null || tlsKey === null ? null : { certFile: tlsCert, keyFile: tlsKey },
  };
}

function authorityOf(address: UpstreamAddress): string {
  if (address.path !== null) return 'localhost';
  return address.service === null ? address.text : nameOf(address);
}

/**
 * The name of the server, without a port and without a dot at the end (RFC 6066 3). The name of a service is the domain
 * that offers it, not a target: targets come from DNS, and forged answers must not choose the server that we trust.
 */
function nameOf({ host, service }: UpstreamAddress): string {
  const name = service === null ? host : service.replace(/^_[^.]+\._[^.]+\./, '');
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

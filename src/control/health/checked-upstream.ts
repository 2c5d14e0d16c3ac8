import { isDeepStrictEqual } from 'node:util';
import type { BackendConfig, HealthCheckConfig, UpstreamConfig } from '../../config/config.ts';
import type { Slot } from '../../memory/shared-memory.ts';
import type { TlsClientMaterial } from '../../net/tls-client.ts';
import type { UpstreamAddress } from './check-plan.ts';

/** An upstream and how it is to be checked. */
export interface CheckedUpstream {
  readonly backend: string;
  readonly config: UpstreamConfig;
  readonly check: HealthCheckConfig;
  readonly address: UpstreamAddress;
  /** Where its state is. */
  readonly slot: Slot;
  readonly tls: TlsClientMaterial | null;
}

/** All upstreams of a configuration; `slots` and `materials` are theirs, in its order over all backends. */
export function checkedUpstreams(
  backends: readonly BackendConfig[],
  slots: readonly Slot[],
  materials: readonly (TlsClientMaterial | null)[],
): readonly CheckedUpstream[] {
  const all = backends.flatMap(({ name, healthCheck, upstreams }) =>
    upstreams.map((config) => ({ backend: name, config, check: healthCheck })),
  );
  return all.map((upstream, index) => {
    const { host, port, path, alternative } = upstream.config;
    const slot = slots[index] as Slot;
    return { ...upstream, address: { host, port, path, alternative }, slot, tls: materials[index] ?? null };
  });
}

/** Names an upstream over changes of the configuration. */
export const keyOf = ({ backend, config }: CheckedUpstream): string => `${backend}\n${config.key}`;

/** Whether both are the same server, reached in the same way: what was found out about one then holds for the other. */
export function isSameServer(one: CheckedUpstream, other: CheckedUpstream): boolean {
  return isDeepStrictEqual(wayTo(one), wayTo(other));
}

function wayTo({ address, config }: CheckedUpstream) {
  const { tls, sniHostname, tlsVerify, tlsCa, tlsCertificate, sendProxyProtocol } = config;
  return { address, tls, sniHostname, tlsVerify, tlsCa, tlsCertificate, sendProxyProtocol };
}

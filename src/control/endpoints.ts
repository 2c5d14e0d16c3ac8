import type { BackendConfig, UpstreamConfig } from '../config/config.ts';
import type { Slot } from '../memory/shared-memory.ts';
import type { ServingPlan } from '../messages/to-worker.ts';
import type { TlsClientMaterial } from '../net/tls-client.ts';

/** One server that requests go to, with an address and not with a name. */
export interface Endpoint {
  readonly backend: BackendConfig;
  readonly upstream: UpstreamConfig;
  /** Where it is counted. */
  readonly slot: Slot;
  /** How to speak TLS with it; null for not at all. */
  readonly tls: TlsClientMaterial | null;
}

/** All servers that a plan sends requests to, in the order of the configuration. */
export function endpointsOf({ compiled, slots, tls }: ServingPlan): readonly Endpoint[] {
  let number = 0;
  return compiled.config.backends.flatMap((backend) =>
    backend.upstreams.map((upstream): Endpoint => {
      // Sound: there is a slot for each.
      const slot = slots.upstreams[number] as Slot;
      return { backend, upstream, slot, tls: tls.upstreams[number++] ?? null };
    }),
  );
}

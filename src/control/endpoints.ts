import { isDeepStrictEqual } from 'node:util';
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

/** Which servers come and go: `backend/upstream`, the first few of them. */
interface EndpointChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** How many there are now. */
  readonly upstreams: number;
}

const MAX_LISTED = 10;

/** What is different between the servers of two plans; null: nothing. */
export function findEndpointChanges(before: ServingPlan, after: ServingPlan): EndpointChanges | null {
  if (isDeepStrictEqual(before.compiled.config.backends, after.compiled.config.backends)) return null;
  const [old, now] = [namesOf(before), namesOf(after)];
  return { added: listed(now.difference(old)), removed: listed(old.difference(now)), upstreams: now.size };
}

const namesOf = (plan: ServingPlan): Set<string> =>
  new Set(endpointsOf(plan).map(({ backend, upstream }) => `${backend.name}/${upstream.key}`));

const listed = (names: ReadonlySet<string>): readonly string[] => [...names].slice(0, MAX_LISTED);

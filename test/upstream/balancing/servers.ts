import { createSharedMemory, SharedCursor } from '../../../src/memory/shared-memory.ts';
import type { BalancedRequest, Candidate } from '../../../src/upstream/balancing/balancer.ts';

/** A candidate whose state the test sets. */
export interface Server extends Candidate {
  usable: boolean;
  inFlight: number;
}

/** Servers named a, b, c and so on. */
export function serversOf(weights: readonly number[]): Server[] {
  return weights.map((weight, index) => ({ key: nameOf(index), weight, inFlight: 0, usable: true }));
}

/** Those that `up` names by bits. */
export function setUsable(servers: readonly Server[], up: number): void {
  servers.forEach((server, index) => {
    server.usable = (up & (1 << index)) !== 0;
  });
}

function nameOf(index: number): string {
  return index < 26 ? String.fromCharCode(97 + index) : `server-${index}`;
}

export const isUsable = ({ usable }: Server): boolean => usable;

export interface RequestParts {
  readonly clientAddress?: string;
  readonly path?: string;
  /** By names in lower case. */
  readonly fields?: Readonly<Record<string, string>>;
}

export function requestOf({
  clientAddress = '192.0.2.1',
  path = '/',
  fields = {},
}: RequestParts = {}): BalancedRequest {
  return { clientAddress, path, headerValue: (name) => fields[name], keyValue: (name) => fields[name] };
}

export function newCursor(): SharedCursor {
  return new SharedCursor({ memory: createSharedMemory({ backends: [{ upstreams: [] }] }, 1), number: 0 });
}

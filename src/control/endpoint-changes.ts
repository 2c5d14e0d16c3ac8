import { isDeepStrictEqual } from 'node:util';
import type { BackendConfig } from '../config/config.ts';

/** Which servers come and go: `backend/upstream`, the first few of them. */
interface EndpointChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** How many there are now. */
  readonly upstreams: number;
}

const MAX_LISTED = 10;

type Backends = readonly BackendConfig[];

/** What is different between the servers of two times; null: nothing. */
export function findEndpointChanges(before: Backends, after: Backends): EndpointChanges | null {
  if (isDeepStrictEqual(before, after)) return null;
  const [old, now] = [namesOf(before), namesOf(after)];
  return { added: listed(now.difference(old)), removed: listed(old.difference(now)), upstreams: now.size };
}

const namesOf = (backends: Backends): Set<string> =>
  new Set(backends.flatMap(({ name, upstreams }) => upstreams.map(({ key }) => `${name}/${key}`)));

const listed = (names: ReadonlySet<string>): readonly string[] => [...names].slice(0, MAX_LISTED);

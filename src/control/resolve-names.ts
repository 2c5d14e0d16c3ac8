/**
 * A process that says which names resolve. A look-up cannot be called off, and the end of a process waits for those under way:
 * whoever does not want to wait for a slow resolver kills this one instead.
 */
import { lookup } from 'node:dns/promises';
import { NameLookup, systemSources } from './names/name-lookup.ts';

/** What the process is asked, in its first message. */
export interface NameQuestion {
  /** Host names, and names of services behind `srv:`. */
  readonly names: readonly string[];
  /** The DNS servers to ask; null for the system. */
  readonly servers: readonly string[] | null;
}

/** What the process sends: that it has begun to ask, and then one for each name, in any order. */
export type ResolverMessage = 'asking' | ResolvedName;

export interface ResolvedName {
  readonly name: string;
  readonly resolves: boolean;
}

process.once('message', ({ names, servers }: NameQuestion) => {
  const dns = new NameLookup(systemSources(servers));
  const find = (name: string): Promise<unknown> => {
    if (name.startsWith('srv:')) return dns.targets(name.slice('srv:'.length));
    return servers === null ? lookup(name) : dns.addresses(name, null);
  };
  process.send?.('asking' satisfies ResolverMessage);
  void Promise.all(names.map((name) => report(name, find(name)))).then(() => process.disconnect?.());
});

async function report(name: string, found: Promise<unknown>): Promise<void> {
  const resolves = await found.then(
    () => true,
    () => false,
  );
  process.send?.({ name, resolves } satisfies ResolverMessage);
}

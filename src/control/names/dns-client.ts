import { Resolver } from 'node:dns/promises';
import { type NameAddresses, toNameAddresses } from './name-addresses.ts';
import { candidatesFor, type SearchList } from './search-list.ts';
import { type ServiceTarget, toServiceTargets } from './service-targets.ts';

/** What a name has, and for how long that holds. */
export interface Found<T> {
  readonly value: T;
  readonly ttlMs: number;
}

/** A look-up that found nothing; the message is short, for the log. */
export class LookupError extends Error {
  /** There is no such name: asking somebody else may help. Otherwise nobody could tell. */
  readonly absent: boolean;

  constructor(message: string, absent: boolean) {
    super(message);
    this.absent = absent;
  }
}

/** A family that could not be asked for is null. */
type FoundFamilies = { readonly [F in keyof NameAddresses]: NameAddresses[F] | null };

const TRIES = 2;

/** Records of a service are looked at so often: Node does not tell for how long they hold. */
const SERVICE_TTL_MS = 10_000;

const ABSENT: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);
/** Nobody listens where a DNS server should be: this machine has none. */
const NO_SERVER = 'ECONNREFUSED';

/** Asks DNS servers, for a short name in each of the domains that it may be in. */
export class DnsClient {
  readonly #resolver: Resolver;
  readonly #search: SearchList;

  /** `servers`: addresses with an optional port; null for those of the system as they are now. */
  constructor(servers: readonly string[] | null, search: SearchList, tryTimeoutMs: number) {
    this.#resolver = new Resolver({ timeout: tryTimeoutMs, tries: TRIES });
    this.#search = search;
    if (servers !== null) this.#resolver.setServers(servers);
  }

  /** Rejects with a LookupError. */
  addresses(name: string): Promise<Found<FoundFamilies>> {
    return this.#firstOf(name, (candidate) => this.#bothFamilies(candidate));
  }

  /** Rejects with a LookupError. */
  targets(service: string): Promise<Found<readonly ServiceTarget[]>> {
    return this.#firstOf(service, async (candidate) => {
      const targets = toServiceTargets(await this.#resolver.resolveSrv(candidate).catch(refuse));
      if (targets.length === 0) throw new LookupError('no target', true);
      return { value: targets, ttlMs: SERVICE_TTL_MS };
    });
  }

  /** Ends what is under way. */
  close(): void {
    this.#resolver.cancel();
  }

  /**
   * What the first candidate has that is there. One that nobody could tell about ends the search: the next candidate may be
   * somebody else's.
   */
  async #firstOf<T>(name: string, ask: (candidate: string) => Promise<T>): Promise<T> {
    let absence: unknown = null;
    for (const candidate of candidatesFor(name, this.#search)) {
      try {
        return await ask(candidate);
      } catch (error) {
        if (!(error instanceof LookupError && error.absent)) throw error;
        absence ??= error;
      }
    }
    throw absence;
  }

  async #bothFamilies(name: string): Promise<Found<FoundFamilies>> {
    const [four, six] = await Promise.allSettled([
      this.#resolver.resolve4(name, { ttl: true }).catch(refuse),
      this.#resolver.resolve6(name, { ttl: true }).catch(refuse),
    ]);
    const records = [four, six].flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const addresses = toNameAddresses(records.map(({ address }) => address));
    if (records.length === 0) throw uncertainOf([four, six]);
    return {
      value: { ipv4: isKnown(four) ? addresses.ipv4 : null, ipv6: isKnown(six) ? addresses.ipv6 : null },
      ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000,
    };
  }
}

function isKnown(asked: PromiseSettledResult<unknown>): boolean {
  return asked.status === 'fulfilled' || (asked.reason as LookupError).absent;
}

/** Of two failures the one that leaves open whether there is something. */
function uncertainOf(asked: readonly PromiseSettledResult<unknown>[]): LookupError {
  const errors = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason as LookupError] : []));
  return errors.find(({ absent }) => !absent) ?? errors[0] ?? new LookupError('no address', true);
}

function refuse(error: NodeJS.ErrnoException): never {
  const { code = error.message } = error;
  throw new LookupError(code, ABSENT.has(code) || code === NO_SERVER);
}

import { setTimeout as pause } from 'node:timers/promises';
import { isIpAddress } from '../../base/address.ts';
import type { BackendConfig, Config, UpstreamConfig } from '../../config/config.ts';
import { Change } from '../change.ts';
import type { EventLog } from '../event-log.ts';
import { type NameAddresses, toNameAddresses } from './name-addresses.ts';
import type { NameLookup } from './name-lookup.ts';
import type { ServiceTarget } from './service-targets.ts';
import { WatchedAnswer } from './watched-answer.ts';

type Backends = readonly BackendConfig[];

/** What a configuration says about names; `resolver`: DNS servers, null for those of the system. */
type NamesConfig = Pick<Config, 'backends' | 'resolver'>;

/** The addresses and targets of names, as far as they are known. */
export interface KnownNames {
  /** The addresses of a name, or the address itself; null while a name has never been resolved. */
  addressesOf(host: string): NameAddresses | null;
  targetsOf(service: string): readonly ServiceTarget[];
}

/** Resolves the names of upstreams again and again, as long as a configuration has them. A name in several places is asked for once. */
export class UpstreamNames implements KnownNames {
  readonly #lookup: NameLookup;
  readonly #log: EventLog;
  readonly #changed: () => void;
  #upstreams: readonly UpstreamConfig[] = [];
  #closed = false;
  readonly #hosts = new Map<string, WatchedAnswer<NameAddresses>>();
  readonly #services = new Map<string, WatchedAnswer<readonly ServiceTarget[]>>();

  /** `changed` is called when a name has other addresses or targets than before. */
  constructor(lookup: NameLookup, log: EventLog, changed: () => void) {
    this.#lookup = lookup;
    this.#log = log;
    this.#changed = changed;
  }

  addressesOf(host: string): NameAddresses | null {
    return isIpAddress(host) ? toNameAddresses([host]) : (this.#hosts.get(host)?.answer ?? null);
  }

  targetsOf(service: string): readonly ServiceTarget[] {
    return this.#services.get(service)?.answer ?? [];
  }

  /**
   * Goes over to the names and the DNS servers of a configuration. `prepare` resolves the new names, and waits for them for `timeoutMs` at most. From
   * then on, the names of both configurations are resolved with the new DNS servers, until the commit.
   */
  change({ backends, resolver }: NamesConfig, timeoutMs: number): Change {
    const before = { upstreams: this.#upstreams, servers: this.#lookup.servers };
    return new Change('the names', {
      prepare: () => {
        this.#lookup.useServers(resolver);
        this.#watchAll([...before.upstreams, ...upstreamsOf(backends)]);
        return this.#askedWithin(timeoutMs, backends);
      },
      commit: () => this.#watchAll(upstreamsOf(backends)),
      abandon: () => {
        this.#lookup.useServers(before.servers);
        this.#watchAll(before.upstreams);
      },
    });
  }

  async #askedWithin(timeoutMs: number, backends: Backends): Promise<void> {
    const settled = new AbortController();
    const enough = pause(timeoutMs, undefined, { signal: settled.signal, ref: true }).catch(() => undefined);
    await Promise.race([this.#asked(backends), enough]);
    settled.abort();
  }

  #watchAll(upstreams: readonly UpstreamConfig[]): void {
    this.#upstreams = upstreams;
    this.#watch();
  }

  /** Asks no server any more. The answers that are known stay. */
  close(): void {
    this.#closed = true;
    for (const watched of [...this.#hosts.values(), ...this.#services.values()]) watched.close();
    this.#lookup.close();
  }

  async #asked(backends: Backends): Promise<void> {
    const upstreams = upstreamsOf(backends);
    await Promise.all(servicesOf(upstreams).map((service) => this.#services.get(service)?.asked));
    await Promise.all(this.#hostsOf(upstreams).map((host) => this.#hosts.get(host)?.asked));
  }

  #watch(): void {
    if (this.#closed) return;
    keepOnly(this.#services, servicesOf(this.#upstreams), (service) => this.#watchService(service));
    keepOnly(this.#hosts, this.#hostsOf(this.#upstreams), (host) => this.#watchHost(host));
  }

  /** The hosts of the configuration, and the targets of its services. */
  #hostsOf(upstreams: readonly UpstreamConfig[]): readonly string[] {
    const ofServices = servicesOf(upstreams).flatMap((service) => this.targetsOf(service).map(({ host }) => host));
    const named = upstreams.filter(({ path, service }) => path === null && service === null).map(({ host }) => host);
    return [...named, ...ofServices].filter((host) => !isIpAddress(host));
  }

  #watchService(service: string): WatchedAnswer<readonly ServiceTarget[]> {
    return new WatchedAnswer({
      ask: () => this.#lookup.targets(service),
      changed: () => {
        this.#watch();
        this.#changed();
      },
      stateChanged: (failure) => this.#logState(service, failure, this.targetsOf(service).length),
    });
  }

  #watchHost(host: string): WatchedAnswer<NameAddresses> {
    return new WatchedAnswer({
      ask: (known) => this.#lookup.addresses(host, known),
      changed: this.#changed,
      stateChanged: (failure) => {
        const { ipv4, ipv6 } = this.addressesOf(host) ?? { ipv4: [], ipv6: [] };
        this.#logState(host, failure, ipv4.length + ipv6.length);
      },
    });
  }

  /** `count`: how many addresses, or targets, are served. */
  #logState(name: string, failure: string | null, count: number): void {
    if (failure === null) this.#log.info('name-resolves', { name, found: count });
    else this.#log.warn('name-does-not-resolve', { name, reason: failure, kept: count });
  }
}

const upstreamsOf = (backends: Backends): readonly UpstreamConfig[] => backends.flatMap(({ upstreams }) => upstreams);

const servicesOf = (upstreams: readonly UpstreamConfig[]): readonly string[] =>
  upstreams.flatMap(({ service }) => (service === null ? [] : [service]));

function keepOnly<T>(
  watched: Map<string, WatchedAnswer<T>>,
  names: readonly string[],
  watch: (name: string) => WatchedAnswer<T>,
) {
  const wanted = new Set(names);
  for (const [name, answer] of watched) {
    if (wanted.has(name)) continue;
    answer.close();
    watched.delete(name);
  }
  for (const name of wanted) if (!watched.has(name)) watched.set(name, watch(name));
}

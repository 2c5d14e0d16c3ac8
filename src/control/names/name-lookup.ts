import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { stateOf } from '../file-state.ts';
import { DnsClient, type Found, LookupError } from './dns-client.ts';
import { type HostsFile, parseHostsFile } from './hosts-file.ts';
import { type NameAddresses, toNameAddresses } from './name-addresses.ts';
import { parseSearchList } from './search-list.ts';
import type { ServiceTarget } from './service-targets.ts';

/** For what the hosts file and the system's resolver say, who tell no time: then it is asked again. */
const SYSTEM_TTL_MS = 30_000;

/** Who is asked, and what. Tests put others in their place. */
export interface NameSources {
  readonly hostsFile: string;
  readonly resolvConf: string;
  /** DNS servers, addresses with an optional port; null for those of the system, and then also for whatever else it asks. */
  readonly servers: readonly string[] | null;
  /** A server that does not answer within it is asked again, or the next one is. */
  readonly tryTimeoutMs: number;
  /** The system's resolver. */
  system(name: string): Promise<readonly string[]>;
}

/** What this machine has. */
export function systemSources(servers: readonly string[] | null): NameSources {
  return {
    hostsFile: '/etc/hosts',
    resolvConf: '/etc/resolv.conf',
    servers,
    tryTimeoutMs: 2000,
    system: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  };
}

/**
 * Looks names up: in the hosts file, then by DNS, and where that has no such name in whatever else the system knows (mDNS, NSS). The
 * files are read again when they have changed.
 */
export class NameLookup {
  #sources: NameSources;
  #hosts: HostsFile = new Map();
  #dns: DnsClient | null = null;
  /** The state of the files when they were read. */
  #read: string | null = null;
  #reading: Promise<DnsClient> | null = null;
  #closed = false;

  constructor(sources: NameSources) {
    this.#sources = sources;
  }

  /** As in `NameSources`. */
  get servers(): readonly string[] | null {
    return this.#sources.servers;
  }

  /** Asks other servers from now on. */
  useServers(servers: readonly string[] | null): void {
    if (isDeepStrictEqual(servers, this.#sources.servers)) return;
    this.#sources = { ...this.#sources, servers };
    this.#dns = null;
  }

  /** `known`: what is left of it where one family cannot be asked for. Rejects with a LookupError. */
  async addresses(name: string, known: NameAddresses | null): Promise<Found<NameAddresses>> {
    const dns = await this.#upToDate();
    const inHosts = this.#inHostsFile(name);
    if (inHosts !== null) return { value: inHosts, ttlMs: SYSTEM_TTL_MS };
    try {
      const { value, ttlMs } = await dns.addresses(name);
      return { value: { ipv4: value.ipv4 ?? known?.ipv4 ?? [], ipv6: value.ipv6 ?? known?.ipv6 ?? [] }, ttlMs };
    } catch (error) {
      if (!(error instanceof LookupError && error.absent) || this.#sources.servers !== null) throw error;
      return await this.#askSystem(name, error);
    }
  }

  /** Rejects with a LookupError. */
  async targets(service: string): Promise<Found<readonly ServiceTarget[]>> {
    return (await this.#upToDate()).targets(service);
  }

  /** Ends what is under way. */
  close(): void {
    this.#closed = true;
    this.#dns?.close();
  }

  #inHostsFile(name: string): NameAddresses | null {
    const full = name.endsWith('.') ? name.slice(0, -1) : name;
    const listed = this.#hosts.get(full);
    if (listed !== undefined) return listed;
    // RFC 6761 6.3: such names are this machine, whatever a server says.
    return /(?:^|\.)localhost$/.test(full) ? { ipv4: ['127.0.0.1'], ipv6: ['::1'] } : null;
  }

  async #askSystem(name: string, failure: LookupError): Promise<Found<NameAddresses>> {
    const found = await this.#sources.system(name).catch(() => []);
    const addresses = toNameAddresses(found);
    if (addresses.ipv4.length + addresses.ipv6.length === 0) throw failure;
    return { value: addresses, ttlMs: SYSTEM_TTL_MS };
  }

  /** One look at the files for all that is looked up at this moment. */
  #upToDate(): Promise<DnsClient> {
    this.#reading ??= this.#readChanges().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readChanges(): Promise<DnsClient> {
    const { hostsFile, resolvConf, servers, tryTimeoutMs } = this.#sources;
    const state = await stateOf([hostsFile, resolvConf]);
    if (this.#dns === null || state !== this.#read) {
      const [hosts, settings] = await Promise.all([readIfThere(hostsFile), readIfThere(resolvConf)]);
      this.#hosts = parseHostsFile(hosts);
      // What the one of before was asked for is still answered. Servers of the system are read with each new one.
      this.#dns = new DnsClient(servers, parseSearchList(settings), tryTimeoutMs);
      this.#read = state;
    }
    if (this.#closed) throw new LookupError('closed', false);
    return this.#dns;
  }
}

const readIfThere = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

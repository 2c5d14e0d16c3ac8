import type { BackendConfig } from '../config/config.ts';
import type { TlsMaterial } from '../messages/to-worker.ts';
import type { CompiledConfig } from '../pipeline/compiled-config.ts';
import { BucketTable } from './bucket-table.ts';
import { Change } from './change.ts';
import type { EventLog } from './event-log.ts';
import { type CheckedUpstream, checkedUpstreams } from './health/checked-upstream.ts';
import type { PlannedListener } from './listeners.ts';
import { expandNames } from './names/expand-names.ts';
import type { KnownNames } from './names/upstream-names.ts';
import { readOpenFileLimit, socketsWithin, withinOpenFileLimit } from './open-file-limit.ts';
import { SlotTable } from './slot-table.ts';
import type { WorkerPlan } from './worker-slot.ts';

/** A configuration with everything that workers need to serve it. */
export interface Served {
  readonly compiled: CompiledConfig;
  readonly plan: WorkerPlan;
  /** For each upstream of the plan, the number of the upstream of the configuration that it comes from. */
  readonly origins: readonly number[];
  /** One entry for each upstream of the configuration. */
  readonly tls: TlsMaterial;
}

/** Makes the plans of the workers. It holds the plan that is served, and the tables in which its upstreams and requests are counted. */
export class WorkerPlans {
  readonly #workers: number;
  readonly #names: KnownNames;
  readonly #log: EventLog;
  readonly #table: SlotTable;
  readonly #buckets = new BucketTable();
  readonly #onUse: (upstreams: readonly CheckedUpstream[]) => void;
  /** How many configurations there have been. */
  #configurations = 0;
  #current: Served | null = null;

  /** `onUse` is called with the upstreams of each plan that is served from then on. */
  constructor(
    workers: number,
    names: KnownNames,
    log: EventLog,
    onUse: (upstreams: readonly CheckedUpstream[]) => void,
  ) {
    this.#workers = workers;
    this.#names = names;
    this.#log = log;
    this.#table = new SlotTable(workers);
    this.#onUse = onUse;
  }

  /** Null before the start. */
  get current(): Served | null {
    return this.#current;
  }

  /** Counters of the process as a whole. */
  get shared(): SlotTable['shared'] {
    return this.#table.shared;
  }

  /** Clears the counters of the dead worker of a row. */
  clearRow(row: number): void {
    this.#table.clearRow(row);
  }

  /** The servers of a configuration, with the addresses that its names have now. */
  backendsOf({ config }: CompiledConfig): readonly BackendConfig[] {
    return expandNames(config.backends, this.#names).backends;
  }

  /**
   * Goes over to another plan. `prepare` calls `make`, which throws an Error if the plan cannot be made. From the commit on, the upstreams of the
   * plan are checked and its requests are counted.
   */
  change(make: () => Served): Change<Served> {
    return new Change('the plan', { prepare: make, commit: (served) => this.#use(served) });
  }

  /** Throws a RangeError if there is not enough memory for the counters. */
  make(compiled: CompiledConfig, tls: TlsMaterial, listeners: readonly PlannedListener[]): Served {
    const { config } = compiled;
    const server = { ...config.server, workers: this.#workers };
    const { backends, origins } = expandNames(config.backends, this.#names);
    const serving = {
      compiled: { ...compiled, config: withinOpenFileLimit({ ...config, server, backends }, this.#log) },
      configuration: this.#numberOf(compiled),
      slots: this.#table.slotsFor(backends),
      buckets: this.#buckets.memoryFor(compiled.buckets),
      tls: spread(tls, origins),
      httpsPort: httpsPortOf(listeners),
      maxSockets: socketsWithin(readOpenFileLimit(), server.workers),
    };
    return { compiled, plan: { listeners, serving }, origins, tls };
  }

  /** The configuration that is served keeps its number. Every other one gets a new number, whether it comes to be served or not. */
  #numberOf(compiled: CompiledConfig): number {
    if (compiled === this.#current?.compiled) return this.#current.plan.serving.configuration;
    return ++this.#configurations;
  }

  #use(served: Served): void {
    const { slots, buckets, tls } = served.plan.serving;
    const backends = plannedBackends(served);
    this.#current = served;
    this.#table.use(backends, slots);
    this.#buckets.use(buckets);
    this.#onUse(checkedUpstreams(backends, slots.upstreams, tls.upstreams));
  }
}

/** The same, with other certificates and keys. */
export function withTls(served: Served, tls: TlsMaterial): Served {
  const { plan, origins } = served;
  return { ...served, plan: { ...plan, serving: { ...plan.serving, tls: spread(tls, origins) } }, tls };
}

/** The servers of a plan, with addresses in the place of names. */
export const plannedBackends = ({ plan }: Served): readonly BackendConfig[] => plan.serving.compiled.config.backends;

/** The port of the first listener for HTTPS that has one; a Unix socket has none. */
function httpsPortOf(listeners: readonly PlannedListener[]): number | null {
  const first = listeners.find(({ binding, secure }) => secure && binding.address.path === null);
  return first?.binding.address.port ?? null;
}

/** Gives each server of the plan the material of the upstream that it comes from. */
function spread({ server, upstreams }: TlsMaterial, origins: readonly number[]): TlsMaterial {
  return { server, upstreams: origins.map((origin) => upstreams[origin] ?? null) };
}

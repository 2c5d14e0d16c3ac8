import { setTimeout as pause } from 'node:timers/promises';
import type { TlsMaterial } from '../messages/to-worker.ts';
import { formatAddress, type OpenAddress } from '../net/binding.ts';
import { chooseTransport } from '../net/choose-transport.ts';
import type { CompiledConfig, RoutelessConfig } from '../pipeline/compiled-config.ts';
import { BLOCK_COUNT } from '../telemetry/access-blocks.ts';
import { AccessLog } from './access-log.ts';
import { Certificates } from './certificates.ts';
import type { EventLog } from './event-log.ts';
import { checkedUpstreams } from './health/checked-upstream.ts';
import { HealthChecker } from './health/health-checker.ts';
import { type ListenerChange, Listeners, type PlannedListener } from './listeners.ts';
import { checksWithin, readOpenFileLimit, socketsWithin, withinOpenFileLimit } from './open-file-limit.ts';
import { SlotTable } from './slot-table.ts';
import { type WorkerPlan, WorkerSlot, type WorkerSurroundings } from './worker-slot.ts';

/** How long the workers could do nothing else, the slowest of them, in milliseconds. */
export interface SwitchTimes {
  /** To make the new configuration ready. */
  readonly prepareMs: number;
  /** To go over to it. */
  readonly commitMs: number;
}

/**
 * The control thread's main object: binds the addresses, keeps one worker per row alive, changes what they serve, and ends them.
 *
 *   new --start()--> serving --drain()--> draining --last connection gone, or shutdown_timeout--> closed
 *    \            apply() |_|               \                                                      ^
 *     \________________________________________\__________________close()_________________________/
 */
export class Supervisor implements WorkerSurroundings {
  #compiled: CompiledConfig;
  readonly log: EventLog;
  readonly #workers: number;
  readonly #table: SlotTable;
  readonly #listeners = new Listeners();
  #slots: readonly WorkerSlot[] = [];
  #certificates: Certificates | null = null;
  #health: HealthChecker | null = null;
  accessLog: AccessLog | null = null;

  constructor(compiled: CompiledConfig, log: EventLog) {
    this.#compiled = compiled;
    this.log = log;
    this.#workers = compiled.config.server.workers;
    this.#table = new SlotTable(compiled.config.backends, this.#workers);
  }

  /** What is served, as it was wanted. */
  get compiled(): CompiledConfig {
    return this.#compiled;
  }

  get shared(): WorkerSurroundings['shared'] {
    return this.#table.shared;
  }

  clearRow(row: number): void {
    this.#table.clearRow(row);
  }

  /**
   * Resolves with the open addresses when every worker serves on all of them. Rejects, with nothing left open, when an
   * address cannot be bound (BindError) or a worker cannot start.
   */
  async start(): Promise<readonly OpenAddress[]> {
    const transport = chooseTransport(process.env['PHOTON_TRANSPORT']);
    const certificates = new Certificates(this.#compiled.config, this.log);
    const change = await this.#listeners.prepare(this.#compiled.config.server);
    change.commit();
    try {
      this.accessLog = this.#openAccessLog(this.#compiled.config);
      await this.#startWorkers(this.#plan(this.#compiled, certificates.material, change));
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#health = new HealthChecker({ transport, log: this.log, maxChecks: checksWithin(readOpenFileLimit()) });
    this.#watch(certificates);
    for (const listener of this.#listeners.open) this.#sayListening(listener, transport.name);
    return this.#listeners.open.map(({ binding }) => binding.address);
  }

  async #startWorkers(plan: WorkerPlan): Promise<void> {
    this.#table.use(this.#compiled.config.backends, plan.serving.slots);
    this.#slots = Array.from({ length: this.#workers }, (_, row) => new WorkerSlot(row, plan, this));
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  #sayListening({ binding, secure }: PlannedListener, transport: string): void {
    const address = formatAddress(binding.address);
    this.log.info('listening', {
      address,
      scheme: secure ? 'https' : 'http',
      workers: this.#slots.length,
      transport,
    });
  }

  #plan({ config, ...compiled }: CompiledConfig, tls: TlsMaterial, { all }: ListenerChange): WorkerPlan {
    const server = { ...config.server, workers: this.#workers };
    return {
      listeners: all,
      serving: {
        compiled: { ...compiled, config: withinOpenFileLimit({ ...config, server }, this.log) },
        slots: this.#table.slotsFor(config.backends),
        tls,
        httpsPort: all.find(({ secure }) => secure)?.binding.address.port ?? null,
        maxSockets: socketsWithin(readOpenFileLimit(), server.workers),
      },
    };
  }

  #watch(certificates: Certificates): void {
    this.#certificates = certificates;
    this.#checkHealth(certificates.material);
    certificates.watch(async (material) => {
      this.#checkHealth(material);
      await Promise.all(this.#slots.map((slot) => slot.useTls(material)));
    });
  }

  #checkHealth({ upstreams }: TlsMaterial): void {
    const { backends } = this.#compiled.config;
    this.#health?.use(checkedUpstreams(backends, this.#table.slotsFor(backends).upstreams, upstreams));
  }

  /**
   * Serves another configuration from now on. All workers have it ready before the first goes over to it. Rejects when it cannot
   * be served; then everything is as it was. Not to be called while another call is under way. The number of workers stays.
   */
  async apply(compiled: CompiledConfig): Promise<SwitchTimes> {
    const { config } = compiled;
    const certificates = new Certificates(config, this.log);
    const accessLog = this.#accessLogFor(config);
    const change = await this.#listeners.prepare(config.server).catch((error: unknown) => {
      this.#dropAccessLog(accessLog);
      throw error;
    });
    const plan = this.#plan(compiled, certificates.material, change);
    const prepared = await Promise.allSettled(this.#slots.map((slot) => slot.prepare(plan, change.opened)));
    const failed = prepared.find((each) => each.status === 'rejected');
    if (failed !== undefined) {
      for (const slot of this.#slots) slot.discard();
      change.abandon();
      this.#dropAccessLog(accessLog);
      throw failed.reason;
    }
    const commitMs = await this.#commit(compiled, plan, change);
    this.#useAccessLog(accessLog);
    this.#certificates?.close();
    this.#watch(certificates);
    return { prepareMs: largest(prepared.map((each) => (each.status === 'fulfilled' ? each.value : 0))), commitMs };
  }

  async #commit(compiled: CompiledConfig, plan: WorkerPlan, change: ListenerChange): Promise<number> {
    const took = await Promise.all(this.#slots.map((slot) => slot.commit(plan)));
    this.#compiled = compiled;
    this.#table.use(compiled.config.backends, plan.serving.slots);
    change.commit();
    for (const { binding, secure } of change.opened) {
      this.log.info('listening', { address: formatAddress(binding.address), scheme: secure ? 'https' : 'http' });
    }
    for (const { binding } of change.closed) {
      this.log.info('listener-closed', { address: formatAddress(binding.address) });
    }
    return largest(took);
  }

  /** The present one where it does what the configuration wants. Throws an Error when a file cannot be opened. */
  #accessLogFor(config: RoutelessConfig): AccessLog | null {
    const { accessLog: now } = this.#compiled.config;
    const same = now.enabled === config.accessLog.enabled && now.file === config.accessLog.file;
    return same ? this.accessLog : this.#openAccessLog(config);
  }

  #openAccessLog({ accessLog }: RoutelessConfig): AccessLog | null {
    return accessLog.enabled ? new AccessLog(accessLog.file, this.log, this.#workers * BLOCK_COUNT) : null;
  }

  #useAccessLog(accessLog: AccessLog | null): void {
    const before = this.accessLog;
    this.accessLog = accessLog;
    if (before !== accessLog) void before?.close();
  }

  #dropAccessLog(accessLog: AccessLog | null): void {
    if (accessLog !== this.accessLog) void accessLog?.close();
  }

  /** Opens log files anew, which were moved away. */
  reopenLogs(): void {
    this.accessLog?.reopen();
  }

  /** Accepts nothing new, lets the workers finish within `shutdown_timeout`, then ends what is left. */
  async drain(): Promise<void> {
    const timeoutMs = this.#compiled.config.server.shutdownTimeoutMs;
    this.log.info('draining', { timeoutMs });
    const timer = new AbortController();
    const finished = Promise.all(this.#slots.map((slot) => slot.drain())).then(() => true);
    const timedOut = pause(timeoutMs, false, { signal: timer.signal }).catch(() => false);
    if (!(await Promise.race([finished, timedOut]))) {
      this.log.warn('drain-timeout', { timeoutMs });
    }
    timer.abort();
    await this.close();
  }

  /** Ends every worker now and gives the addresses back. */
  async close(): Promise<void> {
    this.#certificates?.close();
    this.#health?.close();
    // Certificates that are being read right now must not start the checks again.
    this.#health = null;
    await Promise.all(this.#slots.map((slot) => slot.close()));
    await this.accessLog?.close();
    this.#listeners.close();
  }
}

const largest = (values: readonly number[]): number => Math.max(0, ...values);

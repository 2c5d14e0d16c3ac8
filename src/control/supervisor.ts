import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { createSharedMemory } from '../memory/shared-memory.ts';
import { bindAddresses } from '../net/bind.ts';
import { formatAddress, type OpenAddress } from '../net/binding.ts';
import { chooseTransport } from '../net/choose-transport.ts';
import { buildRouterTables } from '../routing/router-tables.ts';
import { BLOCK_COUNT } from '../telemetry/access-blocks.ts';
import { AccessLog } from './access-log.ts';
import { Certificates } from './certificates.ts';
import type { EventLog } from './event-log.ts';
import { readOpenFileLimit, socketsWithin, withinOpenFileLimit } from './open-file-limit.ts';
import { type PlannedBinding, type WorkerPlan, WorkerSlot } from './worker-slot.ts';

/**
 * The control thread's main object: binds the addresses, keeps one worker per row alive, and ends them.
 *
 *   new --start()--> serving --drain()--> draining --last connection gone, or shutdown_timeout--> closed
 *    \__________________\____________________\_____________________close()_______________________/
 */
export class Supervisor {
  readonly #config: Config;
  readonly #log: EventLog;
  #bindings: readonly PlannedBinding[] = [];
  #slots: readonly WorkerSlot[] = [];
  #certificates: Certificates | null = null;
  #accessLog: AccessLog | null = null;

  constructor(config: Config, log: EventLog) {
    this.#config = config;
    this.#log = log;
  }

  /**
   * Resolves with the open addresses when every worker serves on all of them. Rejects, with nothing left open, when an
   * address cannot be bound (BindError) or a worker cannot start.
   */
  async start(): Promise<readonly OpenAddress[]> {
    const transport = chooseTransport(process.env['PHOTON_TRANSPORT']).name;
    const certificates = new Certificates(this.#config, this.#log);
    this.#certificates = certificates;
    this.#bindings = await this.#bind();
    try {
      this.#accessLog = this.#openAccessLog();
      await this.#startWorkers(withinOpenFileLimit(this.#config, this.#log), certificates);
    } catch (error) {
      await this.close();
      throw error;
    }
    for (const { binding, secure } of this.#bindings) {
      const scheme = secure ? 'https' : 'http';
      const address = formatAddress(binding.address);
      this.#log.info('listening', { address, scheme, workers: this.#slots.length, transport });
    }
    return this.#bindings.map(({ binding }) => binding.address);
  }

  async #bind(): Promise<readonly PlannedBinding[]> {
    const { httpAddr, httpsAddr } = this.#config.server;
    const plain = await bindAddresses(httpAddr);
    try {
      const secure = await bindAddresses(httpsAddr);
      return [
        ...plain.map((binding) => ({ binding, secure: false })),
        ...secure.map((binding) => ({ binding, secure: true })),
      ];
    } catch (error) {
      for (const binding of plain) binding.release();
      throw error;
    }
  }

  #openAccessLog(): AccessLog | null {
    const { accessLog, server } = this.#config;
    return accessLog.enabled ? new AccessLog(accessLog.file, this.#log, server.workers * BLOCK_COUNT) : null;
  }

  /** Opens log files anew, which were moved away. */
  reopenLogs(): void {
    this.#accessLog?.reopen();
  }

  /** Accepts nothing new, lets the workers finish within `shutdown_timeout`, then ends what is left. */
  async drain(): Promise<void> {
    const timeoutMs = this.#config.server.shutdownTimeoutMs;
    this.#log.info('draining', { timeoutMs });
    const timer = new AbortController();
    const finished = Promise.all(this.#slots.map((slot) => slot.drain())).then(() => true);
    const timedOut = pause(timeoutMs, false, { signal: timer.signal }).catch(() => false);
    if (!(await Promise.race([finished, timedOut]))) {
      this.#log.warn('drain-timeout', { timeoutMs });
    }
    timer.abort();
    await this.close();
  }

  /** Ends every worker now and gives the addresses back. */
  async close(): Promise<void> {
    this.#certificates?.close();
    await Promise.all(this.#slots.map((slot) => slot.close()));
    await this.#accessLog?.close();
    for (const { binding } of this.#bindings) {
      binding.release();
    }
    this.#bindings = [];
  }

  async #startWorkers(config: Config, certificates: Certificates): Promise<void> {
    const { workers } = config.server;
    const plan: WorkerPlan = {
      config,
      routerTables: buildRouterTables(config.routes),
      shared: createSharedMemory(config, workers),
      bindings: this.#bindings,
      httpsPort: this.#bindings.find(({ secure }) => secure)?.binding.address.port ?? null,
      maxSockets: socketsWithin(readOpenFileLimit(), workers),
      tls: certificates.material,
    };
    this.#slots = Array.from({ length: workers }, (_, row) => new WorkerSlot(row, plan, this.#log, this.#accessLog));
    await Promise.all(this.#slots.map((slot) => slot.start()));
    certificates.watch(async (material) => {
      await Promise.all(this.#slots.map((slot) => slot.useTls(material)));
    });
  }
}

import { isOverWithin } from '../base/within.ts';
import type { BackendConfig } from '../config/config.ts';
import type { PreparedMessage } from '../messages/to-control.ts';
import type { FetchedKeySet, TlsMaterial } from '../messages/to-worker.ts';
import type { PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import { formatAddress, type OpenAddress } from '../net/binding.ts';
import { chooseTransport } from '../net/choose-transport.ts';
import type { CompiledConfig, RoutelessConfig } from '../pipeline/compiled-config.ts';
import { BLOCK_COUNT } from '../telemetry/access-blocks.ts';
import { AccessLog } from './access-log.ts';
import { BucketTable } from './bucket-table.ts';
import { Certificates } from './certificates.ts';
import { findEndpointChanges } from './endpoint-changes.ts';
import type { EventLog } from './event-log.ts';
import { checkedUpstreams } from './health/checked-upstream.ts';
import { HealthChecker } from './health/health-checker.ts';
import { KeySetFetcher } from './key-set-fetcher.ts';
import { type ListenerChange, Listeners, type PlannedListener } from './listeners.ts';
import { isDebugged, lookIntoWorker } from './look-into-worker.ts';
import { expandNames } from './names/expand-names.ts';
import { NameLookup, systemSources } from './names/name-lookup.ts';
import { UpstreamNames } from './names/upstream-names.ts';
import { checksWithin, readOpenFileLimit, socketsWithin, withinOpenFileLimit } from './open-file-limit.ts';
import { PasswordQueue } from './password-queue.ts';
import { SerialQueue } from './serial-queue.ts';
import { SlotTable } from './slot-table.ts';
import { waitedForProcessorMs } from './thread-waits.ts';
import { type WorkerPlan, WorkerSlot, type WorkerSlotContext } from './worker-slot.ts';
import { WorkerWatch } from './worker-watch.ts';

/** How long the workers could do nothing else, the slowest of them, in milliseconds. */
export interface SwitchTimes {
  /** To make the new configuration ready. */
  readonly prepareMs: number;
  /** To go over to it. */
  readonly commitMs: number;
}

/** What making a configuration ready took. */
interface Preparation extends Pick<SwitchTimes, 'prepareMs'> {
  /** Text of users' modules that the workers that live have loaded so far, in bytes: what was loaded stays in memory. */
  readonly moduleBytes: number;
}

export interface Switch extends SwitchTimes, Preparation {}

/** What the workers serve. */
interface Served {
  readonly plan: WorkerPlan;
  /** From which upstream of the configuration each of the plan is. */
  readonly origins: readonly number[];
  /** For the upstreams of the configuration. */
  readonly tls: TlsMaterial;
}

/** A start, or another configuration, waits so long for names that have never been resolved; requests to the others do not. */
const FIRST_ANSWERS_MS = 2000;
/** When a worker could not take over what names stand for now, it is tried again. */
const RETRY_NAMES_MS = 1000;

/**
 * The control thread's main object: binds the addresses, keeps one worker per row alive, changes what they serve, and ends them.
 *
 *   new --start()--> serving --drain()--> draining --last connection gone, or shutdown_timeout--> closed
 *    \            apply() |_|               \                                                      ^
 *     \________________________________________\__________________close()_________________________/
 */
export class Supervisor implements WorkerSlotContext {
  #compiled: CompiledConfig;
  readonly log: EventLog;
  readonly #workers: number;
  readonly #table: SlotTable;
  readonly #buckets = new BucketTable();
  readonly #names: UpstreamNames;
  /** Null before the start. */
  #served: Served | null = null;
  /** How many configurations there have been. */
  #configurations = 0;
  readonly #serialQueue = new SerialQueue();
  /** Names stand for something else than what is served, and that waits for its turn. */
  #namesWait = false;
  readonly #listeners = new Listeners();
  readonly #keySets: KeySetFetcher;
  readonly #passwords: PasswordQueue;
  #slots: readonly WorkerSlot[] = [];
  readonly #watch: WorkerWatch;
  /** Nothing changes any more. */
  #stopping = false;
  #certificates: Certificates | null = null;
  #health: HealthChecker | null = null;
  accessLog: AccessLog | null = null;

  /**
   * `onLost` is called when a worker is stuck in a thread that cannot be ended: nothing but the end of the process frees its row, and the
   * connections that it has.
   */
  constructor(compiled: CompiledConfig, log: EventLog, onLost: () => void = () => undefined) {
    this.#compiled = compiled;
    this.log = log;
    this.#workers = compiled.config.server.workers;
    this.#table = new SlotTable(this.#workers);
    const lookup = new NameLookup(systemSources(compiled.config.resolver));
    this.#names = new UpstreamNames(lookup, log, () => this.#namesChanged());
    this.#keySets = new KeySetFetcher(log, (keySet) => {
      for (const slot of this.#slots) slot.useKeySet(keySet);
    });
    this.#passwords = new PasswordQueue(log, (row, answer) => this.#slots[row]?.answerPassword(answer));
    this.#watch = new WorkerWatch({
      shared: this.#table.shared,
      workers: () => this.#slots.map(({ worker }) => worker),
      timeoutMs: () => this.#compiled.config.server.workerTimeoutMs,
      log,
      lookInto: lookIntoWorker,
      waitedMs: waitedForProcessorMs,
      isDebugged,
      onLost: (row) => {
        this.#logNotEnded([row]);
        onLost();
      },
    });
  }

  /** What is served, as it was wanted. */
  get compiled(): CompiledConfig {
    return this.#compiled;
  }

  get shared(): WorkerSlotContext['shared'] {
    return this.#table.shared;
  }

  get keySets(): readonly FetchedKeySet[] {
    return this.#keySets.current;
  }

  wantKeySet(url: string): void {
    this.#keySets.want(url);
  }

  get passwordQueue(): SharedArrayBuffer {
    return this.#passwords.memory;
  }

  checkPassword(row: number, question: PasswordQuestion): void {
    this.#passwords.ask(row, question);
  }

  clearRow(row: number): void {
    this.#table.clearRow(row);
  }

  /**
   * Resolves with the open addresses when every worker serves on all of them. Rejects, with nothing left open, when an
   * address cannot be bound (BindError) or a worker cannot start.
   */
  start(): Promise<readonly OpenAddress[]> {
    // A configuration that is changed meanwhile is served once that of the start is.
    return this.#serialQueue.run(() => this.#start());
  }

  async #start(): Promise<readonly OpenAddress[]> {
    const transport = chooseTransport(process.env['PHOTON_TRANSPORT']);
    const certificates = new Certificates(this.#compiled.config, this.log);
    const change = await this.#listeners.prepare(this.#compiled.config.server);
    change.commit();
    this.#keySets.use(this.#compiled.keySetUrls);
    this.#passwords.use(this.#compiled.checksPasswords);
    this.#health = new HealthChecker({ transport, log: this.log, maxChecks: checksWithin(readOpenFileLimit()) });
    try {
      this.accessLog = this.#openAccessLog(this.#compiled.config);
      await this.#names.add(this.#compiled.config.backends, FIRST_ANSWERS_MS);
      this.#requireRunning();
      await this.#startWorkers(this.#plan(this.#compiled, certificates.material, change.all));
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#watchCertificates(certificates);
    this.#namesChanged();
    for (const listener of this.#listeners.open) this.#logListening(listener, transport.name);
    return this.#listeners.open.map(({ binding }) => binding.address);
  }

  async #startWorkers(served: Served): Promise<void> {
    const { plan } = served;
    this.#serves(served);
    this.#slots = Array.from({ length: this.#workers }, (_, row) => new WorkerSlot(row, plan, this));
    this.#watch.start();
    await Promise.all(this.#slots.map((slot) => slot.start()));
  }

  #logListening({ binding, secure }: PlannedListener, transport: string): void {
    const address = formatAddress(binding.address);
    this.log.info('listening', {
      address,
      scheme: secure ? 'https' : 'http',
      workers: this.#slots.length,
      transport,
    });
  }

  #plan(compiled: CompiledConfig, tls: TlsMaterial, listeners: readonly PlannedListener[]): Served {
    const { config } = compiled;
    const server = { ...config.server, workers: this.#workers };
    const { backends, origins } = expandNames(config.backends, this.#names);
    const serving = {
      compiled: { ...compiled, config: withinOpenFileLimit({ ...config, server, backends }, this.log) },
      configuration: this.#numberOf(compiled),
      slots: this.#table.slotsFor(backends),
      buckets: this.#buckets.memoryFor(compiled.buckets),
      tls: spread(tls, origins),
      httpsPort: httpsPortOf(listeners),
      maxSockets: socketsWithin(readOpenFileLimit(), server.workers),
    };
    return { plan: { listeners, serving }, origins, tls };
  }

  /** That of what is served, where it is that; another one for everything else, whether it comes to be served or not. */
  #numberOf(compiled: CompiledConfig): number {
    if (this.#served !== null && compiled === this.#compiled) return this.#served.plan.serving.configuration;
    return ++this.#configurations;
  }

  /** This is what the workers serve from now on: told of each change of servers, of their slots and of their TLS. */
  #serves(served: Served): void {
    this.#served = served;
    const { slots, buckets, tls } = served.plan.serving;
    this.#table.use(backendsOf(served), slots);
    this.#buckets.use(buckets);
    this.#health?.use(checkedUpstreams(backendsOf(served), slots.upstreams, tls.upstreams));
  }

  #watchCertificates(certificates: Certificates): void {
    this.#certificates = certificates;
    certificates.watch((material) => this.#serialQueue.run(() => this.#useTls(certificates, material)));
  }

  /** False when that is no longer wanted. Rejects when a worker cannot use it; then all use what they used before. */
  async #useTls(certificates: Certificates, material: TlsMaterial): Promise<boolean> {
    const before = this.#served;
    // A configuration that came in between has read them itself.
    if (before === null || this.#certificates !== certificates || this.#stopping) return false;
    const { plan, origins } = before;
    const serving = { ...plan.serving, tls: spread(material, origins) };
    try {
      await this.#serveTls({ plan: { ...plan, serving }, origins, tls: material });
      return true;
    } catch (error) {
      await this.#serveTls(before);
      throw error;
    }
  }

  async #serveTls(served: Served): Promise<void> {
    this.#serves(served);
    await Promise.all(this.#slots.map((slot) => slot.useTls(served.plan.serving.tls)));
  }

  /**
   * Serves another configuration from now on. All workers have it ready before the first goes over to it. Rejects when it cannot
   * be served; then everything is as it was. The number of workers stays.
   */
  apply(compiled: CompiledConfig): Promise<Switch> {
    return this.#serialQueue.run(() => this.#apply(compiled));
  }

  async #apply(compiled: CompiledConfig): Promise<Switch> {
    this.#requireRunning();
    const { config: before } = this.#compiled;
    this.#names.useServers(compiled.config.resolver);
    await this.#names.add(compiled.config.backends, FIRST_ANSWERS_MS);
    try {
      return await this.#applyResolved(compiled);
    } catch (error) {
      this.#names.useServers(before.resolver);
      throw error;
    } finally {
      this.#names.keepOnly(this.#compiled.config.backends);
    }
  }

  async #applyResolved(compiled: CompiledConfig): Promise<Switch> {
    const { config } = compiled;
    const certificates = new Certificates(config, this.log);
    const accessLog = this.#accessLogFor(config);
    const change = await this.#listeners.prepare(config.server).catch((error: unknown) => {
      this.#dropAccessLog(accessLog);
      throw error;
    });
    const { served, preparation } = await this.#planAndPrepare(compiled, certificates.material, change).catch(
      (error: unknown) => {
        change.abandon();
        this.#dropAccessLog(accessLog);
        throw error;
      },
    );
    // Requests of both configurations may ask until the last worker has gone over.
    if (compiled.checksPasswords) this.#passwords.use(true);
    this.#keySets.use([...this.#compiled.keySetUrls, ...compiled.keySetUrls]);
    const committed = this.#commit(served);
    this.#compiled = compiled;
    change.commit();
    // As long as there are workers with either configuration, there is a log for their lines.
    const loggedBefore = this.accessLog;
    this.accessLog = accessLog ?? loggedBefore;
    this.#certificates?.close();
    this.#watchCertificates(certificates);
    const commitMs = await committed;
    this.accessLog = accessLog;
    if (loggedBefore !== accessLog) void loggedBefore?.close();
    this.#keySets.use(compiled.keySetUrls);
    this.#passwords.use(compiled.checksPasswords);
    this.#logChanged(change);
    return { ...preparation, commitMs };
  }

  /** Rejects also where there is not enough memory for what it wants to count. */
  async #planAndPrepare(compiled: CompiledConfig, tls: TlsMaterial, change: ListenerChange) {
    const served = this.#plan(compiled, tls, change.all);
    return { served, preparation: await this.#prepare(served.plan) };
  }

  /** All workers have it ready, or none has and it rejects. Between this and `#commit` nothing may be waited for. */
  async #prepare(plan: WorkerPlan): Promise<Preparation> {
    const answers: (PreparedMessage | null)[] = [];
    const behind = () => this.#slots.filter((slot) => !slot.isPreparedFor(plan));
    try {
      // A worker that is born meanwhile is born with what is served, and makes it ready too.
      for (let slots = behind(); slots.length > 0; slots = behind()) {
        answers.push(...(await Promise.all(slots.map((slot) => slot.prepare(plan)))));
        this.#requireRunning();
        await Promise.all(slots.map((slot) => slot.open(plan)));
        this.#requireRunning();
      }
    } catch (error) {
      // The addresses are free again before the next change binds them.
      await Promise.all(this.#slots.map((slot) => slot.discard()));
      // It is why it was given up, whatever that has led to.
      this.#requireRunning();
      throw error;
    }
    return preparationOf(answers.filter((answer) => answer !== null));
  }

  #requireRunning(): void {
    if (this.#stopping) throw new Error('the gateway is stopping');
  }

  /** Every worker goes over to it, and those that are born from now on begin with it. Resolves with how long the slowest took, in ms. */
  async #commit(served: Served): Promise<number> {
    const took = Promise.all(this.#slots.map((slot) => slot.commit(served.plan)));
    this.#serves(served);
    return largest(await took);
  }

  #logChanged(change: ListenerChange): void {
    for (const { binding, secure } of change.opened) {
      this.log.info('listening', { address: formatAddress(binding.address), scheme: secure ? 'https' : 'http' });
    }
    for (const { binding } of change.closed) {
      this.log.info('listener-closed', { address: formatAddress(binding.address) });
    }
  }

  /** Several changes that come at once are one. */
  #namesChanged(): void {
    if (this.#namesWait || this.#served === null) return;
    this.#namesWait = true;
    void this.#serialQueue.run(() => this.#applyNames());
  }

  /** The same configuration, with the servers that its names stand for now. */
  async #applyNames(): Promise<void> {
    this.#namesWait = false;
    const before = this.#served;
    if (before === null || this.#stopping) return;
    const { backends } = expandNames(this.#compiled.config.backends, this.#names);
    const changes = findEndpointChanges(backendsOf(before), backends);
    if (changes === null) return;
    const served = this.#plan(this.#compiled, before.tls, before.plan.listeners);
    try {
      await this.#prepare(served.plan);
      await this.#commit(served);
      this.log.info('upstreams-changed', changes);
    } catch (error) {
      this.log.error('upstreams-kept', { ...changes, reason: (error as Error).message });
      setTimeout(() => this.#namesChanged(), RETRY_NAMES_MS).unref();
    }
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
    this.#stop();
    this.#names.close();
    this.log.info('draining', { timeoutMs });
    const finished = Promise.all(this.#slots.map((slot) => slot.drain()));
    if (!(await isOverWithin(timeoutMs, finished))) this.log.warn('drain-timeout', { timeoutMs });
    await this.close();
  }

  /** Ends every connection, for a process that is about to end itself. */
  async cut(): Promise<void> {
    this.#stop();
    await Promise.all(this.#slots.map((slot) => slot.cut()));
  }

  /** What is being made ready is given up. */
  #stop(): void {
    this.#stopping = true;
    for (const slot of this.#slots) void slot.discard();
  }

  /** Ends every worker now and gives the addresses back. A thread that does not end within `worker_timeout` is not waited for. */
  async close(): Promise<void> {
    this.#stop();
    this.#watch.close();
    this.#keySets.close();
    this.#passwords.close();
    this.#certificates?.close();
    this.#health?.close();
    // Certificates that are being read right now must not start the checks again.
    this.#health = null;
    this.#names.close();
    await this.#endWorkers();
    await this.accessLog?.close();
    this.#listeners.close();
  }

  async #endWorkers(): Promise<void> {
    const ended = Promise.all(this.#slots.map((slot) => slot.close()));
    if (await isOverWithin(this.#compiled.config.server.workerTimeoutMs, ended)) return;
    this.#logNotEnded([...this.#slots.keys()].filter((row) => this.#slots[row]?.worker !== null));
  }

  #logNotEnded(workers: readonly number[]): void {
    const reason = 'a thread is in a native call, which nothing but the end of the process ends';
    this.log.error('workers-not-ended', { workers, reason });
  }
}

/** That of the first listener for HTTPS that has one, which Unix sockets have not. */
function httpsPortOf(listeners: readonly PlannedListener[]): number | null {
  const first = listeners.find(({ binding, secure }) => secure && binding.address.path === null);
  return first?.binding.address.port ?? null;
}

/** The material of each upstream of the configuration, for the servers that have come of it. */
function spread({ server, upstreams }: TlsMaterial, origins: readonly number[]): TlsMaterial {
  return { server, upstreams: origins.map((origin) => upstreams[origin] ?? null) };
}

const backendsOf = ({ plan }: Served): readonly BackendConfig[] => plan.serving.compiled.config.backends;

function preparationOf(answers: readonly PreparedMessage[]): Preparation {
  return {
    prepareMs: largest(answers.map(({ tookMs }) => tookMs)),
    moduleBytes: answers.reduce((sum, { moduleBytes }) => sum + moduleBytes, 0),
  };
}

const largest = (values: readonly number[]): number => Math.max(0, ...values);

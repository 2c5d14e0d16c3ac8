import { thrownText } from '../base/thrown-text.ts';
import { isOverWithin } from '../base/within.ts';
import type { TlsMaterial } from '../messages/to-worker.ts';
import { formatAddress, type OpenAddress } from '../net/binding.ts';
import { chooseTransport } from '../net/choose-transport.ts';
import type { CompiledConfig } from '../pipeline/compiled-config.ts';
import { BLOCK_COUNT } from '../telemetry/access-blocks.ts';
import { ServedAccessLog } from './access-log.ts';
import { ServedCertificates } from './certificates.ts';
import type { Change } from './change.ts';
import { findEndpointChanges } from './endpoint-changes.ts';
import type { EventLog } from './event-log.ts';
import { HealthChecker } from './health/health-checker.ts';
import { KeySetFetcher } from './key-set-fetcher.ts';
import { type ListenerChange, Listeners, type PlannedListener } from './listeners.ts';
import { NameLookup, systemSources } from './names/name-lookup.ts';
import { UpstreamNames } from './names/upstream-names.ts';
import { checksWithin, readOpenFileLimit } from './open-file-limit.ts';
import { PasswordQueue } from './password-queue.ts';
import { SerialQueue } from './serial-queue.ts';
import { runTransaction } from './transaction.ts';
import { plannedBackends, WorkerPlans, withTls } from './worker-plans.ts';
import { type Switch, Workers } from './workers.ts';

/** How long a start or a reload waits for names that have never been resolved. */
const FIRST_ANSWERS_MS = 2000;
/** When workers could not go over to the new addresses of names, the next attempt follows after this time. */
const RETRY_NAMES_MS = 1000;

/**
 * The control thread's main object: it starts the gateway, changes what is served, and ends it. Each part of a change is a `Change` that the
 * file of that part makes, and `runTransaction` makes all of them or none.
 *
 *   new --start()--> serving --drain()--> draining --last connection gone, or shutdown_timeout--> closed
 *    \            apply() |_|               \                                                      ^
 *     \________________________________________\__________________close()_________________________/
 */
export class Supervisor {
  readonly #first: CompiledConfig;
  readonly #log: EventLog;
  /** Changes do not overlap: each one begins when the ones before it are over. */
  readonly #queue = new SerialQueue();
  /** Aborted when the gateway ends: from then on nothing changes. */
  readonly #stopping = new AbortController();
  readonly #listeners = new Listeners();
  readonly #certificates: ServedCertificates;
  readonly #accessLog: ServedAccessLog;
  readonly #names: UpstreamNames;
  readonly #keySets: KeySetFetcher;
  readonly #passwords: PasswordQueue;
  readonly #plans: WorkerPlans;
  readonly #workers: Workers;
  /** Null before the start and after the end. */
  #health: HealthChecker | null = null;
  /** A change of the names waits in the queue. */
  #namesWait = false;
  readonly #onFault = (fault: unknown) => this.#log.error('internal-error', { error: thrownText(fault) });

  /**
   * `onLost` is called when a worker is stuck in a thread that cannot be ended: nothing but the end of the process frees its row, and the
   * connections that it has.
   */
  constructor(compiled: CompiledConfig, log: EventLog, onLost: () => void = () => undefined) {
    const { resolver, server } = compiled.config;
    this.#first = compiled;
    this.#log = log;
    this.#certificates = new ServedCertificates({ log, queue: this.#queue, use: (tls) => this.#useTls(tls) });
    this.#accessLog = new ServedAccessLog(log, server.workers * BLOCK_COUNT);
    this.#names = new UpstreamNames(new NameLookup(systemSources(resolver)), log, () => this.#namesChanged());
    this.#keySets = new KeySetFetcher(log, (keySet) => this.#workers.useKeySet(keySet));
    this.#passwords = new PasswordQueue(log, (row, answer) => this.#workers.answerPassword(row, answer));
    this.#plans = new WorkerPlans(server.workers, this.#names, log, (upstreams) => this.#health?.use(upstreams));
    this.#workers = new Workers(server.workers, {
      log,
      shared: this.#plans.shared,
      accessLog: this.#accessLog,
      keySets: this.#keySets,
      passwords: this.#passwords,
      clearRow: (row) => this.#plans.clearRow(row),
      timeoutMs: () => this.compiled.config.server.workerTimeoutMs,
      stopping: this.#stopping.signal,
      onLost,
    });
  }

  /** The configuration that is served; before the start, the one that is to be served. */
  get compiled(): CompiledConfig {
    return this.#plans.current?.compiled ?? this.#first;
  }

  /**
   * Resolves with the open addresses when every worker serves on all of them. Rejects, with nothing left open, when an
   * address cannot be bound (BindError) or a worker cannot start.
   */
  start(): Promise<readonly OpenAddress[]> {
    // A configuration that comes during the start is served after it.
    return this.#queue.run(() => this.#start());
  }

  async #start(): Promise<readonly OpenAddress[]> {
    const transport = chooseTransport(process.env['PHOTON_TRANSPORT']);
    this.#health = new HealthChecker({ transport, log: this.#log, maxChecks: checksWithin(readOpenFileLimit()) });
    try {
      await this.#startWith(this.#first);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#namesChanged();
    const { open } = this.#listeners;
    for (const listener of open)
      this.#logListening(listener, { workers: this.#workers.count, transport: transport.name });
    return open.map(({ binding }) => binding.address);
  }

  async #startWith(compiled: CompiledConfig): Promise<void> {
    const { config, keySetUrls, checksPasswords } = compiled;
    const certificates = this.#certificates.change(config);
    const listeners = this.#listeners.change(config.server);
    const [keySets, passwords] = [this.#keySets.change(keySetUrls), this.#passwords.change(checksPasswords)];
    await this.#run([certificates, listeners, this.#accessLog.change(config.accessLog), keySets, passwords]);
    const names = this.#names.change(config, FIRST_ANSWERS_MS);
    const { material } = certificates.prepared;
    const plan = this.#plans.change(() => this.#plans.make(compiled, material, listeners.prepared.all));
    // The keys are fetched while the names are resolved.
    await this.#run([names, plan]);
    await this.#workers.start(plan.prepared.plan);
  }

  /**
   * Serves another configuration from now on. All workers have it ready before the first one goes over to it. Rejects if it cannot be served, and
   * then everything stays as it was. The number of workers does not change.
   */
  apply(compiled: CompiledConfig): Promise<Switch> {
    return this.#queue.run(() => this.#apply(compiled));
  }

  async #apply(compiled: CompiledConfig): Promise<Switch> {
    const { config, keySetUrls, checksPasswords } = compiled;
    const certificates = this.#certificates.change(config);
    const listeners = this.#listeners.change(config.server);
    const make = () => this.#plans.make(compiled, certificates.prepared.material, listeners.prepared.all);
    const plan = this.#plans.change(make);
    const workers = this.#workers.change(() => plan.prepared.plan);
    await this.#run([
      this.#names.change(config, FIRST_ANSWERS_MS),
      certificates,
      this.#accessLog.change(config.accessLog),
      listeners,
      this.#keySets.change(keySetUrls),
      this.#passwords.change(checksPasswords),
      plan,
      // Last, since a worker that is born while another part is prepared would not be ready.
      workers,
    ]);
    this.#logListeners(listeners.prepared);
    return workers.prepared.took;
  }

  /** Makes all of these changes, or none of them. If the gateway stops before they are committed, it makes none. */
  #run(changes: readonly Change[]): Promise<void> {
    return runTransaction(changes, { stopping: this.#stopping.signal, onFault: this.#onFault });
  }

  #logListeners({ opened, closed }: ListenerChange): void {
    for (const listener of opened) this.#logListening(listener);
    for (const { binding } of closed) {
      this.#log.info('listener-closed', { address: formatAddress(binding.address) });
    }
  }

  #logListening({ binding, secure }: PlannedListener, more: object = {}): void {
    const address = formatAddress(binding.address);
    this.#log.info('listening', { address, scheme: secure ? 'https' : 'http', ...more });
  }

  /** Names that change at the same time lead to one change of the workers. */
  #namesChanged(): void {
    if (this.#namesWait || this.#plans.current === null) return;
    this.#namesWait = true;
    void this.#queue.run(() => this.#applyNames());
  }

  /** Serves the same configuration with the addresses that its names have now. */
  async #applyNames(): Promise<void> {
    this.#namesWait = false;
    const before = this.#plans.current;
    if (before === null || this.#stopping.signal.aborted) return;
    const changes = findEndpointChanges(plannedBackends(before), this.#plans.backendsOf(before.compiled));
    if (changes === null) return;
    const {
      compiled,
      tls,
      plan: { listeners },
    } = before;
    const plan = this.#plans.change(() => this.#plans.make(compiled, tls, listeners));
    try {
      await this.#run([plan, this.#workers.change(() => plan.prepared.plan)]);
      this.#log.info('upstreams-changed', changes);
    } catch (error) {
      this.#log.error('upstreams-kept', { ...changes, reason: (error as Error).message });
      setTimeout(() => this.#namesChanged(), RETRY_NAMES_MS).unref();
    }
  }

  /**
   * Serves the same configuration with other certificates. Resolves with false if the gateway is stopping. Rejects if a worker cannot use them, and
   * then no worker does.
   */
  async #useTls(tls: TlsMaterial): Promise<boolean> {
    const before = this.#plans.current;
    if (before === null || this.#stopping.signal.aborted) return false;
    const plan = this.#plans.change(() => withTls(before, tls));
    const workers = this.#workers.tlsChange(() => plan.prepared.plan.serving.tls, before.plan.serving.tls);
    // If the gateway stops meanwhile, the connections that are left use them.
    await runTransaction([plan, workers], { onFault: this.#onFault });
    return true;
  }

  /** Opens the file of the access log again, because it was moved away. */
  reopenLogs(): void {
    this.#accessLog.reopen();
  }

  /** Accepts nothing new, lets the workers finish within `shutdown_timeout`, then ends what is left. */
  async drain(): Promise<void> {
    const timeoutMs = this.compiled.config.server.shutdownTimeoutMs;
    this.#stop();
    this.#names.close();
    this.#log.info('draining', { timeoutMs });
    if (!(await isOverWithin(timeoutMs, this.#workers.drain()))) this.#log.warn('drain-timeout', { timeoutMs });
    await this.close();
  }

  /** Ends every connection, for a process that is about to end itself. */
  async cut(): Promise<void> {
    this.#stop();
    await this.#workers.cut();
  }

  /** Gives up the change that is being prepared. */
  #stop(): void {
    this.#stopping.abort(new Error('the gateway is stopping'));
  }

  /** Ends every worker now and releases the addresses. A thread that does not end within `worker_timeout` is not waited for. */
  async close(): Promise<void> {
    this.#stop();
    this.#keySets.close();
    this.#passwords.close();
    this.#certificates.close();
    this.#health?.close();
    // A change that is being committed must not start the checks again.
    this.#health = null;
    this.#names.close();
    await this.#workers.close();
    await this.#accessLog.close();
    this.#listeners.close();
  }
}

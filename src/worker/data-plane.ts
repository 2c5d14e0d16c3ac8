import { type Clock, monotonicClock } from '../base/clock.ts';
import { PhotonError } from '../base/errors.ts';
import { RepeatedWarning } from '../base/repeated-warning.ts';
import { thrownText } from '../base/thrown-text.ts';
import { HttpDate } from '../http/date.ts';
import { RequestIdGenerator } from '../http/request-id.ts';
import { SharedCount, type SharedMemory } from '../memory/shared-memory.ts';
import type { FetchedKeySet, ListenerPlan, PasswordAnswer, ServingPlan, TlsMaterial } from '../messages/to-worker.ts';
import type { PasswordQuestion } from '../middleware/auth/basic/password-checks.ts';
import type { CustomChain } from '../middleware/custom/load-custom.ts';
import type { OpenAddress } from '../net/binding.ts';
import type { DownstreamConnection, DownstreamLimits, DownstreamService } from '../net/downstream-service.ts';
import { H1Downstream } from '../net/h1-downstream.ts';
import { IoContext } from '../net/io-context.ts';
import type { AcceptedSocket } from '../net/listener.ts';
import { ProxyHeaderReader } from '../net/proxy-header-reader.ts';
import type { RequestListener } from '../net/streams.ts';
import { TimerWheel } from '../net/timer-wheel.ts';
import { TlsServer } from '../net/tls-server.ts';
import type { Transport } from '../net/transport.ts';
import { AttemptPool } from '../pipeline/attempt-pool.ts';
import { Exchange, type PipelineServices } from '../pipeline/exchange.ts';
import type { FailedHook } from '../pipeline/failed-hook.ts';
import type { Generation } from '../pipeline/generation.ts';
import type { AccessSink } from '../telemetry/access-buffer.ts';
import { RateLimitCounts } from '../telemetry/rate-limit-counts.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { Endpoints } from '../wire/proxy-protocol/header.ts';
import { AccessRecorder } from './access-recorder.ts';
import { ListenerSet } from './listener-set.ts';
import { MAX_SAME_FAULTS, MiddlewareFaults } from './middleware-faults.ts';
import { type Platform, systemPlatform } from './platform.ts';
import { makeServing, type Serving, type WorkerContext } from './serving.ts';
import { WorkerKeySets } from './worker-key-sets.ts';
import { WorkerPasswords } from './worker-passwords.ts';

/** Where events of the data plane go. Not for what happens per request. */
export interface DataPlaneLog {
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
}

export interface DataPlaneOptions extends ServingPlan {
  readonly shared: SharedMemory;
  /** Our row of the shared memory. */
  readonly row: number;
  readonly log: DataPlaneLog;
  /** What the lines of the access log are written into, of `AccessBlocks.allocate`, and who hears of them. */
  readonly accessMemory: SharedArrayBuffer;
  readonly accessSink: AccessSink;
  /** Has the key set of a URL fetched; the answer is a call of `useKeySet`. */
  readonly wantKeySet: (url: string) => void;
  /** How many passwords wait, of `PasswordQueueState.allocate`. */
  readonly passwordQueue: SharedArrayBuffer;
  /** Has a password checked; the answer is a call of `answerPassword`. */
  readonly checkPassword: (question: PasswordQuestion) => void;
  /** The middleware of users that the plan has, made. */
  readonly custom?: CustomChain;
  /** A clock driven by hand: then time passes only when `tick` is called. */
  readonly clock?: Clock;
  /** As for `GatheredEvents`. */
  readonly eventsAlone?: number;
  /** What is not to be as the system has it. */
  readonly platform?: Partial<Platform>;
}

const NO_CUSTOM: CustomChain = new Map();

/** Connections above the limit that are told so; further ones are closed without a word. */
const MAX_REFUSALS = 200;

/** So many exchanges are kept for later requests: each keeps its table of fields. */
const MAX_FREE_EXCHANGES = 1024;

/** One worker's share of the gateway: listeners, connections, exchanges. */
export class DataPlane implements DownstreamService, PipelineServices {
  readonly #io: IoContext;
  readonly #transport: Transport;
  readonly #row: number;
  readonly #context: WorkerContext;
  #serving: Serving;
  /** What takes its place with the next commit. */
  #prepared: Serving | null = null;
  /** Those that no configuration names any more, and that may still be in use. */
  readonly #retired = new Set<Upstream>();
  readonly #connectionCount: SharedCount;
  readonly #allSockets: SharedCount;
  readonly #connections = new Set<DownstreamConnection>();
  readonly #listeners: ListenerSet;
  readonly #freeExchanges: Exchange[] = [];
  readonly attempts: AttemptPool = new AttemptPool();
  readonly #httpDate: HttpDate;
  readonly #headerFaults: RepeatedWarning;
  readonly #acceptFaults: RepeatedWarning;
  readonly #ownFaults: RepeatedWarning;
  readonly #middlewareFaults: MiddlewareFaults;
  readonly #accessRecorder: AccessRecorder;
  readonly #keySets: WorkerKeySets;
  readonly #passwords: WorkerPasswords;
  readonly #ticking: NodeJS.Timeout | null;
  #drained: PromiseWithResolvers<void> | null = null;

  generation: Generation;
  readonly requestIds: RequestIdGenerator;
  readonly random: () => number;
  readonly rateLimitCounts: RateLimitCounts = new RateLimitCounts();
  draining = false;
  /** Exchanges under way. */
  activeExchanges = 0;

  constructor(options: DataPlaneOptions) {
    const { shared, row, log, accessMemory, accessSink, custom = NO_CUSTOM, clock = monotonicClock } = options;
    const platform = { ...systemPlatform(), ...options.platform };
    const { transport, random, contentCodings, wakeUps, afterEvents } = platform;
    this.random = random;
    this.requestIds = new RequestIdGenerator(platform.randomBytes);
    this.#httpDate = new HttpDate(platform.unixMs);
    this.#io = new IoContext(clock, (error) => this.fault(error), {
      eventsAlone: options.eventsAlone,
      afterEvents,
      wakeUps,
    });
    this.#headerFaults = new RepeatedWarning(this.#io.wheel, (fields) => log.warn('proxy-header-missing', fields));
    this.#acceptFaults = new RepeatedWarning(this.#io.wheel, (fields) => log.error('accept-failed', fields));
    this.#ownFaults = new RepeatedWarning(
      this.#io.wheel,
      (fields) => log.error('internal-error', fields),
      MAX_SAME_FAULTS,
    );
    this.#middlewareFaults = new MiddlewareFaults(this.#io.wheel, log);
    this.#accessRecorder = new AccessRecorder(clock, platform, accessMemory, accessSink);
    this.#transport = transport;
    this.#connectionCount = SharedCount.connections(shared, row);
    this.#allSockets = SharedCount.sockets(shared, row);
    this.#row = row;
    this.#listeners = new ListenerSet({
      transport,
      afterEvents,
      accept: (socket, secure) => this.#accept(socket, secure),
      acceptFailed: (error) => this.#acceptFailed(error),
    });
    this.#keySets = new WorkerKeySets(() => this.#io.eventMs, options.wantKeySet);
    this.#passwords = new WorkerPasswords(() => this.#io.eventMs, options.passwordQueue, options.checkPassword);
    this.#context = {
      io: this.#io,
      transport,
      log,
      allSockets: this.#allSockets,
      random,
      outOfDescriptors: (upstream) => this.#freeDescriptors(upstream),
      middleware: {
        nowMs: () => this.#io.eventMs,
        unixMs: () => this.#accessRecorder.epochMs + this.#io.eventMs,
        keySets: this.#keySets,
        passwords: this.#passwords,
        log,
        contentCodings,
        rateLimitCounts: this.rateLimitCounts,
      },
    };
    this.#serving = makeServing(options, row, this.#context, null, custom);
    this.generation = this.#serving.generation;
    this.#activateBackends();
    this.#ticking = options.clock === undefined ? setInterval(() => this.tick(), TimerWheel.tickMs).unref() : null;
  }

  /** Name of the transport in use. */
  get transport(): string {
    return this.#transport.name;
  }

  get wheel(): TimerWheel {
    return this.#io.wheel;
  }

  get date(): string {
    return this.#httpDate.text;
  }

  get nowMs(): number {
    return this.#io.eventMs;
  }

  get limits(): DownstreamLimits {
    return this.generation.limits;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Opens a listener, which serves at once. Rejects with an Error when that cannot be done. */
  async listen(listener: ListenerPlan): Promise<OpenAddress> {
    requireCertificate([listener], this.#serving);
    return this.#listeners.add(listener);
  }

  /** Opens the listeners of the first configuration. Rejects with an Error when that cannot be done. */
  async listenOn(listeners: readonly ListenerPlan[]): Promise<void> {
    this.bindListeners(listeners);
    await this.openListeners();
    await this.#listeners.commit();
  }

  #acceptFailed(error: Error): void {
    this.#freeDescriptors();
    this.#acceptFaults.warn({ error: error.message });
  }

  /** What is open only in case that it may be of use is closed when there is not enough for what is needed now. */
  #freeDescriptors(spared: Upstream | null = null): void {
    for (const upstream of this.#upstreams()) if (upstream !== spared) upstream.closeIdle();
  }

  #accept(accepted: AcceptedSocket, secure: boolean): void {
    const { tls: server, maxConnections } = this.#serving;
    const tls = secure ? server : null;
    const open = this.#connectionCount.total;
    if (open >= maxConnections + MAX_REFUSALS || (secure && tls === null)) {
      accepted.destroy();
      return;
    }
    this.#connectionCount.add(1);
    this.#allSockets.add(1);
    const full = open >= maxConnections;
    const { proxyProtocol, trustedProxies } = this.generation;
    if (proxyProtocol && trustedProxies.includes(accepted.remoteAddress ?? '')) this.#readHeader(accepted, tls, full);
    else this.#serve(accepted, tls, full, null);
  }

  /** The peer is a trusted proxy, which says with a PROXY header whose connection this is. */
  #readHeader(accepted: AcceptedSocket, tls: TlsServer | null, full: boolean): void {
    const peer = accepted.remoteAddress;
    const reader = new ProxyHeaderReader(this.#io, accepted, {
      headerRead: ({ endpoints }) => {
        this.#connections.delete(reader);
        this.#serve(accepted, tls, full, endpoints);
      },
      headerMissing: (wanted) => {
        if (wanted !== null) this.#headerFaults.warn({ peer, wanted });
        this.connectionClosed(reader);
      },
    });
    this.#connections.add(reader);
    reader.start(this.limits.connectionTimeoutMs);
    if (this.draining) reader.drain();
  }

  #serve(accepted: AcceptedSocket, tls: TlsServer | null, full: boolean, announced: Endpoints | null): void {
    const downstream = new H1Downstream(this.#io, this, tls === null ? 'http' : 'https');
    this.#connections.add(downstream);
    downstream.open(this.#transport.adopt(this.#io, accepted, downstream, tls), announced);
    if (!full) return;
    downstream.refuse(new PhotonError('gateway_full', 'The gateway has as many connections as it may.'));
    this.#io.settle();
  }

  connectionClosed(connection: DownstreamConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#connectionCount.add(-1);
    this.#allSockets.add(-1);
    if (this.#connections.size === 0) this.#drained?.resolve();
  }

  takeListener(): RequestListener {
    this.activeExchanges++;
    return this.#freeExchanges.pop() ?? new Exchange(this, this.generation.maxHeaders);
  }

  returnListener(listener: RequestListener): void {
    // Sound: every listener is one that `takeListener` gave out.
    this.#reuse(listener as Exchange);
  }

  exchangeFinished(exchange: Exchange, error: PhotonError | null): void {
    if (exchange.generation?.recordsTimings) this.#accessRecorder.finished(exchange, error, this.#io.eventMs);
    this.#reuse(exchange);
  }

  #reuse(exchange: Exchange): void {
    this.activeExchanges--;
    exchange.clear();
    const isUseful = exchange.maxHeaders === this.generation.maxHeaders;
    if (isUseful && this.#freeExchanges.length < MAX_FREE_EXCHANGES) this.#freeExchanges.push(exchange);
  }

  /** Hands over the lines of the access log that wait. */
  flushAccessLog(): void {
    this.#accessRecorder.flush();
  }

  fault(error: unknown): void {
    this.#ownFaults.warn({ error: thrownText(error) });
  }

  middlewareFailed(hook: FailedHook, error: unknown): void {
    this.#middlewareFaults.log(hook, error);
  }

  settle(): void {
    this.#io.settle();
  }

  /** Runs out timers that are due. Called by an interval, or by whoever drives the clock. */
  tick(): void {
    this.#io.tick();
    this.#accessRecorder.tick();
  }

  /** Uses new certificates and keys for connections that begin from now on. Throws an Error when OpenSSL cannot use them. */
  useTls({ server, upstreams }: TlsMaterial): void {
    this.#serving.tls = server === null ? null : new TlsServer(server);
    for (const [index, upstream] of this.#upstreams().entries()) upstream.useTls(upstreams[index] ?? null);
  }

  /** The keys that an issuer publishes at a URL are these; null: there are none yet. */
  useKeySet(keySet: FetchedKeySet): void {
    this.#keySets.use(keySet);
  }

  /** What has become of a question of ours. */
  answerPassword(answer: PasswordAnswer): void {
    this.#passwords.answer(answer);
  }

  /** In the order of the configuration. */
  #upstreams(): readonly Upstream[] {
    return this.#serving.backends.flatMap(({ upstreams }) => upstreams);
  }

  // --- changing the configuration --------------------------------------------------------------------------------------

  /**
   * Makes another configuration ready; `custom` is its middleware of users. Throws an Error when it cannot be served. Until `commit` nothing
   * changes, save that addresses are bound and opened.
   */
  prepare(plan: ServingPlan, custom: CustomChain = NO_CUSTOM): void {
    this.#prepared = makeServing(plan, this.#row, this.#context, this.#serving, custom);
  }

  /**
   * Binds what is new among the listeners of the configuration that was prepared, which are all that serve after the commit. Returns how
   * many are new. Throws an Error when that cannot be done.
   */
  bindListeners(listeners: readonly ListenerPlan[]): number {
    requireCertificate(listeners, this.#prepared ?? this.#serving);
    return this.#listeners.bind(listeners);
  }

  /** Opens what was bound; who connects there waits for the commit. Rejects with an Error when that cannot be done. */
  openListeners(): Promise<void> {
    return this.#listeners.open();
  }

  /** Gives up what was prepared, and closes what was opened for it. */
  discard(): void {
    this.#prepared = null;
    this.#listeners.discard();
  }

  /**
   * Serves what begins from now on by what was prepared. Requests under way end as they began; connections of upstreams that are
   * gone are closed as their requests end.
   */
  commit(): Promise<void> {
    const next = this.#prepared;
    if (next === null) throw new Error('there is nothing to commit');
    const before = this.#upstreams();
    this.#prepared = null;
    this.#serving = next;
    this.generation = next.generation;
    if (this.#freeExchanges[0]?.maxHeaders !== next.generation.maxHeaders) this.#freeExchanges.length = 0;
    const kept = new Set(this.#upstreams());
    for (const upstream of this.#retired) if (!upstream.inUse) this.#retired.delete(upstream);
    for (const upstream of before) if (!kept.has(upstream)) this.#retire(upstream);
    this.#activateBackends();
    const settled = this.#listeners.commit();
    this.#io.settle();
    return settled;
  }

  #activateBackends(): void {
    for (const backend of this.#serving.backends) backend.activate();
  }

  #retire(upstream: Upstream): void {
    upstream.retire();
    this.#retired.add(upstream);
  }

  /**
   * Accepts nothing more but what is in the backlog, lets what is under way finish, and resolves when the last connection is gone. A
   * connection without a request under way is given a moment: what a client has sent before this is answered.
   */
  async drain(): Promise<void> {
    this.draining = true;
    for (const connection of this.#connections) connection.drain();
    this.#io.settle();
    await this.#listeners.retire();
    await this.#lastConnection();
    this.close();
  }

  /** Ends everything at once, and resolves when the last connection is closed. A reply that is cut does not look whole. */
  async cut(): Promise<void> {
    this.close();
    await this.#lastConnection();
  }

  async #lastConnection(): Promise<void> {
    this.#drained ??= Promise.withResolvers<void>();
    if (this.#connections.size === 0) this.#drained.resolve();
    await this.#drained.promise;
  }

  /** Ends everything at once. */
  close(): void {
    if (this.#ticking !== null) clearInterval(this.#ticking);
    this.#listeners.close();
    for (const connection of this.#connections) connection.close();
    for (const upstream of [...this.#upstreams(), ...this.#retired]) upstream.close();
    this.flushAccessLog();
  }
}

function requireCertificate(listeners: readonly ListenerPlan[], { tls }: Serving): void {
  if (tls === null && listeners.some(({ secure }) => secure)) {
    throw new Error('Cannot listen for HTTPS without a certificate');
  }
}

import { type Clock, monotonicClock } from '../base/clock.ts';
import { PhotonError } from '../base/errors.ts';
import { RepeatedWarning } from '../base/repeated-warning.ts';
import type { Config } from '../config/config.ts';
import { HttpDate } from '../http/date.ts';
import { RequestIdGenerator } from '../http/request-id.ts';
import { SharedCount, type SharedMemory } from '../memory/shared-memory.ts';
import type { TlsMaterial } from '../messages/to-worker.ts';
import type { ListenSource, OpenAddress } from '../net/binding.ts';
import { chooseTransport } from '../net/choose-transport.ts';
import type { DownstreamConnection, DownstreamLimits, DownstreamService } from '../net/downstream-service.ts';
import { H1Downstream } from '../net/h1-downstream.ts';
import { IoContext } from '../net/io-context.ts';
import { type AcceptedSocket, type Listener, openListener } from '../net/listener.ts';
import { ProxyHeaderReader } from '../net/proxy-header-reader.ts';
import type { RequestListener } from '../net/streams.ts';
import { TimerWheel } from '../net/timer-wheel.ts';
import { TlsServer } from '../net/tls-server.ts';
import type { Transport } from '../net/transport.ts';
import { buildGeneration } from '../pipeline/build-generation.ts';
import { Exchange, type PipelineServices } from '../pipeline/exchange.ts';
import type { Generation } from '../pipeline/generation.ts';
import type { RouterTables } from '../routing/router-tables.ts';
import type { AccessSink } from '../telemetry/access-buffer.ts';
import type { Backend } from '../upstream/backend.ts';
import type { Endpoints } from '../wire/proxy-protocol/header.ts';
import { AccessRecorder } from './access-recorder.ts';

/** Where events of the data plane go. Not for what happens per request. */
export interface DataPlaneLog {
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
}

export interface DataPlaneOptions {
  readonly config: Config;
  readonly routerTables: RouterTables;
  readonly shared: SharedMemory;
  /** Our row of the shared memory. */
  readonly row: number;
  readonly tls: TlsMaterial;
  /** The port of the first listener for HTTPS; null without one. */
  readonly httpsPort: number | null;
  /** Sockets of clients and upstreams, over all workers; null for no limit. */
  readonly maxSockets: number | null;
  readonly log: DataPlaneLog;
  /** What the lines of the access log are written into, of `AccessBlocks.allocate`, and who hears of them. */
  readonly accessMemory: SharedArrayBuffer;
  readonly accessSink: AccessSink;
  /** A clock driven by hand: then time passes only when `tick` is called. */
  readonly clock?: Clock;
}

/** Connections above the limit that are told so; further ones are closed without a word. */
const MAX_REFUSALS = 200;

/** One worker's share of the gateway: listeners, connections, exchanges. */
export class DataPlane implements DownstreamService, PipelineServices {
  readonly #log: DataPlaneLog;
  readonly #io: IoContext;
  readonly #transport: Transport;
  #tls: TlsServer | null;
  readonly #maxConnections: number;
  readonly #connectionCount: SharedCount;
  readonly #allSockets: SharedCount;
  readonly #connections = new Set<DownstreamConnection>();
  readonly #listeners = new Set<Listener>();
  readonly #backends: readonly Backend[];
  readonly #freeExchanges: Exchange[] = [];
  readonly #httpDate = new HttpDate();
  readonly #headerFaults: RepeatedWarning;
  readonly #acceptFaults: RepeatedWarning;
  readonly #accessRecorder: AccessRecorder;
  readonly #ticking: NodeJS.Timeout | null;
  #drained: PromiseWithResolvers<void> | null = null;

  readonly generation: Generation;
  readonly requestIds: RequestIdGenerator = new RequestIdGenerator();
  draining = false;
  /** Exchanges under way. */
  activeExchanges = 0;

  constructor(options: DataPlaneOptions) {
    const { config, shared, row, tls, log, accessMemory, accessSink, clock = monotonicClock } = options;
    this.#log = log;
    this.#io = new IoContext(clock, (error) => this.fault(error));
    this.#headerFaults = new RepeatedWarning(this.#io.wheel, (fields) => log.warn('proxy-header-missing', fields));
    this.#acceptFaults = new RepeatedWarning(this.#io.wheel, (fields) => log.error('accept-failed', fields));
    this.#accessRecorder = new AccessRecorder(clock, accessMemory, accessSink);
    this.#transport = chooseTransport(process.env['PHOTON_TRANSPORT']);
    this.#tls = tls.server === null ? null : new TlsServer(tls.server);
    this.#maxConnections = config.server.maxConnections;
    this.#connectionCount = SharedCount.connections(shared, row);
    this.#allSockets = SharedCount.sockets(shared, row);
    const built = buildGeneration(options, {
      io: this.#io,
      transport: this.#transport,
      maxHeadBytes: config.server.maxHeaderBytes,
      log,
      allSockets: this.#allSockets,
      maxSockets: options.maxSockets ?? Number.POSITIVE_INFINITY,
      outOfDescriptors: () => this.#giveDescriptorsBack(),
    });
    this.generation = built.generation;
    this.#backends = built.backends;
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

  /** Opens a listener, `secure` for HTTPS. Rejects with the system's error when that cannot be done. */
  async listen(source: ListenSource, secure = false): Promise<OpenAddress> {
    if (secure && this.#tls === null) throw new Error('Cannot listen for HTTPS without a certificate');
    const listener = await openListener(this.#transport, source, (accepted) =>
      this.#accept(accepted, secure ? this.#tls : null),
    );
    listener.onFailure((error) => this.#acceptFailed(error));
    this.#listeners.add(listener);
    return listener.address;
  }

  #acceptFailed(error: Error): void {
    this.#giveDescriptorsBack();
    this.#acceptFaults.warn({ error: error.message });
  }

  /** What is open only in case that it may be of use is closed when there is not enough for what is needed now. */
  #giveDescriptorsBack(): void {
    for (const { upstreams } of this.#backends) for (const upstream of upstreams) upstream.closeIdle();
  }

  #accept(accepted: AcceptedSocket, tls: TlsServer | null): void {
    const open = this.#connectionCount.total;
    if (open >= this.#maxConnections + MAX_REFUSALS) {
      accepted.destroy();
      return;
    }
    this.#connectionCount.add(1);
    this.#allSockets.add(1);
    const full = open >= this.#maxConnections;
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
    if (exchange.generation?.timed) this.#accessRecorder.finished(exchange, error, this.#io.eventMs);
    this.#reuse(exchange);
  }

  #reuse(exchange: Exchange): void {
    this.activeExchanges--;
    exchange.clear();
    this.#freeExchanges.push(exchange);
  }

  /** Hands over the lines of the access log that wait. */
  flushAccessLog(): void {
    this.#accessRecorder.flush();
  }

  fault(error: unknown): void {
    this.#log.error('internal-error', {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  /** Runs out timers that are due. Called by an interval, or by whoever drives the clock. */
  tick(): void {
    this.#io.tick();
    this.#accessRecorder.tick();
  }

  /** Uses new certificates and keys for connections that begin from now on. Throws an Error when OpenSSL cannot use them. */
  useTls({ server, upstreams }: TlsMaterial): void {
    const material = this.#backends
      .flatMap((backend) => backend.upstreams)
      .map((upstream, index) => ({ upstream, tls: upstreams[index] ?? null }));
    this.#tls = server === null ? null : new TlsServer(server);
    for (const { upstream, tls } of material) upstream.useTls(tls);
  }

  /** Accepts nothing more, lets what is under way finish, and resolves when the last connection is gone. */
  async drain(): Promise<void> {
    this.draining = true;
    this.#drained ??= Promise.withResolvers<void>();
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) connection.drain();
    this.#io.settle();
    if (this.#connections.size === 0) this.#drained.resolve();
    await this.#drained.promise;
    this.close();
  }

  /** Ends everything at once. */
  close(): void {
    if (this.#ticking !== null) clearInterval(this.#ticking);
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    for (const connection of this.#connections) connection.close();
    for (const backend of this.#backends) backend.close();
    this.flushAccessLog();
  }
}

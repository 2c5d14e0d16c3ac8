import { isDeepStrictEqual } from 'node:util';
import type { PhotonError } from '../base/errors.ts';
import { RepeatedWarning } from '../base/repeated-warning.ts';
import type { UpstreamConfig } from '../config/config.ts';
import { BreakerState } from '../memory/breaker-state.ts';
import { UpstreamState } from '../memory/upstream-state.ts';
import type { ConnectTarget } from '../net/connection.ts';
import { H1UpstreamConnection } from '../net/h1-upstream-connection.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from '../net/streams.ts';
import { TlsClient, type TlsClientMaterial } from '../net/tls-client.ts';
import type { Transport } from '../net/transport.ts';
import type { UpstreamConnection, UpstreamConnectionOwner, UpstreamLimits } from '../net/upstream-connection.ts';
import { encodeProxyHeader } from '../wire/proxy-protocol/encode-header.ts';
import type { Candidate } from './balancing/balancer.ts';
import { type CircuitBreaker, CLAIM_LOST, type Guarded, NO_CLAIM } from './circuit-breaker.ts';
import type { ConnectionLimiter, UpstreamPlace } from './connection-limiter.ts';
import { ConnectionPool, type PoolContext, type PooledUpstream } from './connection-pool.ts';

/** Shorter than the 60 to 75 s after which common servers close an idle connection, so that Photon closes it first. */
const IDLE_TIMEOUT_MS = 55_000;

/** The context of the upstreams of one worker. */
export interface UpstreamContext extends PoolContext {
  readonly transport: Transport;
  /** Largest head of a reply, in bytes. */
  readonly maxHeadBytes: number;
  readonly log: { info(event: string, fields: object): void; warn(event: string, fields: object): void };
  /** Chance, from 0 to below 1. */
  readonly random: () => number;
  /**
   * A connection could not be opened because there are no descriptors left for it. Connections in the pool of `upstream` itself have been
   * released since, and serve its next request.
   */
  outOfDescriptors(upstream: Upstream): void;
}

/** One server of a backend, as one worker has it: what is known of it, and a pool of connections to it. */
export class Upstream implements PooledUpstream, Candidate, Guarded {
  readonly config: UpstreamConfig;
  readonly key: string;
  readonly weight: number;
  readonly limits: UpstreamLimits;
  readonly #context: UpstreamContext;
  #target: ConnectTarget;
  #tls: TlsClientMaterial | null;
  readonly #pool: ConnectionPool;
  readonly state: UpstreamState;
  readonly breaker: BreakerState;
  /** The probe of its breaker that a pick has claimed, until an attempt begins. */
  #claim = NO_CLAIM;
  /** An upstream whose TLS fails does so for every request. */
  readonly #tlsFailures: RepeatedWarning;

  /**
   * `tls`: how to speak TLS, null for not at all. `before`: the same server as the configuration before had it, null for none. Throws an
   * Error when OpenSSL cannot use it.
   */
  constructor(
    config: UpstreamConfig,
    context: UpstreamContext,
    place: UpstreamPlace,
    tls: TlsClientMaterial | null = null,
    before: Upstream | null = null,
  ) {
    this.config = config;
    this.key = config.key;
    this.weight = config.weight;
    this.#context = context;
    const { slot, row } = place;
    const { io, log } = context;
    this.state = new UpstreamState(slot);
    this.breaker = new BreakerState(slot, row);
    this.#tlsFailures = new RepeatedWarning(io.wheel, (fields) => log.warn('upstream-tls-failed', fields));
    this.#target = {
      host: config.host,
      alternative: config.alternative,
      port: config.port,
      path: config.path,
      keepAlive: { enabled: config.tcpKeepalive.enabled, idleMs: config.tcpKeepalive.idleMs },
      tls: tls === null ? null : new TlsClient(tls),
    };
    this.#tls = tls;
    this.limits = {
      connectTimeoutMs: config.connectionTimeoutMs,
      readTimeoutMs: config.readTimeoutMs,
      writeTimeoutMs: config.writeTimeoutMs,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      maxHeadBytes: context.maxHeadBytes,
    };
    this.#pool = new ConnectionPool(this, context, place, before === null ? null : before.#pool);
  }

  /** Whether an upstream made of these would be the same: then this one, with its connections, takes its place. */
  isAs(config: UpstreamConfig, tls: TlsClientMaterial | null, { maxHeadBytes }: UpstreamContext): boolean {
    const same = isDeepStrictEqual(config, this.config) && isDeepStrictEqual(tls, this.#tls);
    return same && maxHeadBytes === this.limits.maxHeadBytes;
  }

  /**
   * Speaks TLS as `material` says on connections that begin from now on; null for none. Throws an Error when OpenSSL cannot use
   * it.
   */
  useTls(material: TlsClientMaterial | null): void {
    if (isDeepStrictEqual(material, this.#tls)) return;
    this.#target = { ...this.#target, tls: material === null ? null : new TlsClient(material) };
    this.#tls = material;
  }

  /** Bits of `STATUS`. */
  get status(): number {
    return this.state.status;
  }

  /**
   * Claims the probe of its breaker for the next attempt that begins here. Returns false if another worker has it; true also if the breaker
   * is closed by now.
   */
  claimProbe(breaker: CircuitBreaker): boolean {
    const claim = breaker.claim(this);
    if (claim === CLAIM_LOST) return false;
    this.#claim = claim;
    return true;
  }

  /** The claim of an attempt that begins here, if it is the probe. */
  takeClaim(): number {
    const claim = this.#claim;
    this.#claim = NO_CLAIM;
    return claim;
  }

  // --- its connections -------------------------------------------------------------------------------------------------

  /** Limits its sockets, busy and idle, over all workers. */
  get limiter(): ConnectionLimiter {
    return this.#pool.limiter;
  }

  /** Exchanges under way here, over all workers. */
  get inFlight(): number {
    return this.#pool.inFlight;
  }

  /** There are connections. */
  get inUse(): boolean {
    return this.#pool.inUse;
  }

  /** A connection here can carry another stream, or another one may be opened. */
  get hasCapacity(): boolean {
    return this.#pool.hasCapacity;
  }

  /** There is an idle connection here that is private to this client. */
  hasPrivate(peer: DownstreamPeer): boolean {
    return this.#pool.hasPrivate(peer);
  }

  /** A stream for one exchange of `peer`, as `ConnectionPool.acquire` gives it. */
  acquire(listener: ResponseListener, newConnection: boolean, peer: DownstreamPeer): UpstreamStream | null {
    return this.#pool.acquire(listener, newConnection, peer);
  }

  /** No configuration names it any more: each connection is closed when its exchange is over. */
  retire(): void {
    this.#pool.retire();
  }

  /** Closes the connections without an exchange. */
  closeIdle(): void {
    this.#pool.closeIdle();
  }

  /** Closes every connection. An exchange that uses one fails. */
  close(): void {
    this.#pool.close();
  }

  // --- as its pool uses it ---------------------------------------------------------------------------------------------

  /** A PROXY header speaks for all requests of its connection: none of another client may go there. */
  get singleUse(): boolean {
    return this.config.sendProxyProtocol !== null;
  }

  get maxConnections(): number | null {
    return this.config.maxConnections;
  }

  connect(pool: UpstreamConnectionOwner, peer: DownstreamPeer): UpstreamConnection {
    const { io, transport } = this.#context;
    const connection = new H1UpstreamConnection(io, pool);
    connection.open(transport.connect(io, this.#target, connection, this.#prefaceFor(peer)));
    return connection;
  }

  /** The bytes that a new connection begins with: the PROXY header about `peer`, if this upstream gets one. */
  #prefaceFor(peer: DownstreamPeer): string {
    const { sendProxyProtocol } = this.config;
    if (sendProxyProtocol === null) return '';
    return encodeProxyHeader(sendProxyProtocol, {
      sourceAddress: peer.address,
      sourcePort: peer.port,
      destinationAddress: peer.localAddress,
      destinationPort: peer.localPort,
    });
  }

  connectionFailed({ code, message }: PhotonError): void {
    if (code === 'upstream_tls_failed') this.#tlsFailures.warn({ upstream: this.key, reason: message });
    if (code === 'gateway_full') this.outOfDescriptors();
  }

  outOfDescriptors(): void {
    this.#context.outOfDescriptors(this);
  }
}

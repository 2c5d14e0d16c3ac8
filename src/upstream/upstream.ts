import { isDeepStrictEqual } from 'node:util';
import { PhotonError } from '../base/errors.ts';
import { RepeatedWarning } from '../base/repeated-warning.ts';
import type { UpstreamConfig } from '../config/config.ts';
import { BreakerState } from '../memory/breaker-state.ts';
import { SharedCount } from '../memory/shared-memory.ts';
import { UpstreamState } from '../memory/upstream-state.ts';
import type { ConnectTarget } from '../net/connection.ts';
import { H1Upstream, type UpstreamLimits, type UpstreamOwner } from '../net/h1-upstream.ts';
import type { IoContext } from '../net/io-context.ts';
import type { PrivateConnections } from '../net/private-connections.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from '../net/streams.ts';
import { TlsClient, type TlsClientMaterial } from '../net/tls-client.ts';
import type { Transport } from '../net/transport.ts';
import { encodeProxyHeader } from '../wire/proxy-protocol/encode-header.ts';
import type { Candidate } from './balancing/balancer.ts';
import { type CircuitBreaker, CLAIM_LOST, type Guarded, NO_CLAIM } from './circuit-breaker.ts';
import { ConnectionLimiter, type LimitedPool, type UpstreamPlace } from './connection-limiter.ts';

/** Shorter than the 60 to 75 s after which common servers close an idle connection, so that Photon closes it first. */
const IDLE_TIMEOUT_MS = 55_000;
/** A connection is not used for ever: servers behind an address change. */
const MAX_AGE_MS = 3_600_000;
/** For this time each connection of an upstream that has sent unsolicited bytes serves one request only. */
const NO_REUSE_MS = 60_000;
/** Idle connections kept per upstream and worker. */
const MAX_IDLE = 512;

/** The context of the upstreams of one worker. */
export interface UpstreamContext {
  readonly io: IoContext;
  readonly transport: Transport;
  /** Largest head of a reply, in bytes. */
  readonly maxHeadBytes: number;
  readonly log: { info(event: string, fields: object): void; warn(event: string, fields: object): void };
  /** Chance, from 0 to below 1. */
  readonly random: () => number;
  /** All sockets of the gateway, over all workers, and how many there may be. */
  readonly allSockets: SharedCount;
  readonly maxSockets: number;
  /**
   * A connection could not be opened because there are no descriptors left for it. Connections in the pool of `upstream` itself have been
   * released since, and serve its next request.
   */
  outOfDescriptors(upstream: Upstream): void;
}

/** One server of a backend, and this worker's pool of connections to it. */
export class Upstream implements UpstreamOwner, Candidate, Guarded, LimitedPool {
  readonly config: UpstreamConfig;
  readonly key: string;
  readonly weight: number;
  readonly limits: UpstreamLimits;
  readonly #context: UpstreamContext;
  #target: ConnectTarget;
  #tls: TlsClientMaterial | null;
  #retired = false;
  /** Limits its sockets, busy and idle, over all workers. */
  readonly limiter: ConnectionLimiter;
  readonly #inFlight: SharedCount;
  readonly state: UpstreamState;
  readonly breaker: BreakerState;
  /** The probe of its breaker that a pick has claimed, until an attempt begins. */
  #claim = NO_CLAIM;
  /** The connection used last is on top, so that the others reach their idle timeout. */
  readonly #idle: H1Upstream[] = [];
  /** Private connections that wait for another request of their client, in the order in which they became idle. */
  readonly #privateIdle = new Set<H1Upstream>();
  readonly #open = new Set<H1Upstream>();
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
    this.limiter = new ConnectionLimiter(io, this, place, config.maxConnections, before?.limiter ?? null);
    this.#inFlight = SharedCount.upstreamInFlight(slot, row);
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

  /** No configuration names it any more: each connection is closed when its exchange is over. */
  retire(): void {
    this.#retired = true;
    this.closeIdle();
  }

  /**
   * A PROXY header speaks for all requests of its connection: none of another client may go there. And after a reply of an upstream that
   * sends unsolicited bytes, more of them may be on their way, which would answer the next request.
   */
  get singleUse(): boolean {
    return this.config.sendProxyProtocol !== null || this.#reusesNothing;
  }

  get #reusesNothing(): boolean {
    return this.state.noReuseUntilMs > this.#context.io.wheel.nowMs;
  }

  unsolicitedBytes(): void {
    const { io, log } = this.#context;
    if (!this.#reusesNothing)
      log.warn('upstream-unsolicited-bytes', { upstream: this.key, noReuseSeconds: NO_REUSE_MS / 1000 });
    this.state.noReuseUntilMs = io.wheel.nowMs + NO_REUSE_MS;
    this.closeIdle();
  }

  /** Exchanges under way here, over all workers. */
  get inFlight(): number {
    return this.#inFlight.total;
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

  /** An idle connection is here, or another one may be opened. */
  get hasCapacity(): boolean {
    return this.#idle.length > 0 || this.limiter.hasCapacity;
  }

  /** There is an idle connection here that is private to this client. */
  hasPrivate(peer: DownstreamPeer): boolean {
    return (peer.privateConnections?.findIdle(this) ?? null) !== null;
  }

  /**
   * A connection for one exchange of `peer`: its private one, or else an idle one, or else a new one. `newConnection` asks for a new one.
   * Null: another worker was quicker to open the last one.
   */
  acquire(listener: ResponseListener, newConnection: boolean, peer: DownstreamPeer): UpstreamStream | null {
    if (this.idleCount > 0 && this.#reusesNothing) this.closeIdle();
    const idle = newConnection ? null : (this.#takePrivate(peer) ?? this.#takeIdle());
    const connection = idle ?? this.#connect(peer);
    if (connection === null) return null;
    this.#inFlight.add(1);
    return connection.acquire(listener, peer);
  }

  #takePrivate(peer: DownstreamPeer): H1Upstream | null {
    const connection = peer.privateConnections?.findIdle(this) ?? null;
    if (connection === null) return null;
    this.#privateIdle.delete(connection);
    this.limiter.idleChanged();
    return connection;
  }

  /** The idle connection used last that is still alive: one that failed in this turn of the loop is here until it closes. */
  #takeIdle(): H1Upstream | null {
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.alive) connection = this.#idle.pop();
    this.limiter.idleChanged();
    return connection ?? null;
  }

  /** Throws PhotonError gateway_full when the process has as many sockets as it may. */
  #connect(peer: DownstreamPeer): H1Upstream | null {
    const { io, transport, allSockets, maxSockets } = this.#context;
    if (allSockets.total >= maxSockets) {
      this.#context.outOfDescriptors(this);
      throw new PhotonError('gateway_full', 'The gateway has as many connections as it may.');
    }
    if (!this.limiter.tryAcquire()) return null;
    const connection = new H1Upstream(io, this);
    this.#open.add(connection);
    allSockets.add(1);
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

  /** The exchange that had acquired it is over. */
  #release(connection: H1Upstream): void {
    if (!connection.acquired) return;
    connection.acquired = false;
    this.#inFlight.add(-1);
  }

  connectionIdle(connection: H1Upstream): void {
    this.#release(connection);
    const age = this.#context.io.wheel.nowMs - connection.openedMs;
    if (this.#retired || this.singleUse || age > MAX_AGE_MS) connection.close();
    else if (connection.privateTo !== null) this.#keepPrivate(connection, connection.privateTo);
    else if (this.#idle.length >= this.#maxIdle) connection.close();
    else this.#keep(connection);
  }

  get #maxIdle(): number {
    return Math.min(MAX_IDLE, this.limiter.maxIdle);
  }

  #keep(connection: H1Upstream): void {
    this.#idle.push(connection);
    this.limiter.idleChanged();
    this.limiter.offerIdle();
  }

  /** The number of private connections is bounded by that of the clients. */
  #keepPrivate(connection: H1Upstream, { closed }: PrivateConnections): void {
    if (closed) {
      connection.close();
      return;
    }
    this.#privateIdle.add(connection);
    this.limiter.idleChanged();
    this.limiter.offerPrivateIdle();
  }

  connectionClosed(connection: H1Upstream, error: PhotonError | null): void {
    if (!this.#open.delete(connection)) return;
    this.#release(connection);
    if (error?.code === 'upstream_tls_failed') {
      this.#tlsFailures.warn({ upstream: this.key, reason: error.message });
    }
    if (error?.code === 'gateway_full') this.#context.outOfDescriptors(this);
    this.#context.allSockets.add(-1);
    const at = this.#idle.lastIndexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#privateIdle.delete(connection);
    this.limiter.idleChanged();
    this.limiter.release();
  }

  /** There are connections. */
  get inUse(): boolean {
    return this.#open.size > 0;
  }

  get idleCount(): number {
    return this.#idle.length + this.#privateIdle.size;
  }

  closeOldestIdle(): void {
    const oldest = this.#idle.shift();
    if (oldest === undefined) this.closePrivateIdle();
    else oldest.close();
    this.limiter.idleChanged();
  }

  closePrivateIdle(): boolean {
    for (const connection of this.#privateIdle) {
      if (connection.evicting) continue;
      connection.evict();
      return true;
    }
    return false;
  }

  /** Closes the connections without an exchange. */
  closeIdle(): void {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) last.close();
    for (const connection of this.#privateIdle) connection.close();
    this.#privateIdle.clear();
    this.limiter.idleChanged();
  }

  /** Closes every connection. An exchange that uses one fails. */
  close(): void {
    for (const connection of this.#open) connection.close();
  }
}

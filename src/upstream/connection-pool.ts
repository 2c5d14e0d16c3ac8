import { PhotonError } from '../base/errors.ts';
import { SharedCount } from '../memory/shared-memory.ts';
import type { UpstreamState } from '../memory/upstream-state.ts';
import type { IoContext } from '../net/io-context.ts';
import type { PrivateConnections } from '../net/private-connections.ts';
import type { DownstreamPeer, ResponseListener, UpstreamStream } from '../net/streams.ts';
import type { UpstreamConnection, UpstreamConnectionOwner, UpstreamLimits } from '../net/upstream-connection.ts';
import { ConnectionLimiter, type LimitedPool, type UpstreamPlace } from './connection-limiter.ts';

/** A connection is not used for ever: servers behind an address change. */
const MAX_AGE_MS = 3_600_000;
/** For this time each connection of an upstream that has sent unsolicited bytes carries one stream only. */
const NO_REUSE_MS = 60_000;
/** Idle connections kept per upstream and worker. */
const MAX_IDLE = 512;

/** The context of the pools of one worker. */
export interface PoolContext {
  readonly io: IoContext;
  readonly log: { warn(event: string, fields: object): void };
  /** All sockets of the gateway, over all workers, and how many there may be. */
  readonly allSockets: SharedCount;
  readonly maxSockets: number;
}

/** The upstream that the connections of a pool go to. */
export interface PooledUpstream {
  readonly key: string;
  readonly limits: UpstreamLimits;
  readonly state: UpstreamState;
  /** Each connection carries one stream only. */
  readonly singleUse: boolean;
  /** How many connections there may be, over all workers; null: any number. */
  readonly maxConnections: number | null;
  /** Begins to open a connection, on which a stream of `peer` is the first. */
  connect(pool: UpstreamConnectionOwner, peer: DownstreamPeer): UpstreamConnection;
  /** A connection was closed because of a failure. */
  connectionFailed(error: PhotonError): void;
  /** There are no descriptors left for another connection. */
  outOfDescriptors(): void;
}

/**
 * This worker's connections to one upstream.
 *
 *                  a stream begins                  it carries as many as it may
 *   idle, private ----------------> can carry more ------------------------------> full
 *                 <---------------- (shared)       <------------------------------
 *                  its last is over                 one of them is over
 *
 * One with a capacity of 1 (HTTP/1.1) is never shared. Sockets and streams are counted apart: the limiter limits the sockets, over all
 * workers; the streams are the exchanges in flight.
 */
export class ConnectionPool implements UpstreamConnectionOwner, LimitedPool {
  readonly limits: UpstreamLimits;
  readonly limiter: ConnectionLimiter;
  readonly #upstream: PooledUpstream;
  readonly #context: PoolContext;
  readonly #inFlight: SharedCount;
  #retired = false;
  /** Carry no stream. The one used last is on top, so that the others reach their idle timeout. */
  readonly #idle: UpstreamConnection[] = [];
  /** Private, and carry no stream, in the order in which they became idle. */
  readonly #privateIdle = new Set<UpstreamConnection>();
  /** Carry streams, and can carry more. */
  readonly #shared = new Set<UpstreamConnection>();
  readonly #open = new Set<UpstreamConnection>();
  /** On all connections here. */
  #streams = 0;

  /** `before`: the pool of the same server in the configuration before; null for none. */
  constructor(
    upstream: PooledUpstream,
    context: PoolContext,
    place: UpstreamPlace,
    before: ConnectionPool | null = null,
  ) {
    this.#upstream = upstream;
    this.limits = upstream.limits;
    this.#context = context;
    this.limiter = new ConnectionLimiter(context.io, this, place, upstream.maxConnections, before?.limiter ?? null);
    this.#inFlight = SharedCount.upstreamInFlight(place.slot, place.row);
  }

  /** Streams to the upstream, over all workers. */
  get inFlight(): number {
    return this.#inFlight.total;
  }

  /** There are connections. */
  get inUse(): boolean {
    return this.#open.size > 0;
  }

  get idleCount(): number {
    return this.#idle.length + this.#privateIdle.size;
  }

  /** A connection here can carry another stream, or another one may be opened. */
  get hasCapacity(): boolean {
    return this.#idle.length > 0 || this.#shared.size > 0 || this.limiter.hasCapacity;
  }

  /** There is an idle connection here that is private to this client. */
  hasPrivate(peer: DownstreamPeer): boolean {
    return (peer.privateConnections?.findIdle(this) ?? null) !== null;
  }

  /**
   * Each connection carries one stream only. After a reply of an upstream that sends unsolicited bytes, more of them may be on their way,
   * which would answer the next request.
   */
  #isSingleUse(): boolean {
    return this.#upstream.singleUse || this.#reusesNothing();
  }

  #reusesNothing(): boolean {
    return this.#upstream.state.noReuseUntilMs > this.#context.io.wheel.nowMs;
  }

  unsolicitedBytes(): void {
    const { io, log } = this.#context;
    const { key, state } = this.#upstream;
    if (!this.#reusesNothing())
      log.warn('upstream-unsolicited-bytes', { upstream: key, noReuseSeconds: NO_REUSE_MS / 1000 });
    state.noReuseUntilMs = io.wheel.nowMs + NO_REUSE_MS;
    this.closeIdle();
  }

  // --- acquire and release ---------------------------------------------------------------------------------------------

  /**
   * A stream of `peer`: on its private connection, or else on one that can carry another stream, or else on a new one. `newConnection` asks
   * for a new one. Null: another worker was quicker to open the last one. Throws PhotonError gateway_full when the process has as many
   * sockets as it may.
   */
  acquire(listener: ResponseListener, newConnection: boolean, peer: DownstreamPeer): UpstreamStream | null {
    const singleUse = this.#isSingleUse();
    if (singleUse && this.idleCount > 0) this.closeIdle();
    const connection = (newConnection ? null : this.#take(peer)) ?? this.#connect(peer);
    if (connection === null) return null;
    const stream = connection.acquire(listener, peer, singleUse);
    this.#streams++;
    this.#inFlight.add(1);
    if (this.#canCarryMore(connection)) this.#shared.add(connection);
    else if (this.#shared.size > 0) this.#shared.delete(connection);
    return stream;
  }

  #take(peer: DownstreamPeer): UpstreamConnection | null {
    return this.#takePrivate(peer) ?? this.#findShared() ?? this.#takeIdle();
  }

  #takePrivate(peer: DownstreamPeer): UpstreamConnection | null {
    const connection = peer.privateConnections?.findIdle(this) ?? null;
    if (connection === null) return null;
    this.#privateIdle.delete(connection);
    this.limiter.idleChanged();
    return connection;
  }

  /** The first one that carries streams and can carry another: so the others become idle. */
  #findShared(): UpstreamConnection | null {
    if (this.#shared.size === 0) return null;
    for (const connection of this.#shared) {
      if (this.#canCarryMore(connection)) return connection;
      this.#shared.delete(connection);
    }
    return null;
  }

  /** It may have failed or become too old meanwhile, or lost a part of its capacity. */
  #canCarryMore(connection: UpstreamConnection): boolean {
    return connection.streams < connection.capacity && this.#mayBeReused(connection);
  }

  /** The idle connection used last that is still alive: one that failed in this turn of the loop is here until it closes. */
  #takeIdle(): UpstreamConnection | null {
    let connection = this.#idle.pop();
    while (connection !== undefined && !this.#isIdle(connection)) connection = this.#idle.pop();
    this.limiter.idleChanged();
    return connection ?? null;
  }

  #isIdle(connection: UpstreamConnection): boolean {
    if (connection.streams === 0) return connection.capacity > 0;
    this.#fault(connection, 'a connection waited for a stream although it carries one');
    return false;
  }

  #connect(peer: DownstreamPeer): UpstreamConnection | null {
    const { allSockets, maxSockets } = this.#context;
    if (allSockets.total >= maxSockets) {
      this.#upstream.outOfDescriptors();
      throw new PhotonError('gateway_full', 'The gateway has as many connections as it may.');
    }
    if (!this.limiter.tryAcquire()) return null;
    const connection = this.#upstream.connect(this, peer);
    this.#open.add(connection);
    allSockets.add(1);
    return connection;
  }

  streamReleased(connection: UpstreamConnection): void {
    if (this.#streams === 0) {
      this.#fault(connection, 'a stream was released twice');
      return;
    }
    this.#streams--;
    this.#inFlight.add(-1);
    if (connection.capacity > 0) this.#keepOrClose(connection);
  }

  #keepOrClose(connection: UpstreamConnection): void {
    if (connection.streams > 0) this.#keepShared(connection);
    else if (!this.#mayBeReused(connection)) connection.close();
    else if (connection.privateTo !== null) this.#keepPrivate(connection, connection.privateTo);
    else if (this.#idle.length >= this.#maxIdle()) connection.close();
    else this.#keepIdle(connection);
  }

  #mayBeReused({ openedMs }: UpstreamConnection): boolean {
    return !this.#retired && !this.#isSingleUse() && this.#context.io.wheel.nowMs - openedMs <= MAX_AGE_MS;
  }

  #maxIdle(): number {
    return Math.min(MAX_IDLE, this.limiter.maxIdle);
  }

  #keepShared(connection: UpstreamConnection): void {
    if (!this.#canCarryMore(connection)) return;
    this.#shared.add(connection);
    this.limiter.offerStream();
  }

  #keepIdle(connection: UpstreamConnection): void {
    if (this.#shared.size > 0) this.#shared.delete(connection);
    this.#idle.push(connection);
    this.limiter.idleChanged();
    this.limiter.offerIdle();
  }

  /** The number of private connections is bounded by that of the clients. */
  #keepPrivate(connection: UpstreamConnection, { closed }: PrivateConnections): void {
    if (closed) {
      connection.close();
      return;
    }
    this.#privateIdle.add(connection);
    this.limiter.idleChanged();
    this.limiter.offerPrivateIdle();
  }

  connectionClosed(connection: UpstreamConnection, error: PhotonError | null): void {
    if (!this.#open.delete(connection)) return;
    if (connection.streams > 0) this.#fault(connection, 'a connection was closed before its streams were released');
    if (this.#open.size === 0 && this.#streams > 0) this.#forgetStreams(connection);
    if (error !== null) this.#upstream.connectionFailed(error);
    this.#context.allSockets.add(-1);
    const at = this.#idle.lastIndexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#privateIdle.delete(connection);
    this.#shared.delete(connection);
    this.limiter.idleChanged();
    this.limiter.release();
  }

  /** Streams that were never released would count as in flight for ever. */
  #forgetStreams(last: UpstreamConnection): void {
    this.#fault(last, 'streams are in flight without a connection');
    this.#inFlight.add(-this.#streams);
    this.#streams = 0;
  }

  /** Reports a broken invariant, and ends the connection. */
  #fault(connection: UpstreamConnection, problem: string): void {
    const { streams, capacity } = connection;
    const state = `${streams} of ${capacity} streams here, ${this.#streams} on ${this.#open.size} connections`;
    this.#context.io.fault(new Error(`${problem}: ${state}`));
    connection.close();
  }

  // --- closing ---------------------------------------------------------------------------------------------------------

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

  /** Closes the connections without a stream. */
  closeIdle(): void {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) last.close();
    for (const connection of this.#privateIdle) connection.close();
    this.#privateIdle.clear();
    this.limiter.idleChanged();
  }

  /** From now on each connection is closed when its streams are over. */
  retire(): void {
    this.#retired = true;
    this.closeIdle();
  }

  /** Closes every connection. Streams on them fail. */
  close(): void {
    for (const connection of this.#open) connection.close();
  }
}

import type { Slot } from '../memory/shared-memory.ts';
import { SharedCount } from '../memory/shared-memory.ts';
import { SharedQueue } from '../memory/shared-queue.ts';
import { UpstreamSockets } from '../memory/upstream-sockets.ts';
import type { IoContext } from '../net/io-context.ts';

/** Requests of this worker that wait for a connection. `wake` says that one may be free. */
export interface ConnectionWaiter {
  wake(): void;
}

/** The connections that a limiter limits. */
export interface LimitedPool {
  /** Connections without a stream, which wait for a request. */
  readonly idleCount: number;
  /** Closes the one of them that has waited longest; one that is private to a client only where there are no others. */
  closeOldestIdle(): void;
  /** Has one that is private to a client closed. Returns false if there is none, or all of them are to be closed already. */
  closePrivateIdle(): boolean;
}

/** Where an upstream is counted. */
export interface UpstreamPlace {
  readonly slot: Slot;
  /** Of its backend. */
  readonly backend: Slot;
  /** The worker's. */
  readonly row: number;
}

/** What the limiters of one upstream share. */
interface SharedLimit {
  readonly waiters: Set<ConnectionWaiter>;
  /** One of them has a limit, or had one. */
  isLimited: boolean;
  /** How many connections of this worker are idle, over all of these configurations. */
  idle: number;
  /** The pool in which one became idle last: those of configurations before keep none. */
  idlePool: LimitedPool;
}

const NO_WORKER = -1;

/**
 * Limits the connections to one upstream, busy and idle, over all workers, and decides which worker gets the next one at the limit.
 *
 *   a connection ...          requests wait here              only in another worker
 *   becomes idle              the first of them takes it      it is closed
 *   is closed                 the first of them opens one     that worker is woken, and it opens one
 *
 * If requests wait both here and there, the other worker goes first if it has fewer connections by more than one, or none. So no worker
 * starves, and connections do not move to and fro. Without a limit nothing of this happens.
 */
export class ConnectionLimiter {
  readonly #io: IoContext;
  readonly #pool: LimitedPool;
  readonly #limit: number;
  readonly #sockets: UpstreamSockets;
  readonly #idle: SharedCount;
  readonly #queue: SharedQueue;
  readonly #waiters = new Set<ConnectionWaiter>();
  /**
   * Shared with the limiters of the same upstream in the configurations before and after this one, which count their connections together.
   */
  readonly #sharedLimit: SharedLimit;
  #waitingForWakeUp = false;
  /** How many of the idle connections are counted for this configuration. */
  #idleHere = 0;
  /** This worker's share: connections that may wait for requests here. */
  readonly maxIdle: number;

  /** `limit`: null for none. `before`: the limiter of the same upstream in the configuration before; null for none. */
  constructor(
    io: IoContext,
    pool: LimitedPool,
    { slot, backend, row }: UpstreamPlace,
    limit: number | null,
    before: ConnectionLimiter | null = null,
  ) {
    this.#io = io;
    this.#pool = pool;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#sharedLimit =
      before === null ? { waiters: new Set(), isLimited: false, idle: 0, idlePool: pool } : before.#sharedLimit;
    if (this.isLimited) this.#sharedLimit.isLimited = true;
    this.#sockets = new UpstreamSockets(slot, row);
    this.#idle = SharedCount.upstreamIdle(slot, row);
    this.#queue = new SharedQueue(backend, row, io.wakeUps);
    this.maxIdle = Math.ceil(this.#limit / slot.memory.workers);
  }

  get isLimited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }

  /** Another connection may be opened; another worker can be quicker to do so. */
  get hasCapacity(): boolean {
    return this.#sockets.total < this.#limit;
  }

  /** Counts another connection. Returns false at the limit. */
  tryAcquire(): boolean {
    return this.#sockets.tryAcquire(this.#limit);
  }

  /** A connection is closed: another one may be opened. */
  release(): void {
    const before = this.#sockets.own;
    this.#sockets.release();
    const { waiters, isLimited } = this.#sharedLimit;
    if (!isLimited) return;
    const preferred = this.#preferredWorker(before, waiters);
    if (preferred === NO_WORKER) wakeAll(waiters);
    else this.#queue.notify(preferred);
  }

  /** The number of idle connections has changed. */
  idleChanged(): void {
    const shared = this.#sharedLimit;
    if (!shared.isLimited) return;
    const { idleCount } = this.#pool;
    if (idleCount > this.#idleHere) shared.idlePool = this.#pool;
    shared.idle += idleCount - this.#idleHere;
    this.#idleHere = idleCount;
    this.#idle.publish(shared.idle);
  }

  /** A connection has become idle and is counted as such: requests may wait for it. */
  offerIdle(): void {
    if (!this.#sharedLimit.isLimited) return;
    this.#waitForWakeUp();
    const isWanted = this.#waiters.size > 0 || this.#sharedLimit.waiters.size === 0;
    if (isWanted && this.#preferredWorker(this.#sockets.own, this.#waiters) === NO_WORKER) wakeAll(this.#waiters);
    else this.#pool.closeOldestIdle();
  }

  /** A connection that carries streams can carry another: requests of this worker may wait for it. */
  offerStream(): void {
    if (this.isLimited) wakeAll(this.#waiters);
  }

  /** A private connection has become idle and is counted as such. If requests of other clients wait, it is closed for them. */
  offerPrivateIdle(): void {
    if (!this.isLimited) return;
    this.#waitForWakeUp();
    if (this.#waiters.size > 0 || this.#queue.waitingElsewhere > 0) this.#pool.closePrivateIdle();
  }

  /** Requests of this worker wait for a connection to this upstream, among others. */
  addWaiter(waiter: ConnectionWaiter): void {
    if (!this.isLimited) return;
    this.#waiters.add(waiter);
    this.#sharedLimit.waiters.add(waiter);
  }

  removeWaiter(waiter: ConnectionWaiter): void {
    this.#waiters.delete(waiter);
    this.#sharedLimit.waiters.delete(waiter);
  }

  /**
   * Has an idle connection closed: a private one of this worker, one of a newer configuration, which this one cannot use, or one of the worker
   * with the most. Returns false if there are none.
   */
  reclaimIdle(): boolean {
    if (this.isLimited && (this.#pool.closePrivateIdle() || this.#closeNewerIdle())) return true;
    let holder = NO_WORKER;
    let most = 0;
    for (let row = 0; row < this.#queue.workers; row++) {
      const idle = row === this.#queue.row ? 0 : this.#idle.in(row);
      if (idle <= most) continue;
      most = idle;
      holder = row;
    }
    if (holder === NO_WORKER) return false;
    this.#queue.notify(holder);
    return true;
  }

  #closeNewerIdle(): boolean {
    const { idlePool } = this.#sharedLimit;
    if (idlePool === this.#pool || idlePool.idleCount === 0) return false;
    idlePool.closeOldestIdle();
    return true;
  }

  /** A connection that this worker does not need may be opened: wakes the next worker in which requests wait. */
  handOff(): void {
    const next = this.isLimited && this.hasCapacity ? this.#waitingWorkerWithFewest() : NO_WORKER;
    if (next !== NO_WORKER) this.#queue.notify(next);
  }

  /** The other worker that should get the connection; NO_WORKER if the `waiters` of this one should, which had `own` connections. */
  #preferredWorker(own: number, waiters: ReadonlySet<ConnectionWaiter>): number {
    const fewest = this.#waitingWorkerWithFewest();
    if (fewest === NO_WORKER || waiters.size === 0) return fewest;
    const has = this.#sockets.in(fewest);
    return has === 0 || has + 1 < own ? fewest : NO_WORKER;
  }

  /** Of the other workers in which requests wait, the one with the fewest connections; of equals the next one. */
  #waitingWorkerWithFewest(): number {
    const { row: own, workers } = this.#queue;
    let fewest = NO_WORKER;
    for (let step = 1; step < workers; step++) {
      const row = (own + step) % workers;
      if (this.#queue.waitingIn(row) === 0) continue;
      if (fewest === NO_WORKER || this.#sockets.in(row) < this.#sockets.in(fewest)) fewest = row;
    }
    return fewest;
  }

  /** While this worker has idle connections, others may ask for them. */
  #waitForWakeUp(): void {
    if (this.#waitingForWakeUp || this.#queue.workers === 1 || this.#pool.idleCount === 0) return;
    this.#waitingForWakeUp = true;
    this.#queue.wait(() => this.#io.event(() => this.#wokenUp()));
  }

  #wokenUp(): void {
    this.#waitingForWakeUp = false;
    const wanted = this.#waiters.size > 0 ? 0 : this.#queue.waitingElsewhere;
    const given = Math.min(wanted, this.#pool.idleCount);
    for (let count = 0; count < given; count++) this.#pool.closeOldestIdle();
    this.#waitForWakeUp();
  }
}

function wakeAll(waiters: ReadonlySet<ConnectionWaiter>): void {
  for (const waiter of waiters) waiter.wake();
}

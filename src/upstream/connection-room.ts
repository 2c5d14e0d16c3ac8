import type { Slot } from '../memory/shared-memory.ts';
import { SharedCount } from '../memory/shared-memory.ts';
import { SharedQueue } from '../memory/shared-queue.ts';
import { UpstreamSockets } from '../memory/upstream-sockets.ts';
import type { IoContext } from '../net/io-context.ts';

/** Requests of this worker that wait, until told that there may be room. */
export interface RoomSeeker {
  wake(): void;
}

/** Whose connections there is room for. */
export interface RoomUser {
  /** Connections that wait for a request. */
  readonly idleCount: number;
  /** Closes the one of them that has waited longest; one that is private to a client only where there are no others. */
  closeOldestIdle(): void;
  /** Has one that is private to a client make room; false when there is none, or all have been asked. */
  closePrivateIdle(): boolean;
}

/** Where an upstream is counted. */
export interface RoomPlace {
  readonly slot: Slot;
  /** Of its backend. */
  readonly backend: Slot;
  /** The worker's. */
  readonly row: number;
}

/** What the rooms of one upstream have together. */
interface Kin {
  readonly seekers: Set<RoomSeeker>;
  /** One of them has a limit, or had one. */
  isLimited: boolean;
}

const NOBODY = -1;

/**
 * How many connections to one upstream there may be, busy and idle, over all workers, and whose turn it is when there may be no more.
 *
 *   a connection ...          requests wait here              only in another worker
 *   becomes idle              the first of them takes it      it is closed
 *   is closed                 the first of them opens one     that worker's bell is rung, and it opens one
 *
 * Where requests wait both here and there, the other worker goes first if it has fewer connections by more than one, or none: so
 * nobody starves, and connections do not go to and fro. Without a limit nothing of this happens.
 */
export class ConnectionRoom {
  readonly #io: IoContext;
  readonly #user: RoomUser;
  readonly #limit: number;
  readonly #sockets: UpstreamSockets;
  readonly #idle: SharedCount;
  readonly #queue: SharedQueue;
  readonly #seekers = new Set<RoomSeeker>();
  /** Shared with the rooms of the same upstream in configurations before and after this one: their connections are counted together. */
  readonly #kin: Kin;
  #listening = false;
  /** This worker's share: connections that may wait for requests here. */
  readonly maxIdle: number;

  /** `limit`: null for none. `before`: the room of the same upstream in the configuration before; null for none. */
  constructor(
    io: IoContext,
    user: RoomUser,
    { slot, backend, row }: RoomPlace,
    limit: number | null,
    before: ConnectionRoom | null = null,
  ) {
    this.#io = io;
    this.#user = user;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
    this.#kin = before === null ? { seekers: new Set(), isLimited: false } : before.#kin;
    if (this.isLimited) this.#kin.isLimited = true;
    this.#sockets = new UpstreamSockets(slot, row);
    this.#idle = SharedCount.upstreamIdle(slot, row);
    this.#queue = new SharedQueue(backend, row, io.wakeUps);
    this.maxIdle = Math.ceil(this.#limit / slot.memory.workers);
  }

  get isLimited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }

  /** There may be another connection; somebody else can be quicker to open it. */
  get free(): boolean {
    return this.#sockets.total < this.#limit;
  }

  /** Takes the room for another connection; false when there is none. */
  tryTake(): boolean {
    return this.#sockets.tryTake(this.#limit);
  }

  /** A connection is gone. */
  giveBack(): void {
    const before = this.#sockets.own;
    this.#sockets.giveBack();
    const { seekers, isLimited } = this.#kin;
    if (!isLimited) return;
    const owed = this.#owedTo(before, seekers);
    if (owed === NOBODY) wakeAll(seekers);
    else this.#queue.ring(owed);
  }

  /** The number of idle connections is another one. */
  idleChanged(): void {
    if (this.isLimited) this.#idle.publish(this.#user.idleCount);
  }

  /** A connection has become idle and is counted as such: somebody may be waiting for it. */
  offerIdle(): void {
    if (!this.isLimited) return;
    this.#listen();
    const isWanted = this.#seekers.size > 0 || this.#kin.seekers.size === 0;
    if (isWanted && this.#owedTo(this.#sockets.own, this.#seekers) === NOBODY) wakeAll(this.#seekers);
    else this.#user.closeOldestIdle();
  }

  /** A connection has become idle, and is counted as such, that only its own client may use: it is closed for requests that wait. */
  offerPrivateIdle(): void {
    if (!this.isLimited) return;
    this.#listen();
    if (this.#seekers.size > 0 || this.#queue.waitingElsewhere > 0) this.#user.closePrivateIdle();
  }

  /** Requests of this worker wait for a connection to this upstream, among others. */
  addSeeker(seeker: RoomSeeker): void {
    if (!this.isLimited) return;
    this.#seekers.add(seeker);
    this.#kin.seekers.add(seeker);
  }

  removeSeeker(seeker: RoomSeeker): void {
    this.#seekers.delete(seeker);
    this.#kin.seekers.delete(seeker);
  }

  /** Has an idle connection closed: a private one of ours, or one of the worker with the most; false when there are none. */
  askForRoom(): boolean {
    if (this.isLimited && this.#user.closePrivateIdle()) return true;
    let richest = NOBODY;
    let most = 0;
    for (let row = 0; row < this.#queue.workers; row++) {
      const idle = row === this.#queue.row ? 0 : this.#idle.in(row);
      if (idle <= most) continue;
      most = idle;
      richest = row;
    }
    if (richest === NOBODY) return false;
    this.#queue.ring(richest);
    return true;
  }

  /** There is room that is not needed here: tells the next worker in which requests wait. */
  passOn(): void {
    const next = this.isLimited && this.free ? this.#poorest() : NOBODY;
    if (next !== NOBODY) this.#queue.ring(next);
  }

  /** The worker that the room belongs to rather than to `seekers` of this one, which had `own` connections. */
  #owedTo(own: number, seekers: ReadonlySet<RoomSeeker>): number {
    const poorest = this.#poorest();
    if (poorest === NOBODY || seekers.size === 0) return poorest;
    const has = this.#sockets.in(poorest);
    return has === 0 || has + 1 < own ? poorest : NOBODY;
  }

  /** Of the other workers in which requests wait, the one with the fewest connections; of equals the next one. */
  #poorest(): number {
    const { row: own, workers } = this.#queue;
    let poorest = NOBODY;
    for (let step = 1; step < workers; step++) {
      const row = (own + step) % workers;
      if (this.#queue.waitingIn(row) === 0) continue;
      if (poorest === NOBODY || this.#sockets.in(row) < this.#sockets.in(poorest)) poorest = row;
    }
    return poorest;
  }

  /** While there are idle connections here, others may ask for them. */
  #listen(): void {
    if (this.#listening || this.#queue.workers === 1 || this.#user.idleCount === 0) return;
    this.#listening = true;
    this.#queue.listen(() => this.#io.event(() => this.#heard()));
  }

  #heard(): void {
    this.#listening = false;
    const wanted = this.#seekers.size > 0 ? 0 : this.#queue.waitingElsewhere;
    const given = Math.min(wanted, this.#user.idleCount);
    for (let count = 0; count < given; count++) this.#user.closeOldestIdle();
    this.#listen();
  }
}

function wakeAll(seekers: ReadonlySet<RoomSeeker>): void {
  for (const seeker of seekers) seeker.wake();
}

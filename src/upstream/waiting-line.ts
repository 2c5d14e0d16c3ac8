import type { QueueConfig } from '../config/config.ts';
import type { Slot } from '../memory/shared-memory.ts';
import { SharedQueue } from '../memory/shared-queue.ts';
import type { IoContext } from '../net/io-context.ts';
import { Timer, type TimerOwner, TimerWheel } from '../net/timer-wheel.ts';
import type { ConnectionRoom, RoomSeeker } from './connection-room.ts';

/** Who waits for a connection. */
export interface Waiter {
  /** There may be room. Returns false when there is none for it, and it goes on waiting; otherwise it has left the line. */
  takeTurn(): boolean;
  /** It waits there from now on. */
  moved(line: WaitingLine): void;
}

/**
 * So often, and a tick later at most, who waits looks whether another upstream is well. A look costs about as much as one request;
 * the shortest time in line that is of use to anybody is a good deal longer.
 */
const LOOK_MS = 2 * TimerWheel.tickMs;

/**
 * The requests of one worker that wait because every upstream of a backend has as many connections as it may: first come, first
 * served. What makes room wakes them: a connection of this worker becomes idle or closes (`ConnectionRoom`), or another worker rings.
 *
 * That an upstream is well again wakes nobody: the control thread only writes it down, and the cooldown of a breaker ends without
 * anybody doing anything. So, while somebody waits and only then, the first in line looks on its own now and then.
 */
export class WaitingLine implements RoomSeeker, TimerOwner {
  readonly #io: IoContext;
  readonly #queue: SharedQueue;
  readonly #size: number;
  readonly #rooms: readonly ConnectionRoom[];
  /** In the order of their coming. */
  readonly #waiters = new Set<Waiter>();
  /** Armed while somebody waits. */
  readonly #look: Timer;
  #listening = false;
  #woken = false;
  /** How long a request may wait. */
  readonly timeoutMs: number;

  /** `rooms`: those of the backend's upstreams. `slot`: the backend's. */
  constructor(
    io: IoContext,
    rooms: readonly ConnectionRoom[],
    { size, timeoutMs }: QueueConfig,
    slot: Slot,
    row: number,
  ) {
    this.#io = io;
    this.#rooms = rooms;
    this.#queue = new SharedQueue(slot, row, io.wakeUps);
    this.#size = size;
    this.#look = new Timer(io.wheel, this);
    this.timeoutMs = timeoutMs;
  }

  /** Somebody of this worker waits. */
  get occupied(): boolean {
    return this.#waiters.size > 0;
  }

  /**
   * Takes the last place; false when as many wait as may, over all workers. Workers that take one at the very same moment do not see
   * each other's: there may be one more for each of them.
   */
  join(waiter: Waiter): boolean {
    if (this.#queue.waiting >= this.#size) return false;
    this.#waiters.add(waiter);
    this.#queue.joined();
    this.#seek();
    return true;
  }

  #seek(): void {
    for (const room of this.#rooms) room.addSeeker(this);
    if (!this.#look.armed) this.#lookLater();
    this.#listen();
    // What became free before we were seen to wait was not told to us.
    this.wake();
    this.#rooms.some((room) => room.askForRoom());
  }

  /** All who wait here wait there instead, in the same order, for rooms that may be others. Both are of one backend: as many wait as before. */
  moveTo(line: WaitingLine): void {
    if (line === this || !this.occupied) return;
    for (const waiter of this.#waiters) {
      line.#waiters.add(waiter);
      waiter.moved(line);
    }
    this.#waiters.clear();
    this.#rest();
    line.#seek();
  }

  /** It waits no longer, whatever the reason; once it has left this does nothing. */
  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#queue.left();
    if (!this.occupied) this.#rest();
    this.#passOn();
  }

  #rest(): void {
    this.#look.disarm();
    for (const room of this.#rooms) room.removeSeeker(this);
  }

  /**
   * Looks for room after two turns of the event loop. A connection that has just become idle must not be lent before it is known that
   * nothing follows its reply: another TLS record of the same read is heard before the first turn, and what came while the connection was
   * paused before the second.
   */
  wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#io.afterEvents(afterOneTurn, this);
  }

  lookAfterNextTurn(): void {
    this.#io.afterEvents(afterTwoTurns, this);
  }

  look(): void {
    this.#woken = false;
    this.#io.event(() => this.#offerRoom());
  }

  #offerRoom(): void {
    for (const waiter of this.#waiters) if (!waiter.takeTurn()) return;
  }

  timerExpired(): void {
    this.#lookLater();
    this.wake();
  }

  timerFailed(): void {
    if (this.occupied) this.#lookLater();
  }

  #lookLater(): void {
    // A timer never runs out early, so it runs out late; a look may as well come a little early.
    this.#look.arm(LOOK_MS - TimerWheel.lateMs);
  }

  #listen(): void {
    if (this.#listening || this.#queue.workers === 1) return;
    this.#listening = true;
    this.#queue.listen(() => this.#io.event(() => this.#heard()));
  }

  #heard(): void {
    this.#listening = false;
    if (this.occupied) {
      this.#listen();
      this.wake();
    } else {
      this.#passOn();
    }
  }

  #passOn(): void {
    if (this.#queue.waitingElsewhere === 0) return;
    for (const room of this.#rooms) room.passOn();
  }
}

function afterOneTurn(line: WaitingLine): void {
  line.lookAfterNextTurn();
}

function afterTwoTurns(line: WaitingLine): void {
  line.look();
}

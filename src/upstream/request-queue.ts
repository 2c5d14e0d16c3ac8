import type { QueueConfig } from '../config/config.ts';
import type { Slot } from '../memory/shared-memory.ts';
import { SharedQueue } from '../memory/shared-queue.ts';
import type { IoContext } from '../net/io-context.ts';
import { Timer, type TimerOwner, TimerWheel } from '../net/timer-wheel.ts';
import type { ConnectionLimiter, ConnectionWaiter } from './connection-limiter.ts';

/** A request that waits for a connection. */
export interface PendingRequest {
  /**
   * Sends the request if an upstream has a connection for it. Returns false if none has: the request goes on waiting. Otherwise it has left
   * the queue.
   */
  tryDispatch(): boolean;
  /** The request waits in this queue from now on. */
  moved(queue: RequestQueue): void;
}

/**
 * How often the first request of a queue looks whether another upstream is well; a tick later at most. A look costs about as much as one
 * request, and a useful queue timeout is a good deal longer.
 */
const POLL_MS = 2 * TimerWheel.tickMs;

/**
 * The requests of one worker that wait because every upstream of a backend has as many connections as it may: first come, first served.
 * They are woken when a connection of this worker becomes idle or closes (`ConnectionLimiter`), or by another worker.
 *
 * No wake-up comes when an upstream is well again: the control thread only changes its status, and the cooldown of a breaker ends without
 * an event. So the first request of the queue looks by itself now and then, and only while requests wait.
 */
export class RequestQueue implements ConnectionWaiter, TimerOwner {
  readonly #io: IoContext;
  readonly #shared: SharedQueue;
  readonly #size: number;
  readonly #limiters: readonly ConnectionLimiter[];
  /** In the order in which they joined. */
  readonly #pending = new Set<PendingRequest>();
  /** Armed while requests wait. */
  readonly #pollTimer: Timer;
  #waitingForWakeUp = false;
  #dispatchScheduled = false;
  /** How long a request may wait. */
  readonly timeoutMs: number;

  /** `limiters`: of the backend's upstreams. `slot`: the backend's. */
  constructor(
    io: IoContext,
    limiters: readonly ConnectionLimiter[],
    { size, timeoutMs }: QueueConfig,
    slot: Slot,
    row: number,
  ) {
    this.#io = io;
    this.#limiters = limiters;
    this.#shared = new SharedQueue(slot, row, io.wakeUps);
    this.#size = size;
    this.#pollTimer = new Timer(io.wheel, this);
    this.timeoutMs = timeoutMs;
  }

  /** Requests of this worker wait. */
  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /**
   * Puts a request at the end of the queue. Returns false if the queue is full, counted over all workers. Workers that add one at the very
   * same moment do not see each other's: there may be one more for each of them.
   */
  join(request: PendingRequest): boolean {
    if (this.#shared.waiting >= this.#size) return false;
    this.#pending.add(request);
    this.#shared.joined();
    this.#startWaiting();
    return true;
  }

  #startWaiting(): void {
    for (const limiter of this.#limiters) limiter.addWaiter(this);
    if (!this.#pollTimer.armed) this.#armPollTimer();
    this.#waitForWakeUp();
    // No wake-up came for a connection that became free before this queue was seen to wait.
    this.wake();
    this.#limiters.some((limiter) => limiter.reclaimIdle());
  }

  /**
   * Moves all pending requests to another queue of the same backend, in the same order: as many wait as before, perhaps for other
   * upstreams.
   */
  moveTo(queue: RequestQueue): void {
    if (queue === this || !this.hasPending) return;
    for (const request of this.#pending) {
      queue.#pending.add(request);
      request.moved(queue);
    }
    this.#pending.clear();
    this.#stopWaiting();
    queue.#startWaiting();
  }

  /** Takes a request out of the queue, whatever the reason. Does nothing if the request has left before. */
  leave(request: PendingRequest): void {
    if (!this.#pending.delete(request)) return;
    this.#shared.left();
    if (!this.hasPending) this.#stopWaiting();
    this.#handOff();
  }

  #stopWaiting(): void {
    this.#pollTimer.disarm();
    for (const limiter of this.#limiters) limiter.removeWaiter(this);
  }

  /**
   * Dispatches pending requests after two turns of the event loop. A connection that has just become idle must not be acquired before it is
   * known that nothing follows its reply: another TLS record of the same read comes before the first turn, and bytes that came while the
   * connection was paused come before the second.
   */
  wake(): void {
    if (this.#dispatchScheduled) return;
    this.#dispatchScheduled = true;
    this.#io.afterEvents(afterOneTurn, this);
  }

  dispatchAfterNextTurn(): void {
    this.#io.afterEvents(afterTwoTurns, this);
  }

  dispatch(): void {
    this.#dispatchScheduled = false;
    this.#io.event(() => this.#dispatchPending());
  }

  #dispatchPending(): void {
    for (const request of this.#pending) if (!request.tryDispatch()) return;
  }

  timerExpired(): void {
    this.#armPollTimer();
    this.wake();
  }

  timerFailed(): void {
    if (this.hasPending) this.#armPollTimer();
  }

  #armPollTimer(): void {
    // A timer never runs out early, so it runs out late; a poll may as well come a little early.
    this.#pollTimer.arm(POLL_MS - TimerWheel.lateMs);
  }

  #waitForWakeUp(): void {
    if (this.#waitingForWakeUp || this.#shared.workers === 1) return;
    this.#waitingForWakeUp = true;
    this.#shared.wait(() => this.#io.event(() => this.#wokenUp()));
  }

  #wokenUp(): void {
    this.#waitingForWakeUp = false;
    if (this.hasPending) {
      this.#waitForWakeUp();
      this.wake();
    } else {
      this.#handOff();
    }
  }

  #handOff(): void {
    if (this.#shared.waitingElsewhere === 0) return;
    for (const limiter of this.#limiters) limiter.handOff();
  }
}

function afterOneTurn(queue: RequestQueue): void {
  queue.dispatchAfterNextTurn();
}

function afterTwoTurns(queue: RequestQueue): void {
  queue.dispatch();
}

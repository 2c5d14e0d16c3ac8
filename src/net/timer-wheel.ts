import type { Clock } from '../base/clock.ts';

/** The owner of a timer, which is called when it runs out. */
export interface TimerOwner {
  timerExpired(timer: Timer): void;
  /** `timerExpired` threw, which has been reported. The owner ends the connection or exchange that the timer was for. */
  timerFailed(): void;
}

const TICK_MS = 50;
const SLOTS = 512;
/** If a tick comes this long after the last one, the thread stood still. */
const STALL_MS = 1.5 * TICK_MS;

/**
 * Coarse timers for connections: a ring of slots, one per tick, each a list of timers that may be due then.
 *
 *   slots   0   1   2   3   4 ... 511
 *           |       |
 *           T - T   T                 a timer further away than the ring waits in the farthest slot and moves on from there
 *
 * Arming again, as every request does, only writes the new due time: the timer stays in its old slot, and finds
 * itself not due yet when that slot's turn comes. A timer never fires early, and at most four ticks late, or later by as long as
 * the thread stood still.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #reportFault: (error: unknown) => void;
  readonly #slots: (Timer | null)[] = new Array<Timer | null>(SLOTS).fill(null);
  /** Ticks since the wheel began: the slot that was visited last is `#tick % SLOTS`. */
  #tick = 0;
  /** How often `advance` was called. */
  turn = 0;
  readonly #startMs: number;
  /** The time of the last tick, in milliseconds of the clock: arming counts from it. */
  nowMs: number;

  /** `reportFault` gets every error that an owner throws. */
  constructor(clock: Clock, reportFault: (error: unknown) => void) {
    this.#clock = clock;
    this.#reportFault = reportFault;
    this.#startMs = clock.nowMs();
    this.nowMs = this.#startMs;
  }

  /** The interval at which `advance` has to be called, in milliseconds. */
  static readonly tickMs = TICK_MS;
  /** A timer runs out at least this much later than asked for, so that none does so early. */
  static readonly lateMs = STALL_MS;

  /** The time of the last tick; that of the clock when the thread has stood still since, and has not noticed. */
  get currentMs(): number {
    const nowMs = this.#clock.nowMs();
    return nowMs - this.nowMs > STALL_MS ? nowMs : this.nowMs;
  }

  /** Lets time pass. Returns whether the thread stood still: then the caller reads the bytes that have come meanwhile before `expire`. */
  advance(): boolean {
    const lastMs = this.nowMs;
    this.nowMs = this.#clock.nowMs();
    this.turn++;
    if (this.nowMs - lastMs <= STALL_MS) return false;
    this.#delayArmedSince(lastMs);
    return true;
  }

  /** Visits the slots whose time has come and calls the owners of timers that are due. */
  expire(): void {
    const target = Math.floor((this.nowMs - this.#startMs) / TICK_MS);
    // After a long sleep every slot is visited once: that finds all that is due.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      this.#visit(this.#tick % SLOTS);
    }
  }

  /**
   * A timer armed while the thread was busy since the last tick counted from that tick, and would run out early. The moment within that
   * time is not known, so all of the time is added.
   */
  #delayArmedSince(lastMs: number): void {
    const stalledMs = this.nowMs - lastMs;
    for (const first of this.#slots) {
      for (let timer = first; timer !== null; timer = timer.next) {
        if (timer.armedTurn === this.turn - 1) timer.dueMs += stalledMs;
      }
    }
  }

  /** Puts a timer that is in no slot into the one of its due time. */
  schedule(timer: Timer): void {
    const dueTick = Math.ceil((timer.dueMs - this.#startMs) / TICK_MS);
    const tick = Math.min(Math.max(dueTick, this.#tick + 1), this.#tick + SLOTS - 1);
    timer.scheduledTick = tick;
    timer.scheduledMs = this.#startMs + tick * TICK_MS;
    const slot = tick % SLOTS;
    const first = this.#slots[slot] as Timer | null;
    timer.next = first;
    timer.previous = null;
    if (first !== null) first.previous = timer;
    this.#slots[slot] = timer;
  }

  /** Takes a timer out of its slot. */
  unschedule(timer: Timer): void {
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[timer.scheduledTick % SLOTS] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.previous = null;
    timer.next = null;
    timer.scheduledTick = -1;
    timer.scheduledMs = Number.POSITIVE_INFINITY;
  }

  /** One owner's bug must not keep the others in the slot waiting for another turn. */
  #fail(timer: Timer, error: unknown): void {
    this.#reportFault(error);
    try {
      timer.failed();
    } catch (another) {
      this.#reportFault(another);
    }
  }

  /** Nothing is ever scheduled into the slot being visited, and an owner may take out any timer: so always the first. */
  #visit(slot: number): void {
    for (let timer = this.#slots[slot]; timer; timer = this.#slots[slot]) {
      this.unschedule(timer);
      try {
        timer.visited();
      } catch (error) {
        this.#fail(timer, error);
      }
    }
  }
}

/** One deadline that is armed again and again. */
export class Timer {
  readonly #wheel: TimerWheel;
  readonly #owner: TimerOwner;
  /** When it runs out, in milliseconds of the wheel's clock; Infinity while it is not armed. */
  dueMs = Number.POSITIVE_INFINITY;
  /** The tick in whose slot it waits; -1 while it is in none. Written by the wheel. */
  scheduledTick = -1;
  /** When that slot's turn comes; Infinity while it is in none. Written by the wheel. */
  scheduledMs = Number.POSITIVE_INFINITY;
  /** The wheel's turn when it was armed last. */
  armedTurn = 0;
  previous: Timer | null = null;
  next: Timer | null = null;

  constructor(wheel: TimerWheel, owner: TimerOwner) {
    this.#wheel = wheel;
    this.#owner = owner;
  }

  get armed(): boolean {
    return this.dueMs !== Number.POSITIVE_INFINITY;
  }

  /** How long it still runs, about, also when the thread has just stood still; Infinity while it is not armed. */
  get leftMs(): number {
    if (!this.armed) return Number.POSITIVE_INFINITY;
    const wheel = this.#wheel;
    // One that was armed since the last tick is put off by as long as the thread stands still.
    const nowMs = this.armedTurn === wheel.turn ? wheel.nowMs : wheel.currentMs;
    return this.dueMs - STALL_MS - nowMs;
  }

  /** Runs out `delayMs` from now, instead of at the time set before. */
  arm(delayMs: number): void {
    const wheel = this.#wheel;
    // The wheel's time may be that old without our noticing: so much more, so that nothing fires early.
    this.dueMs = wheel.nowMs + delayMs + STALL_MS;
    this.armedTurn = wheel.turn;
    if (this.dueMs >= this.scheduledMs) return;
    if (this.scheduledTick !== -1) wheel.unschedule(this);
    wheel.schedule(this);
  }

  /** Does not run out until armed again. It may keep its place in the wheel, which costs nothing. */
  disarm(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Disarms it and lets go of the wheel, so that nothing keeps its owner in memory. */
  release(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
    if (this.scheduledTick !== -1) this.#wheel.unschedule(this);
  }

  /** Called by the wheel when its owner threw. */
  failed(): void {
    this.#owner.timerFailed();
  }

  /** Called by the wheel when its slot's turn has come. */
  visited(): void {
    if (this.dueMs <= this.#wheel.nowMs) {
      this.dueMs = Number.POSITIVE_INFINITY;
      this.#owner.timerExpired(this);
    } else if (this.armed) {
      this.#wheel.schedule(this);
    }
  }
}

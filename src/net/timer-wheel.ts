import type { Clock } from '../base/clock.ts';

/** Who is told that a timer has run out. */
export interface TimerOwner {
  timerExpired(timer: Timer): void;
}

const TICK_MS = 50;
const SLOTS = 512;

/**
 * Coarse timers for connections: a ring of slots, one per tick, each a list of timers that may be due then.
 *
 *   slots   0   1   2   3   4 ... 511
 *           |       |
 *           T - T   T                 a timer further away than the ring waits in the farthest slot and moves on from there
 *
 * Arming again, the thing that every request does, only writes the new due time: the timer stays in its old slot, and finds
 * itself not due yet when that slot's turn comes. A timer never fires early, and at most three ticks late.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #slots: (Timer | null)[] = new Array<Timer | null>(SLOTS).fill(null);
  /** Ticks since the wheel began: the slot that was visited last is `#tick % SLOTS`. */
  #tick = 0;
  readonly #startMs: number;
  /** The time of the last tick, in milliseconds of the clock: what arming counts from. */
  nowMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.nowMs();
    this.nowMs = this.#startMs;
  }

  /** How often `advance` wants to be called, in milliseconds. */
  static readonly tickMs = TICK_MS;

  /** Visits the slots whose time has come and tells the owners of what is due. */
  advance(): void {
    this.nowMs = this.#clock.nowMs();
    const target = Math.floor((this.nowMs - this.#startMs) / TICK_MS);
    // After a long sleep every slot is visited once: that finds all that is due.
    if (target - this.#tick > SLOTS) this.#tick = target - SLOTS;
    while (this.#tick < target) {
      this.#tick++;
      this.#visit(this.#tick % SLOTS);
    }
  }

  /** The tick at which a timer due at `dueMs` is looked at. */
  tickOf(dueMs: number): number {
    return Math.ceil((dueMs - this.#startMs) / TICK_MS);
  }

  /** Puts a timer that is in no slot into the one of its due time. */
  schedule(timer: Timer): void {
    const tick = Math.min(Math.max(this.tickOf(timer.dueMs), this.#tick + 1), this.#tick + SLOTS - 1);
    timer.scheduledTick = tick;
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
  }

  /** Nothing is ever scheduled into the slot being visited, and an owner may take out any timer: so always the first. */
  #visit(slot: number): void {
    for (let timer = this.#slots[slot]; timer; timer = this.#slots[slot]) {
      this.unschedule(timer);
      timer.visited();
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
  previous: Timer | null = null;
  next: Timer | null = null;

  constructor(wheel: TimerWheel, owner: TimerOwner) {
    this.#wheel = wheel;
    this.#owner = owner;
  }

  get armed(): boolean {
    return this.dueMs !== Number.POSITIVE_INFINITY;
  }

  /** Runs out `delayMs` from now, instead of whenever it was to. */
  arm(delayMs: number): void {
    // The wheel's time may be up to a tick old: one tick more, so that nothing fires early.
    this.dueMs = this.#wheel.nowMs + delayMs + TICK_MS;
    if (this.scheduledTick !== -1) {
      if (this.#wheel.tickOf(this.dueMs) >= this.scheduledTick) return;
      this.#wheel.unschedule(this);
    }
    this.#wheel.schedule(this);
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

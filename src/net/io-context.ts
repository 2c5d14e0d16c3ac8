import type { Clock } from '../base/clock.ts';
import { atomicWakeUps, type WakeUps } from '../memory/wake-ups.ts';
import { BufferPool } from './buffer-pool.ts';
import { type AfterEvents, GatheredEvents } from './gathered-events.ts';
import { OutputBatch } from './output-batch.ts';
import { TimerWheel } from './timer-wheel.ts';

const NOT_YET = -1;

/**
 * Turns of the event loop in which bytes that have come are read before timers run out: one to accept or to read, one for bytes that are
 * read together, two for a request that waits for a connection (`upstream/request-queue.ts`).
 */
const READING_TURNS = 4;

/** Parts that tests and the simulation replace. */
export interface IoOptions {
  /** As for `GatheredEvents`. */
  readonly eventsAlone?: number | undefined;
  /** As for `GatheredEvents`. */
  readonly afterEvents?: AfterEvents | undefined;
  readonly wakeUps?: WakeUps | undefined;
}

/** The context that all connections of one worker share. */
export class IoContext {
  readonly buffers: BufferPool = new BufferPool();
  readonly output: OutputBatch = new OutputBatch();
  readonly wheel: TimerWheel;
  /** Wake-ups between this worker and the others. */
  readonly wakeUps: WakeUps;
  readonly #clock: Clock;
  /** Read at most once in an event: a reading costs as much as a good part of a log line. */
  #eventMs: number = NOT_YET;
  readonly #reportFault: (error: unknown) => void;
  readonly #received: GatheredEvents;
  readonly afterEvents: AfterEvents;
  #turnsLeft = 0;

  /** `reportFault` gets every error that an event's work throws: a bug of ours, which must not end the worker. */
  constructor(clock: Clock, reportFault: (error: unknown) => void, options: IoOptions = {}) {
    const { eventsAlone, afterEvents = setImmediate, wakeUps = atomicWakeUps } = options;
    this.#clock = clock;
    this.afterEvents = afterEvents;
    this.#received = new GatheredEvents(() => this.settle(), eventsAlone, afterEvents);
    this.wakeUps = wakeUps;
    this.wheel = new TimerWheel(clock, reportFault);
    this.#reportFault = reportFault;
  }

  /** The time of the event under way, in milliseconds of the clock. */
  get eventMs(): number {
    if (this.#eventMs === NOT_YET) this.#eventMs = this.#clock.nowMs();
    return this.#eventMs;
  }

  /** Reports an unexpected error; the caller ends the connection it came from. */
  fault(error: unknown): void {
    this.#reportFault(error);
  }

  /** Ends an event in which bytes came. Its output is written now, or with the output of events that come together with it. */
  settleReceived(): void {
    this.#eventMs = NOT_YET;
    this.#received.add();
  }

  /** Ends an event: writes its output, and the output of events before that waits to be written. */
  settle(): void {
    this.#eventMs = NOT_YET;
    for (let settled = false; !settled; ) {
      try {
        this.output.flush();
        settled = true;
      } catch (error) {
        // The output that threw is out of the batch; the others are still due.
        this.fault(error);
      }
    }
  }

  /** Runs work that another thread has caused, as an event of its own. */
  event(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fault(error);
    }
    this.settle();
  }

  /**
   * Lets time pass: runs out timers that are due. If the thread stood still, replies and requests that came in time may not have been read
   * yet: they are read first, or every peer would pay for our own delay.
   */
  tick(): void {
    if (this.wheel.advance()) this.#readFor(READING_TURNS);
    else this.#expireTimers();
  }

  #readFor(turns: number): void {
    this.#turnsLeft = turns;
    this.afterEvents(turnOver, this);
  }

  turnOver(): void {
    // Settling what was read may disarm timers.
    this.settle();
    if (this.#turnsLeft > 1) this.#readFor(this.#turnsLeft - 1);
    else this.#expireTimers();
  }

  #expireTimers(): void {
    this.wheel.expire();
    this.settle();
  }
}

function turnOver(io: IoContext): void {
  io.turnOver();
}

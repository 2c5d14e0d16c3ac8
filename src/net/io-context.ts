import type { Clock } from '../base/clock.ts';
import { BufferPool } from './buffer-pool.ts';
import { OutputBatch } from './output-batch.ts';
import { TimerWheel } from './timer-wheel.ts';

/** What all connections of one worker share. */
export class IoContext {
  readonly buffers: BufferPool = new BufferPool();
  readonly output: OutputBatch = new OutputBatch();
  readonly wheel: TimerWheel;
  readonly #reportFault: (error: unknown) => void;

  /** `reportFault` hears of every throw that an event's work let through: a bug of ours, which must not end the worker. */
  constructor(clock: Clock, reportFault: (error: unknown) => void) {
    this.wheel = new TimerWheel(clock, reportFault);
    this.#reportFault = reportFault;
  }

  /** Reports an unexpected error; the caller ends the connection it came from. */
  fault(error: unknown): void {
    this.#reportFault(error);
  }

  /** Ends an event: writes what was said in it. */
  settle(): void {
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

  /** Lets time pass: runs out timers that are due. */
  tick(): void {
    this.wheel.advance();
    this.settle();
  }
}

import type { Clock } from '../../src/base/clock.ts';
import { settle } from './guard.ts';

/** Step in which time passes: finer than any timeout that a test sets. */
const STEP_MS = 50;

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  #tick: () => void = () => {};

  nowMs(): number {
    return this.#nowMs;
  }

  /** What has to run whenever time has passed. */
  onTick(tick: () => void): void {
    this.#tick = tick;
  }

  /** Lets `ms` pass without anybody noticing. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets `ms` pass, and lets everything that this sets off arrive. */
  async advance(ms: number): Promise<void> {
    await settle();
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.#nowMs += Math.min(left, STEP_MS);
      this.#tick();
    }
    await settle();
  }

  /** Lets time pass, ten milliseconds a turn, until `promise` is settled; at most `limitMs`. */
  async advanceUntil<T>(promise: Promise<T>, limitMs = 20_000): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (let passed = 0; !settled && passed < limitMs; passed += 10) {
      await settle(4);
      this.#nowMs += 10;
      this.#tick();
    }
    return promise;
  }
}
